"""Times as senders write them."""

import re
from datetime import UTC, datetime
from typing import Any

_GO_CLOCK = re.compile(r"(\S+) (\S+) ([+-]\d{4}) [A-Z]+\b")
"""`2020-05-09 23:54:49.209808489 +0000 UTC m=+0.1`: how deletion messages may write a time."""


def parse_time(value: Any) -> datetime | None:
    """ISO 8601 or Go's clock text as an aware datetime (UTC where no zone is given), else None."""
    if not isinstance(value, str):
        return None
    if match := _GO_CLOCK.match(value):
        value = f"{match[1]}T{match[2]}{match[3]}"
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
