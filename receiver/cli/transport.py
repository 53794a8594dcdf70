"""HTTP for commands that send by hand: one open connection to one server, by the standard library's client.

A command starts fast, sends a few requests one after the other, and needs neither an event loop nor a pool.
Redirects are not followed, and answers are read up to a bound and a time.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal
from urllib.parse import urlsplit

from receiver.cli.console import plain
from receiver.core.clock import SYSTEM
from receiver.core.errors import HookError

TIMEOUT_SECONDS = 10.0
"""For one request, from the first byte sent to the last one read. As long as Segment's Actions destinations
wait."""
LONGEST_ANSWER = 65_536
CHUNK = 16_384

Why = Literal["address", "refused", "dns", "tls", "timeout", "broken"]


class CannotSend(HookError):
    """Nobody answered at the address, or the address is none."""

    code = "cannot_send"

    def __init__(self, message: str, why: Why) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    truncated: bool
    """There was more than `longest` bytes."""
    milliseconds: float


class Line:
    """A connection to the server of `url`, opened when it is first used. Raises CannotSend."""

    def __init__(self, url: str, *, seconds: float = TIMEOUT_SECONDS, longest: int = LONGEST_ANSWER) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            example = "http://127.0.0.1:8000/hooks/shop"
            raise CannotSend(f"{url!r} is not an address; write for example {example}", "address")
        self._server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        """What follows the host in `url`."""
        self._seconds, self._longest = seconds, longest
        self._used = False
        self._connection = (
            http.client.HTTPSConnection(
                parts.hostname, port, timeout=seconds, context=ssl.create_default_context()
            )
            if parts.scheme == "https"
            else http.client.HTTPConnection(parts.hostname, port, timeout=seconds)
        )

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def exchange(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send one request and read its answer. A connection that the server had closed since the last one is
        opened once more."""
        started = SYSTEM.monotonic()
        try:
            try:
                answer = self._sent(method, target, headers, body)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()
                if not self._used:
                    raise
                answer = self._sent(method, target, headers, body)
            self._used = True
            content, truncated = self._read(answer, started + self._seconds)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise self._cannot(error) from error
        return Reply(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.getheaders()},
            body=content,
            truncated=truncated,
            milliseconds=(SYSTEM.monotonic() - started) * 1000,
        )

    def _sent(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        self._connection.request(method, target, body=body, headers=dict(headers))
        return self._connection.getresponse()

    def _read(self, answer: http.client.HTTPResponse, until: float) -> tuple[bytes, bool]:
        """The body up to `longest` bytes, and whether there was more."""
        content = b""
        while len(content) <= self._longest and (chunk := answer.read1(CHUNK)):
            content += chunk
            if SYSTEM.monotonic() > until:
                raise TimeoutError
        answer.close()  # read1 does not notice the end, and the next request would be refused
        if truncated := len(content) > self._longest:
            self._connection.close()
        return content[: self._longest], truncated

    def _cannot(self, error: Exception) -> CannotSend:
        why = _why(error)
        sentence = {
            "refused": f"nothing listens at {self._server}",
            "dns": f"the host of {self._server} was not found",
            "tls": f"no secure connection to {self._server}: {_detail(error)}",
            "timeout": f"{self._server} did not answer within {self._seconds:.0f} s",
        }.get(why, f"cannot send to {self._server}: {_detail(error)}")
        return CannotSend(sentence, why)


def _why(error: Exception) -> Why:
    kinds: tuple[tuple[type[Exception], Why], ...] = (
        (ConnectionRefusedError, "refused"),
        (TimeoutError, "timeout"),
        (socket.gaierror, "dns"),
        (ssl.SSLError, "tls"),
    )
    return next((why for kind, why in kinds if isinstance(error, kind)), "broken")


def _detail(error: Exception) -> str:
    """What the library says, without the file and line it adds. It may repeat what the server sent."""
    return plain(getattr(error, "verify_message", "") or str(error).strip() or type(error).__name__)
