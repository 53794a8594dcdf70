"""Requests as Segment's webhook destinations make them: compact bytes, proven, over one open connection."""

import http.client
import json
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

from receiver.core import json_text
from receiver.core.clock import SYSTEM
from receiver.core.errors import HookError
from receiver.core.verify_options import Verify
from receiver.schemes.verification import prove

TIMEOUT_SECONDS = 10.0
"""As long as Segment's Actions destinations wait."""
LONGEST_ANSWER = 65536

_SPACES = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")|[ \t\r\n]+', re.DOTALL)


class CannotSend(HookError):
    """Nobody answered at the address, or the address is none."""

    code = "cannot_send"


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
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CannotSend(f"{url!r} is not an address; write for example http://127.0.0.1:8000/hooks/shop")
        self.url = url
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = (
            http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        )

    def __enter__(self) -> "Sender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def post(self, sent: Request) -> Answer:
        """Send and read the answer. A connection the server had closed meanwhile is opened once more."""
        started = SYSTEM.monotonic()
        try:
            status, text = self._exchange(sent)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self._connection.close()
            try:
                status, text = self._exchange(sent)
            except (OSError, http.client.HTTPException) as error:
                raise self._cannot(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._cannot(error) from error
        code, message = _error_of(text) if status >= 300 else ("", "")
        elapsed = (SYSTEM.monotonic() - started) * 1000
        return Answer(status=status, code=code, message=message, milliseconds=elapsed)

    def _exchange(self, sent: Request) -> tuple[int, bytes]:
        self._connection.request("POST", self._target, body=sent.body, headers=sent.headers)
        answer = self._connection.getresponse()
        text = answer.read(LONGEST_ANSWER)
        if answer.read(1):
            self._connection.close()
        return answer.status, text

    def _cannot(self, error: Exception) -> CannotSend:
        if isinstance(error, ConnectionRefusedError):
            return CannotSend(f"nothing listens at {self.url}; start `hookyard dev` or `hookyard receiver`")
        if isinstance(error, TimeoutError):
            return CannotSend(f"{self.url} did not answer within {TIMEOUT_SECONDS:.0f} s")
        return CannotSend(f"cannot post to {self.url}: {error or type(error).__name__}")


def _error_of(text: bytes) -> tuple[str, str]:
    """Code and message of an error answer; of a stranger's answer, its beginning."""
    try:
        found = json.loads(text)
        return str(found["code"]), str(found["message"])
    except (ValueError, KeyError, TypeError):
        return "", text[:200].decode(errors="replace")
