"""Requests as Segment's webhook destinations make them: compact bytes, proven, over one open connection."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

from receiver.cli.transport import CannotSend, Line
from receiver.core import json_text
from receiver.core.clock import SYSTEM
from receiver.core.verify_options import Verify
from receiver.schemes.verification import prove

_SPACES = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One POST."""

    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    code: str
    """`code` of the error, empty when accepted."""
    message: str
    milliseconds: float

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


def compact(body: bytes) -> bytes:
    """Without the spaces between tokens; strings and numbers stay as they were written."""
    return _SPACES.sub(rb"\1", body)


def request(body: bytes, verify: Sequence[Verify]) -> Request:
    """One message, or an array of them, as the classic or the Actions destination posts it, verified so."""
    batch = json_text.is_array(body)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Segment (Actions)" if batch else "Segment.io/1.0",
    }
    return Request(body=body, headers={**headers, **prove(body, verify, SYSTEM.now_ms())})


def batch(bodies: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"


class Sender:
    """Posts to one address over one connection. Raises CannotSend when nobody answers there."""

    def __init__(self, url: str) -> None:
        self._line = Line(url)

    def __enter__(self) -> "Sender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.__exit__(kind, error, trace)

    def post(self, sent: Request) -> Answer:
        """Send and read the answer."""
        try:
            reply = self._line.exchange("POST", self._line.target, headers=sent.headers, body=sent.body)
        except CannotSend as error:
            if error.why != "refused":
                raise
            advice = f"{error.message}; start `hookyard dev` or `hookyard receiver`"
            raise CannotSend(advice, error.why) from error
        code, message = _error_of(reply.body) if reply.status >= 300 else ("", "")
        return Answer(status=reply.status, code=code, message=message, milliseconds=reply.milliseconds)


def _error_of(text: bytes) -> tuple[str, str]:
    """Code and message of an error answer; of a stranger's answer, its beginning."""
    try:
        found = json.loads(text)
        return str(found["code"]), str(found["message"])
    except (ValueError, KeyError, TypeError):
        return "", text[:200].decode(errors="replace")
