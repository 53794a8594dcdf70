"""What a destination answered, and what its status means for a delivery."""

from collections.abc import Mapping
from typing import Any, Self

import msgspec
from yarl import URL

from receiver.core import backoff, clock, exact_json
from workers.errors import raise_for
from workers.outcome import Dead, Retry

RESPONSE_LIMIT = 256_000
"""Bytes of a response that are read; then the connection is closed."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination answered."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    truncated: bool = False
    """The body was longer than `RESPONSE_LIMIT`."""
    method: str
    url: URL

    @property
    def request(self) -> str:
        """`POST example.com/path`: how errors name it."""
        return named(self.method, self.url)

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body, parsed. Raises a ValueError."""
        return exact_json.loads(self.body)

    def raise_for_status(self) -> Self:
        """Raise what fits the rules of delivery: RetryError for 408, 429, 5xx, else a permanent error."""
        if problem := failure(self):
            raise_for(problem)
        return self


def failure(response: Response) -> Retry | Dead | None:
    """What a status means for a delivery; None: it worked."""
    status = response.status
    if 200 <= status < 300:
        return None
    code, error = f"http_{status}", f"{response.request} answered {status}"
    if status in (408, 429) or status >= 500:
        after_s = backoff.parse_retry_after(response.headers.get("Retry-After"), clock.SYSTEM.now_ms())
        return Retry(code, error, after_s)
    if 300 <= status < 400:
        return Dead("http_redirect", error + "; redirects are not followed")
    return Dead(code, error, pause_route=status == 410)


def named(method: str, url: URL) -> str:
    """How errors name a request: without user, query or fragment, which may hold secrets."""
    return f"{method} {url.host_port_subcomponent}{url.path[:200]}"
