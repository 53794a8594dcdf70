"""The batch call: several calls at once, each with its `type`, checked together."""

from collections.abc import Mapping
from typing import Any

from receiver.core.findings import suggestion
from receiver.core.segment.calls import Encoded, InvalidCall, checked
from receiver.core.segment.fields import CALLS
from receiver.core.segment.kinds import OBJECT, SWITCHES, fitted, shown

SHARED = {"context": OBJECT, "integrations": SWITCHES}
"""Fields beside `batch`."""
_EMPTY = Encoded(b"")


def encode_batch(fields: Mapping[str, Any]) -> list[Encoded]:
    """The calls in `batch`. `context` and `integrations` beside it are for all of them, member by member,
    where a call does not say otherwise. Raises InvalidCall with the problems of all."""
    problems = [
        f"{name}: a batch has no such field{suggestion(str(name), ['batch', *SHARED])}"
        for name in fields
        if name not in ("batch", *SHARED) and fields[name] is not None
    ]
    shared = {
        name: made
        for name, kind in SHARED.items()
        if fields.get(name) is not None
        and isinstance(made := fitted(kind, fields[name], name, problems), Mapping)
    }
    items = fields.get("batch")
    if not isinstance(items, list | tuple):
        problems.append(f"batch: expected a list of calls, got {shown(items)}")
    elif not items:
        problems.append("batch: is empty")
    else:
        encoded = [_item(item, shared, f"batch[{at}]", problems) for at, item in enumerate(items)]
    if problems:
        raise InvalidCall(problems)
    return encoded


def _item(item: Any, shared: Mapping[str, Mapping[str, Any]], place: str, problems: list[str]) -> Encoded:
    if not isinstance(item, Mapping):
        problems.append(f"{place}: expected an object, got {shown(item)}")
        return _EMPTY
    fields = {name: value for name, value in item.items() if name != "type"}
    call = item.get("type")
    if not isinstance(call, str) or call not in CALLS:
        problems.append(f"{place}.type: expected {', '.join(CALLS)}, got {shown(call)}")
        return _EMPTY
    for name, value in shared.items():
        own = fields.get(name)
        if own is None:
            fields[name] = value
        elif isinstance(own, Mapping):
            fields[name] = {**value, **own}
    return checked(call, fields, f"{place}.", problems)
