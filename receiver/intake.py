"""The way of a request to /hooks: limited body → source → verify → messages → match routes → commit → 200.

A newcomer reads this file first. Every step that says no raises an error of `receiver.core.errors`, which
`receiver.middleware` answers; 200 is sent only after the committer returned, which means: on disk.
"""

import asyncio

from starlette.types import Receive, Scope, Send

from receiver.age import young
from receiver.body import read_body
from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import Refused, UnknownSource, WrongMethod
from receiver.core.facts import content_digest
from receiver.core.message import NewMessage
from receiver.core.routes import Config, SourcePath
from receiver.core.settings import Settings
from receiver.forms import plain
from receiver.keeping import Keeper
from receiver.load import Load
from receiver.schemes.base import Unverified
from receiver.schemes.verification import verify
from receiver.settings_header import settings_text
from receiver.soundness import sound
from receiver.split import RefusedElement, split

PREFIX = "/hooks/"
METHODS = ("POST", "PUT", "PATCH")
GOOD_ANSWER = b'{"success":true}'
_GOOD_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(GOOD_ANSWER)).encode())]
LARGE = 256_000
"""Bytes of a body from which it is taken apart in a thread, so that the others need not wait for it."""


class Intake:
    """The ASGI application below /hooks/. It sends good answers only, and raises all else."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        keeper: Keeper,
        *,
        load: Load,
        clock: Clock = SYSTEM,
    ) -> None:
        self._settings = settings
        self._config = config
        self._keeper = keeper
        self._load = load
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._find(scope)
        with self._load.request() as share:
            headers = scope["headers"]
            limit = self._settings.max_body
            body = b""
            try:
                body = await read_body(dict(headers), receive, limit, share)
                request = Unverified(body=body, headers=headers, at_ms=self._clock.now_ms())
                if len(body) <= LARGE:
                    messages, refused = self._messages(path, request)
                else:
                    messages, refused = await asyncio.to_thread(self._messages, path, request)
            except Refused as error:
                self._keeper.refuse(path.source.name, error, size=len(body), body=body)
                raise
            if refused:
                self._keeper.report(path.source.name, refused)
            if messages:
                await self._keeper.keep(messages)
        await send({"type": "http.response.start", "status": 200, "headers": _GOOD_HEADERS})
        await send({"type": "http.response.body", "body": GOOD_ANSWER})

    def _find(self, scope: Scope) -> SourcePath:
        """The configured path, asked for with or without slashes at its ends."""
        name: str = scope["path"].removeprefix(PREFIX).strip("/")
        path = self._config.path(name)
        if path is None:
            raise UnknownSource("No source has this path: see `sources` in routes.yaml.")
        if scope["method"] not in METHODS:
            raise WrongMethod(
                f"Source {path.source.name!r} takes Segment messages here by POST, PUT or PATCH; "
                f"{scope['method']} stores nothing."
            )
        return path

    def _messages(
        self, path: SourcePath, request: Unverified
    ) -> tuple[list[NewMessage], list[RefusedElement]]:
        """Everything that needs no waiting; changes nothing, so that it may run in a thread."""
        verified = plain(request, verify(request, path.source.verify))
        elements = split(verified, self._settings.max_message)
        if path.source.max_age_s is not None:
            elements = young(elements, path.source.max_age_s, request.at_ms)
        if path.source.refuses_invalid:
            elements = sound(elements, path.source.name)
        settings = settings_text(request)
        kept = [
            self._keeper.message(
                path,
                element.body,
                element.fields,
                covered=element.covered,
                content=content_digest(element.fields),
                settings=settings,
            )
            for element in elements.kept
        ]
        return kept, elements.refused
