"""The outbound HTTP client of steps and handlers: guarded addresses, no redirects, no cookies, bounded.

Errors name method, host, path and status; never query strings, headers or bodies, which may hold secrets.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypedDict, Unpack

import aiohttp
from aiohttp import hdrs
from yarl import URL

from receiver.core import exact_json, release
from receiver.core.segment.request import Request
from receiver.core.steps.http_parts import FRAMING_HEADERS
from workers.addresses import ForbiddenAddress, Gate, Resolver
from workers.errors import RequestRefused, Unreachable
from workers.hosts import Hosts
from workers.response import RESPONSE_LIMIT, Response, named

CONNECTIONS = 1_000
PER_HOST = 100
"""At least so many connections to one host: a handler may send several requests at once."""
JSON_TYPE: Mapping[str, str] = {hdrs.CONTENT_TYPE: "application/json"}
UNTYPED = (hdrs.CONTENT_TYPE,)
"""Not added to a body of which the caller does not say what it is."""

CONNECT_S = 5.0
"""For a connection to be made: where nobody answers, a step's whole time would be spent on it."""
UNCONNECTED = frozenset({"dns", "connect", "tls"})
"""Codes of requests that found no connection."""

_ABSENT: Any = object()


class Options(TypedDict, total=False):
    """What `Outbound.request` takes beside method and URL."""

    headers: Mapping[str, str]
    json: Any
    body: bytes
    timeout: float
    allow_private: bool


class Outbound:
    """One per drain. Network failures raise Unreachable (a RetryError), refused requests RequestRefused."""

    def __init__(self, guarded: aiohttp.ClientSession, private: aiohttp.ClientSession) -> None:
        self._guarded = guarded
        self._private = private
        self._hosts = Hosts()
        # Not as defaults of the sessions, which merge them anew for every request, at a tenth of its cost.
        self._headers: Mapping[str, str] = {
            hdrs.USER_AGENT: f"Hookyard/{release.number()}",
            hdrs.ACCEPT: "*/*",
            hdrs.ACCEPT_ENCODING: "identity",
        }

    @classmethod
    @asynccontextmanager
    async def open(cls, *, concurrency: int) -> AsyncIterator["Outbound"]:
        """`concurrency` is how many deliveries are worked at a time."""
        async with (
            _session(concurrency, allow_private=False) as guarded,
            _session(concurrency, allow_private=True) as private,
        ):
            yield cls(guarded, private)

    async def get(self, url: str, **options: Unpack[Options]) -> Response:
        return await self.request("GET", url, **options)

    async def post(self, url: str, **options: Unpack[Options]) -> Response:
        return await self.request("POST", url, **options)

    async def put(self, url: str, **options: Unpack[Options]) -> Response:
        return await self.request("PUT", url, **options)

    async def patch(self, url: str, **options: Unpack[Options]) -> Response:
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str, **options: Unpack[Options]) -> Response:
        return await self.request("DELETE", url, **options)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = _ABSENT,
        body: bytes | None = None,
        timeout: float | None = None,
        allow_private: bool = False,
    ) -> Response:
        """Send one request; any status is an answer, see `Response.raise_for_status`.

        `json` is sent as JSON, else `body` as it is. `timeout` (seconds) may shorten the step's own.
        `allow_private` admits private and loopback addresses.
        """
        target = _target(url)
        if json is not _ABSENT:
            body = _encoded(json, named(method, target))
            headers = {**JSON_TYPE, **(headers or {})}
        session = self._private if allow_private else self._guarded
        return await self._request(session, method, target, headers, body, timeout)

    async def send(self, made: Request, *, timeout: float | None = None) -> Response:
        """Send a request to one of Segment's APIs, its URL character by character as it was made: what is
        percent-encoded stays so. The address is the operator's, and trusted."""
        target = URL(made.url, encoded=True)
        return await self._request(self._private, made.method, target, made.headers, made.body, timeout)

    async def _request(
        self,
        session: aiohttp.ClientSession,
        method: str,
        target: URL,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        timeout: float | None,
    ) -> Response:
        headers = {**self._headers, **(headers or {})}
        names = set(map(str.lower, headers))
        if not FRAMING_HEADERS.isdisjoint(names):
            own = ", ".join(sorted(FRAMING_HEADERS))
            raise RequestRefused("invalid_request", f"{named(method, target)}: the client itself sets {own}")
        skipped = None if "content-type" in names else UNTYPED
        finds_out = self._hosts.check(target)
        try:
            if timeout is None:
                response = await _exchange(session, method, target, headers, body, skipped)
            else:
                async with asyncio.timeout(timeout):
                    response = await _exchange(session, method, target, headers, body, skipped)
        except Exception as error:
            meant = _translated(error, named(method, target))
            if isinstance(meant, Unreachable) and meant.code in UNCONNECTED:
                self._hosts.failed(target, found_out=finds_out)
            raise meant from error
        self._hosts.connected(target)
        return response


