"""The exact HTTP requests to Segment's APIs, as values: made here for those who send them and who show them.

The credential is in the Authorization header and nowhere else. Source: Segment's documentation of the HTTP
Tracking API, of the Profile API and of the Public API.
"""

import base64
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

from receiver.core import clock
from receiver.core.connections import CREDENTIALS, Api, Connection

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_BATCH = 500_000
"""Bytes of a batch, before compression."""
MAX_ITEMS = 2_500
"""Messages in a batch. Above that, Segment answers 200 and drops them all."""
ENVELOPE = 64
"""Bytes around the messages of a batch, at most."""

COMPRESSED_FROM = 2_000
"""Bytes of a body: three packets of a network. Measured in docs/decisions/segment-gzip.md."""
FASTEST = 1
"""Level of gzip: the slower ones save a fifth more and take twice as long."""

JSON_TYPE = "application/json"
AUTHORIZATION = "Authorization"
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
FRAMING = frozenset(
    {"connection", "content-length", "transfer-encoding", "upgrade", "expect", "te", "trailer"}
)
"""Headers that say how a request is framed, which is the client's business."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_UNFIT = re.compile(r"[\x00-\x20\x7f\\#?]")


class InvalidRequest(ValueError):
    """A request that cannot be made, or would not go where it should. `problems` are pairs of what is wrong
    and a sentence."""

    code = "invalid_request"

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{name}: {sentence}" for name, sentence in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, complete but for what the client says about itself."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def compressed(self) -> "Request":
        """The same with its body compressed, when there is enough of it to be worth it."""
        if self.body is None or len(self.body) < COMPRESSED_FROM:
            return self
        body = gzip.compress(self.body, FASTEST, mtime=0)
        return replace(self, headers={**self.headers, "Content-Encoding": "gzip"}, body=body)

    def masked(self) -> "Request":
        """The same for people to see: of secrets only the scheme is left."""
        return replace(self, headers={name: _masked(name, value) for name, value in self.headers.items()})


def authorization(connection: Connection, api: Api) -> str:
    """The value of the header that admits to an API. Raises InvalidRequest for a missing credential."""
    secret = connection.credential(api)
    if secret is None:
        sentence = f"the connection {connection.name} has no {CREDENTIALS[api]}"
        raise InvalidRequest([("connection", sentence)])
    if api == "public":
        return f"Bearer {secret.reveal()}"
    return "Basic " + base64.b64encode(f"{secret.reveal()}:".encode()).decode()


def address(connection: Connection, api: Api) -> str:
    """Base URL of an API, without a slash at its end."""
    bases = {
        "tracking": connection.tracking_url,
        "profile": connection.profile_url,
        "public": connection.public_url,
    }
    return bases[api]


def one(connection: Connection, call: str, message: bytes) -> Request:
    """A single call of the tracking API; `message` is what `receiver.core.segment.calls` makes of it."""
    return _tracking(connection, f"/v1/{call}", message)


def batch(connection: Connection, messages: Sequence[bytes], *, sent_at_ms: int) -> Request:
    """Many calls in one request: at most MAX_ITEMS, and MAX_BATCH - ENVELOPE bytes with a comma for each."""
    sent_at = clock.iso(sent_at_ms).encode()
    body = b'{"sentAt":"' + sent_at + b'","batch":[' + b",".join(messages) + b"]}"
    return _tracking(connection, "/v1/batch", body)


def api_call(
    connection: Connection,
    api: Api,
    *,
    method: str,
    path: str,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Request:
    """Any request to one of the connection's APIs. Raises InvalidRequest with all problems.

    `path` follows the API's address, percent-encoded where it must be. In `query` null is left out, and a
    list repeats its name. The credential is added where `headers` hold none, and so is the type of the body:
    JSON.
    """
    given = dict(headers or {})
    base = address(connection, api) if api in CREDENTIALS else ""
    problems = [*_wrong_target(method, path), *_wrong_headers(given)]
    if api not in CREDENTIALS:
        problems.append(("api", f"one of {', '.join(CREDENTIALS)}"))
    elif not base:
        problems.append(("connection", f"{connection.name} has no address for the {api} API"))
    if problems:
        raise InvalidRequest(problems)
    names = {name.lower() for name in given}
    if "authorization" not in names:
        given = {AUTHORIZATION: authorization(connection, api), **given}
    if body is not None and "content-type" not in names:
        given["Content-Type"] = JSON_TYPE
    return Request(
        method=method,
        url=base + quote(path, safe="/%:@!$&'()*+,;=~-._") + _query(query),
        headers=given,
        body=body,
    )


def _tracking(connection: Connection, path: str, body: bytes) -> Request:
    headers = {AUTHORIZATION: authorization(connection, "tracking"), "Content-Type": JSON_TYPE}
    return Request(method="POST", url=connection.tracking_url + path, headers=headers, body=body)


def _wrong_target(method: str, path: str) -> Iterable[tuple[str, str]]:
    if method not in METHODS:
        yield "method", f"one of {', '.join(METHODS)}"
    if not path.startswith("/") or path.startswith("//"):
        yield "path", "begins with one `/`: it follows the address of the connection, and never leaves it"
    elif found := _UNFIT.search(path):
        where = "belongs into `query`" if found[0] == "?" else "cannot be part of it"
        yield "path", f"{found[0]!r} {where}"
    elif {".", ".."}.intersection(unquote(path).split("/")):
        yield "path", "holds `.` or `..`"
    elif not can_be_sent(path):
        yield "path", "holds half a character"


def _wrong_headers(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            yield "headers", f"{name!r} is no name of a header"
        elif name.lower() in FRAMING or name.lower() == "host":
            yield f"headers.{name}", "is set by the client itself"
        elif not isinstance(value, str) or _CONTROL.search(value) or not can_be_sent(value):
            yield f"headers.{name}", "must be text without line breaks or other control characters"


def _query(query: Mapping[str, Any] | None) -> str:
    pairs = []
    for name, value in (query or {}).items():
        for each in value if isinstance(value, list | tuple) else [value]:
            if each is not None:
                pairs.append((name, _written(name, each)))
    return "?" + urlencode(pairs, quote_via=quote) if pairs else ""


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float) and can_be_sent(f"{name}{value}"):
        return str(value)
    raise InvalidRequest([(f"query.{name}", "must be text, a number, true or false, or a list of them")])


def can_be_sent(text: str) -> bool:
    """JavaScript's lone surrogates are no text that UTF-8 could say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _masked(name: str, value: str) -> str:
    if name.lower() not in SECRET_HEADERS:
        return value
    scheme, space, _ = value.partition(" ")
    return f"{scheme} ***" if space else "***"
