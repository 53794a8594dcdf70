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
from receiver.split import Element, Elements, sifted

TIMES = ("receivedAt", "sentAt", "timestamp")


def young(elements: Elements, max_age_s: float, now_ms: int) -> Elements:
    """Without those older than that many seconds, or without a time: they are refused like other elements.

    Raises MessageTooOld when that leaves nothing.
    """
    found = sifted(elements, lambda one: None if _is_young(one, max_age_s, now_ms) else "too_old")
    if elements.kept and not found.kept:
        raise MessageTooOld(
            f"Nothing here is younger than {human_seconds(max_age_s)} by its receivedAt, sentAt or timestamp "
            "(max_age of the source)."
        )
    return found


def _is_young(element: Element, max_age_s: float, now_ms: int) -> bool:
    said_ms = _said_ms(element.fields)
    return said_ms is not None and now_ms - said_ms <= max_age_s * 1000


def _said_ms(fields: Fields) -> float | None:
    for name in TIMES:
        moment = parse_time(json_text.value(fields[name])) if name in fields else None
        if moment is not None:
            return moment.timestamp() * 1000
    return None
