"""What a route would have taken of the stored messages: before it is published, or changed.

Nothing is written. Only the filter is asked: that the route or a source is switched off does not count.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import msgspec

from receiver.core.message import StoredMessage
from receiver.core.reading import PAGE, Store
from receiver.core.routes import Config, SourcePath
from receiver.core.selection import Selection
from receiver.core.today import Today

SAMPLES = 5


class RoutePreview(msgspec.Struct, kw_only=True):
    """What was found so far."""

    looked: int = 0
    matched: int = 0
    taken: list[StoredMessage] = msgspec.field(default_factory=list)
    """The latest few of them."""
    left_out: list[tuple[StoredMessage, str]] = msgspec.field(default_factory=list)
    """The latest few that it would not take, and why."""


def preview_route(store: Store, config: Config, route: str, wanted: Selection) -> Iterator[RoutePreview]:
    """The same growing answer after each page, newest messages first; the last one is the result."""
    today = Today(_alone(config, route))
    answer = RoutePreview()
    yield answer
    messages = store.scan(wanted)
    while page := list(islice(messages, PAGE)):
        for message in page:
            _add(answer, message, today)
        yield answer


def _add(answer: RoutePreview, message: StoredMessage, today: Today) -> None:
    answer.looked += 1
    if today.routes(message):
        answer.matched += 1
        if len(answer.taken) < SAMPLES:
            answer.taken.append(message)
    elif len(answer.left_out) < SAMPLES:
        (verdict,) = today.explain(message)
        answer.left_out.append((message, verdict.reason))


def _alone(config: Config, name: str) -> Config:
    """With this route only, and everything switched on."""
    return replace(
        config,
        routes={name: replace(config.routes[name], enabled=True)},
        paths={path: _on(way) for path, way in config.paths.items()},
        tracking={path: _on(way) for path, way in config.tracking.items()},
    )


def _on(way: SourcePath) -> SourcePath:
    return replace(way, source=replace(way.source, enabled=True))
