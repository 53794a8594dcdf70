"""A message as FQL reads it: its JSON as it arrived, each top-level field parsed when first asked for."""

from collections.abc import Iterable
from typing import Any

from receiver.core import exact_json
from receiver.core.json_text import Fields


def content(fields: Fields, names: Iterable[str]) -> dict[str, Any]:
    """The named fields of a message, of those that are there. Raises `exact_json.NotJson`."""
    return {name: exact_json.loads(fields[name]) for name in names if name in fields}


class Content:
    """To be asked by many conditions; what none of them reads is never parsed."""

    __slots__ = ("_fields", "_values")

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._values: dict[str, Any] = {}

    def get(self, name: str, /) -> Any:
        """The value of a top-level field; None where there is none. Raises `exact_json.NotJson`."""
        if name in self._values:
            return self._values[name]
        text = self._fields.get(name)
        value = None if text is None else exact_json.loads(text)
        self._values[name] = value
        return value
