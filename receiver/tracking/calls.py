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

    @property
    def from_client(self) -> bool:
        """Whether the address it came from is that of the user."""
        return self.channel is _CLIENT


def _single(name: str, channel: msgspec.Raw) -> Call:
    return Call(type=msgspec.Raw(f'"{name}"'), channel=channel)


CALLS: Mapping[str, Call] = {
    **{name: _single(name, _SERVER) for name in TYPES},
    **{name[0]: _single(name, _CLIENT) for name in TYPES},
    "batch": Call(type=None, channel=_SERVER),
    "import": Call(type=None, channel=_SERVER),
    "b": Call(type=None, channel=_CLIENT),
}
PIXELS: Mapping[str, Call] = {PIXEL + name: _single(name, _CLIENT) for name in TYPES}


def name_of(path: str) -> str:
    """What stands below /v1, without slashes at its ends."""
    return path.removeprefix(PREFIX).strip("/")


def project_of(name: str) -> str | None:
    """The write key in `projects/<write key>/settings`; None for other names."""
    if not name.startswith(PROJECTS) or not name.endswith(SETTINGS):
        return None
    return name[len(PROJECTS) : -len(SETTINGS)] or None
