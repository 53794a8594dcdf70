"""The tracking API below /v1: what Segment's libraries call, answered as Segment answers.

`receiver.tracking.taking` is its counterpart to `receiver.split`; from there on messages go the same way as
those of webhooks.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping
from functools import lru_cache

from starlette.types import Receive, Scope, Send

from receiver.body import read_body
from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import BodyTooLarge, Refused, Unavailable, WrongMethod
from receiver.core.metrics import Metrics
from receiver.core.routes import Config
from receiver.core.settings import Settings
from receiver.intake import GOOD_ANSWER, LARGE
from receiver.keeping import Keeper
from receiver.load import Load, Share
from receiver.tracking import keys, pixel, settings_page
from receiver.tracking.calls import CALLS, METRICS, PIXELS, Call, name_of, project_of
from receiver.tracking.cors import Headers, preflight
from receiver.tracking.limits import MAX_BATCH, MAX_MESSAGE, InvalidWriteKey, PayloadTooLarge, UnknownCall
from receiver.tracking.taking import Received, Taken, Taker

log = logging.getLogger("hookyard.tracking")

_MAPPED = "::ffff:"
"""What stands before an IPv4 address where the socket is one of IPv6."""
_GOOD_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(GOOD_ANSWER)).encode())]


class Tracking:
    """The ASGI application below /v1/. It sends good answers only, and raises all else."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        keeper: Keeper,
        *,
        metrics: Metrics,
        load: Load,
        clock: Clock = SYSTEM,
    ) -> None:
        self._max_body = settings.max_body
        self._keeper = keeper
        self._taker = Taker(config, keeper)
        self._metrics = metrics
        self._load = load
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = name_of(scope["path"])
        call = CALLS.get(name)
        project = project_of(name) if call is None else None
        if call is None and project is None and name not in PIXELS and name != METRICS:
            raise UnknownCall("There is no call of the tracking API at this path.")
        if scope["method"] == "OPTIONS":
            await preflight(scope, send)
        elif call is not None:
            await self._post(call, scope, receive)
            await _answer(send, _GOOD_HEADERS, GOOD_ANSWER)
        elif project is not None:
            await _answer(send, *self._settings_of(project, scope))
        elif name in PIXELS:
            await self._pixel(PIXELS[name], scope)
            await _answer(send, pixel.HEADERS, pixel.GIF)
        else:
            await self._ignore(scope, receive)
            await _answer(send, _GOOD_HEADERS, GOOD_ANSWER)

    async def _post(self, call: Call, scope: Scope, receive: Receive) -> None:
        _require(scope, "POST")
        with self._load.request() as share:
            headers = dict(scope["headers"])
            body = await self._read(headers, receive, share, single=call.type is not None)
            received = Received(
                call=call,
                body=body,
                header_key=keys.in_header(headers),
                ip=_ipv4(scope),
                now_ms=self._clock.now_ms(),
            )
            try:
                taken = await self._take(received)
            except Refused as error:
                self._keeper.refuse(scope["path"], error, size=len(body))
                raise
            if taken.refused:
                self._keeper.report(scope["path"], taken.refused)
            if taken.kept:
                await self._keeper.keep(taken.kept)

    async def _read(
        self, headers: Mapping[bytes, bytes], receive: Receive, share: Share, *, single: bool
    ) -> bytes:
        limit = min(MAX_MESSAGE if single else MAX_BATCH, self._max_body)
        try:
            return await read_body(headers, receive, limit, share)
        except BodyTooLarge as error:
            raise PayloadTooLarge("a single message" if single else "a batch", limit) from error

    async def _take(self, received: Received) -> Taken:
        if len(received.body) <= LARGE:
            return self._taker.take(received)
        return await asyncio.to_thread(self._taker.take, received)

    async def _ignore(self, scope: Scope, receive: Receive) -> None:
        """Numbers that libraries send about themselves: nobody asked for them."""
        with self._load.request() as share:
            await self._read(dict(scope["headers"]), receive, share, single=False)

    async def _pixel(self, call: Call, scope: Scope) -> None:
        """Whatever is wrong, an image is all that the other side can show."""
        _require(scope, "GET", "HEAD")
        if scope["method"] == "HEAD":
            return
        try:
            with self._load.request() as share:
                body = pixel.body_of(scope["query_string"])
                share.take(len(body))
                if len(body) > MAX_MESSAGE:
                    raise PayloadTooLarge("a single message", MAX_MESSAGE)
                now_ms = self._clock.now_ms()
                received = Received(call=call, body=body, header_key=None, ip=_ipv4(scope), now_ms=now_ms)
                await self._keeper.keep(self._taker.take(received).kept)
        except (Refused, Unavailable) as error:
            self._metrics.count("hookyard_elements_refused_total", error.code)
            if isinstance(error, Refused):
                self._keeper.refuse(scope["path"], error, size=len(scope["query_string"]))
            log.warning("pixel not kept", extra={"code": error.code, "reason": error.message})

    def _settings_of(self, key: str, scope: Scope) -> tuple[Headers, bytes]:
        _require(scope, "GET", "HEAD")
        if not self._taker.knows(key):
            raise InvalidWriteKey
        body = settings_page.body_of(scope, key)
        return [*settings_page.HEADERS, (b"content-length", str(len(body)).encode())], body


def _require(scope: Scope, *methods: str) -> None:
    if scope["method"] not in methods:
        raise WrongMethod(f"This is called by {methods[0]}; {scope['method']} stores nothing.")


def _ipv4(scope: Scope) -> str | None:
    """The sender's address, if it is one that Segment records: those of IPv6 it does not collect."""
    return _recorded((scope.get("client") or ("",))[0])


@lru_cache(256)
def _recorded(host: str) -> str | None:
    host = host.removeprefix(_MAPPED)
    try:
        socket.inet_pton(socket.AF_INET, host)
    except (OSError, ValueError):
        return None
    return host


async def _answer(send: Send, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