@asynccontextmanager
async def _session(concurrency: int, *, allow_private: bool) -> AsyncIterator[aiohttp.ClientSession]:
    gate = Gate(allow_private=allow_private)
    resolver = Resolver(gate)
    connector = aiohttp.TCPConnector(
        limit=max(CONNECTIONS, 2 * concurrency),
        limit_per_host=max(PER_HOST, concurrency),
        resolver=resolver,
        socket_factory=gate.open_socket,
    )
    try:
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_S
            ),  # a step has its own for the rest
            trust_env=False,
        ) as session:
            yield session
    finally:
        await resolver.close()


def _encoded(value: Any, what: str) -> bytes:
    try:
        return exact_json.dumps(value)
    except exact_json.NotJson as error:
        raise RequestRefused("invalid_request", f"{what}: the body cannot be said in JSON: {error}") from None


def _target(url: str) -> URL:
    try:
        target = URL(url)
        fits = target.scheme in ("http", "https") and bool(target.host)
    except ValueError:
        fits = False
    if not fits:
        raise RequestRefused("invalid_url", "the URL is not http(s)://host/…")
    return target


async def _exchange(
    session: aiohttp.ClientSession,
    method: str,
    url: URL,
    headers: Mapping[str, str],
    body: bytes | None,
    skipped: Sequence[str] | None,
) -> Response:
    async with session.request(
        method, url, headers=headers, data=body, skip_auto_headers=skipped, allow_redirects=False
    ) as answer:
        content, truncated = await _read(answer)
    return Response(
        status=answer.status,
        headers=answer.headers,
        body=content,
        truncated=truncated,
        method=method,
        url=url,
    )


async def _read(answer: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """At most `RESPONSE_LIMIT` bytes, also after inflation; whether there was more."""
    chunks, size = [], 0
    while not answer.content.at_eof():
        chunk = await answer.content.readany()
        chunks.append(chunk)
        size += len(chunk)
        if size > RESPONSE_LIMIT:
            answer.close()
            break
    content = b"".join(chunks)
    if answer.headers.get("Content-Encoding", "").lower() in ("gzip", "deflate"):
        content = _inflate(content)
    return content[:RESPONSE_LIMIT], len(content) > RESPONSE_LIMIT or size > RESPONSE_LIMIT


def _inflate(content: bytes) -> bytes:
    """Some servers compress unasked. One byte over the limit tells that there was more."""
    try:
        return zlib.decompressobj(wbits=47).decompress(content, RESPONSE_LIMIT + 1)
    except zlib.error:
        return content


def _translated(error: Exception, what: str) -> Exception:
    """What an error of the HTTP library means, as one of ours; anything else is a bug and stays."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
    if isinstance(cause, ForbiddenAddress):
        return RequestRefused("address_refused", f"{what}: {cause}")
    for kind, code in _MEANINGS:
        if isinstance(error, kind):
            detail = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None)
            text = f"{what}: {_SENTENCES[code]}" + (f" ({detail})" if detail else "")
            return RequestRefused(code, text) if code == "invalid_request" else Unreachable(code, text)
    return error


_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ConnectionTimeoutError, "connect"),
    (TimeoutError, "timeout"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientConnectorError, "connect"),
    (ValueError, "invalid_request"),  # below TLS, whose certificate errors are ValueErrors too
    (aiohttp.ClientError, "disconnect"),
    (OSError, "disconnect"),
)
_SENTENCES = {
    "timeout": "no answer in time",
    "tls": "no secure connection",
    "dns": "the host was not found",
    "connect": "no connection",
    "invalid_request": "not a valid HTTP request",
    "disconnect": "the connection broke, or what came was not HTTP",
}
