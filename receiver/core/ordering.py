"""Ordering keys: which deliveries of a route are worked one at a time, in the order they arrived.

A key is a digest of what a message says at the path of the route's `order_by`. It is read where a delivery
comes to be, when a message arrives and when it is replayed; from then on the store holds it.
"""

import base64
import hashlib
from collections.abc import Iterable

from receiver.core import json_text
from receiver.core.json_text import Fields
from receiver.core.message import text
from receiver.core.routes import Config

KEY_BYTES = 8
"""Two values that share a digest would only wait for each other."""


class Ordering:
    """The ordered routes of one config."""

    def __init__(self, config: Config) -> None:
        self._paths = {route.name: route.order_by for route in config.routes.values() if route.order_by}

    def orders(self, route: str) -> bool:
        """Whether any key is needed of its messages."""
        return route in self._paths

    def keys(self, fields: Fields, routes: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Of the named routes those that are ordered, where the message has a key there, and the key."""
        if not self._paths:
            return ()
        found = ((name, self.key(fields, name)) for name in routes)
        return tuple((name, key) for name, key in found if key is not None)

    def key(self, fields: Fields, route: str) -> str | None:
        """None: the route works the message in any order."""
        path = self._paths.get(route)
        return None if path is None else _digest(_value(fields, path))


def _value(fields: Fields, path: tuple[str, ...]) -> str | None:
    """Only texts and numbers are keys; the number 5 and the text "5" are the same one."""
    value = json_text.values(fields, path[:1]).get(path[0])
    for name in path[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return text(value)


def _digest(value: str | None) -> str | None:
    if value is None:
        return None
    digest = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
