"""Durations, sizes and rates as people write them: `20s`, `3d`, `8MB`, `500/s`."""

import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
BYTES = {
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)", re.ASCII)
_RATE = re.compile(r"(\d+(?:\.\d+)?)/([smh])", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?", re.ASCII)


def seconds(text: str) -> float:
    """`"1h30m"` → 5400.0. Raises ValueError with a sentence that says what is expected."""
    stripped = text.strip()
    position, total = 0, 0.0
    while match := _DURATION.match(stripped, position):
        total += float(match[1]) * SECONDS[match[2]]
        position = match.end()
    if not stripped or position != len(stripped):
        raise ValueError(f"{text!r} is not a duration; write for example 500ms, 20s, 5m, 4h or 3d")
    return total


def size_bytes(text: str) -> int:
    """`"8MB"` → 8000000. Raises ValueError with a sentence that says what is expected."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write for example 512kB, 8MB or 2GiB")
    return int(float(match[1]) * BYTES[match[2] or "B"])


def per_second(text: str) -> float:
    """`"600/m"` → 10.0. Raises ValueError with a sentence that says what is expected."""
    match = _RATE.fullmatch(text.strip())
    if match is None or not float(match[1]):
        raise ValueError(f"{text!r} is not a rate; write for example 500/s or 600/m")
    return float(match[1]) / SECONDS[match[2]]


def human_seconds(value: float) -> str:
    """5400.0 → `1h30m`; the shortest form `seconds` reads back."""
    if value < 1:
        return f"{round(value * 1000)}ms"
    rest, parts = round(value), []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def human_bytes(value: float) -> str:
    """8000000 → `8.0 MB`."""
    for unit, length in (("GB", 1000**3), ("MB", 1000**2), ("kB", 1000)):
        if value >= length:
            return f"{value / length:.1f} {unit}"
    return f"{value:.0f} B"
