"""Whether messages are young enough for their source: `max_age` in routes.yaml.

The age is counted from `receivedAt`, which Segment's own clock wrote; `sentAt` is the clock of a phone or a
browser, and `timestamp` when it happened, which may be long ago. They stand in where the better one is
missing. What Segment tries again, or replays, keeps its old times: it is old here too.
"""

from receiver.core import json_text
from receiver.core.errors import MessageTooOld
from receiver.core.facts import Fields
from receiver.core.timestamps import parse_time
from receiver.core.units import human_seconds
from receiver.split import Element, Elements, RefusedElement

TIMES = ("receivedAt", "sentAt", "timestamp")


def young(elements: Elements, max_age_s: float, now_ms: int) -> Elements:
    """Without those older than that many seconds, or without a time: they are refused like other elements.

    Raises MessageTooOld when that leaves nothing.
    """
    placed = _placed(elements)
    old = {place for place, element in placed if not _is_young(element, max_age_s, now_ms)}
    if not old:
        return elements
    kept = [element for place, element in placed if place not in old]
    if not kept:
        raise MessageTooOld(
            f"Nothing here is younger than {human_seconds(max_age_s)} by its receivedAt, sentAt or timestamp "
            "(max_age of the source)."
        )
    refused = [*elements.refused, *(RefusedElement(index=place, reason="too_old") for place in old)]
    return Elements(kept=kept, refused=sorted(refused, key=lambda one: one.index))


def _placed(elements: Elements) -> list[tuple[int, Element]]:
    """The kept ones with their places in the body: those that no refused one has."""
    taken = {one.index for one in elements.refused}
    places = (at for at in range(len(elements.kept) + len(taken)) if at not in taken)
    return list(zip(places, elements.kept, strict=True))


def _is_young(element: Element, max_age_s: float, now_ms: int) -> bool:
    said_ms = _said_ms(element.fields)
    return said_ms is not None and now_ms - said_ms <= max_age_s * 1000


def _said_ms(fields: Fields) -> float | None:
    for name in TIMES:
        moment = parse_time(json_text.value(fields[name])) if name in fields else None
        if moment is not None:
            return moment.timestamp() * 1000
    return None
