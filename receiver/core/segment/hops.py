"""The mark by which Hookyard knows a message again that it sent itself, to cut circles.

A message that Hookyard sends may come back: the source it is sent to has a destination, and that is Hookyard.
`context.hookyard.hops` says how often a message and what caused it went out. Segment hands the context on.
"""

from collections.abc import Mapping
from typing import Any

KEY = "hookyard"
CALLS = frozenset({"identify", "track", "page", "screen", "group", "alias", *"itpsga"})
BATCHES = frozenset({"batch", "import", "b"})
"""Paths of the tracking API below /v1."""
MOST = 1_000
"""No more is counted: the mark comes from outside, where anybody may write it."""


def hops_of(message: Mapping[str, Any]) -> int:
    """How often it went out already; 0 for a message without a mark, or with one that is not ours."""
    context = message.get("context")
    mark = context.get(KEY) if isinstance(context, Mapping) else None
    hops = mark.get("hops") if isinstance(mark, Mapping) else None
    if isinstance(hops, bool) or not isinstance(hops, int | float) or hops != hops:  # not a number
        return 0
    return int(max(0, min(hops, MOST)))


def marked(fields: Mapping[str, Any], hops: int) -> dict[str, Any]:
    """The fields of a call with the mark in their context. A context that is no object is left to whoever
    checks the call."""
    context = fields.get("context")
    if context is None:
        return {**fields, "context": {KEY: {"hops": hops}}}
    if not isinstance(context, Mapping):
        return dict(fields)
    before = context.get(KEY)
    mark = {**before, "hops": hops} if isinstance(before, Mapping) else {"hops": hops}
    return {**fields, "context": {**context, KEY: mark}}


def marked_item(item: Any, hops: int) -> Any:
    """A call in a batch with the mark; what is no mapping is left to whoever checks it."""
    return marked(item, hops) if isinstance(item, Mapping) else item


def marked_body(path: str, body: Any, hops: int) -> Any:
    """The JSON body of a request to the tracking API, its messages with the mark."""
    name = path.strip("/").removeprefix("v1/")
    if name in CALLS and isinstance(body, Mapping):
        return marked(body, hops)
    items = body.get("batch") if name in BATCHES and isinstance(body, Mapping) else None
    if isinstance(items, list):
        return {**body, "batch": [marked_item(item, hops) for item in items]}
    return body
