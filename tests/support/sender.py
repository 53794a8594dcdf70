"""Sends what Segment would send, signed as Segment signs it: for tests, and for people at a Python prompt.

Sender("http://127.0.0.1:8000/hooks/shop", "the secret").send(b'{"type": "track", "event": "Tried"}')
"""

import http.client
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from receiver.core.settings import Secret
from receiver.schemes.segment import sign

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code; empty for a good answer."""
        return str(self.json().get("code", ""))


def signed(body: bytes, secret: str, *, over: bytes | None = None) -> dict[str, str]:
    """The headers of a delivery; `over` is what is signed, where that is not the whole body."""
    return {
        "content-type": "application/json",
        "user-agent": "Segment (Actions)",
        "x-signature": sign(body if over is None else over, Secret(secret)),
    }


class Sender:
    """One keep-alive connection to one path."""

    def __init__(self, url: str, secret: str = "") -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._secret = secret
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)

    def send(
        self,
        body: bytes | Iterable[bytes] = b"",
        *,
        method: str = "POST",
        path: str | None = None,
        headers: Mapping[str, str] | None = None,
        over: bytes | None = None,
    ) -> Answer:
        """One request. An iterable is sent in chunks and unsigned; `headers` win over the signature's."""
        ours = signed(body, self._secret, over=over) if isinstance(body, bytes) and self._secret else {}
        self._connection.request(
            method,
            self._path if path is None else path,
            body,
            {**ours, **(headers or {})},
            encode_chunked=not isinstance(body, bytes),
        )
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Sender":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
