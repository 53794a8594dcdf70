"""The paths of the tracking API below /v1, and what a call by each of them means (segment.md 3.1, 2.5)."""

from collections.abc import Mapping

import msgspec

from receiver.core.routes import TRACKING_PATH

PREFIX = TRACKING_PATH
TYPES = ("identify", "track", "page", "screen", "group", "alias")
METRICS = "m"
"""What libraries in browsers tell about themselves; no messages."""
PIXEL = "pixel/"
PROJECTS, SETTINGS = "projects/", "/settings"

_SERVER, _CLIENT = msgspec.Raw(b'"server"'), msgspec.Raw(b'"client"')


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What a path says about the messages that come by it."""

    type: msgspec.Raw | None
    """JSON text of their type; None: a batch, whose items say it themselves."""
    channel: msgspec.Raw
    """JSON text of their channel, unless they name one: short paths are for browsers and phones."""

    from_client: bool
    """Whether the address it came from is that of the user."""


def _call(name: str | None, *, client: bool) -> Call:
    kind = None if name is None else msgspec.Raw(f'"{name}"')
    return Call(type=kind, channel=_CLIENT if client else _SERVER, from_client=client)


CALLS: Mapping[str, Call] = {
    **{name: _call(name, client=False) for name in TYPES},
    **{name[0]: _call(name, client=True) for name in TYPES},
    "batch": _call(None, client=False),
    "import": _call(None, client=False),
    "b": _call(None, client=True),
}
PIXELS: Mapping[str, Call] = {PIXEL + name: _call(name, client=True) for name in TYPES}


def name_of(path: str) -> str:
    """What stands below /v1, without slashes at its ends."""
    return path.removeprefix(PREFIX).strip("/")


def project_of(name: str) -> str | None:
    """The write key in `projects/<write key>/settings`; None for other names."""
    if not name.startswith(PROJECTS) or not name.endswith(SETTINGS):
        return None
    return name[len(PROJECTS) : -len(SETTINGS)] or None
