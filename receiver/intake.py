"""The way of a request to /hooks: limited body → source → verify → messages → match routes → commit → 200.

A newcomer reads this file first. Every step that says no raises an error of `receiver.core.errors`, which
`receiver.middleware` answers; 200 is sent only after the committer returned, which means: on disk.
"""

import asyncio
import logging
from collections import Counter
from typing import Protocol

from starlette.types import Receive, Scope, Send

from receiver.body import READ_TIMEOUT_S, read_body
from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import UnknownSource, WrongMethod
from receiver.core.facts import content_digest, facts, message_id, users
from receiver.core.filters import Matcher
from receiver.core.message import Accepted, NewMessage
from receiver.core.metrics import Metrics
from receiver.core.routes import Config, SourcePath
from receiver.core.settings import Settings
from receiver.deadline import Deadline
from receiver.load import Load
from receiver.schemes.base import Unverified
from receiver.schemes.verification import verify
from receiver.split import Element, RefusedElement, split

log = logging.getLogger("hookyard.intake")

PREFIX = "/hooks/"
METHODS = ("POST", "PUT", "PATCH")
GOOD_ANSWER = b'{"success":true}'
_GOOD_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(GOOD_ANSWER)).encode())]
LARGE = 256_000
"""Bytes of a body from which it is taken apart in a thread, so that the others need not wait for it."""
_SHOWN = 10
"""Most refused elements whose place is logged for one request."""


class Commits(Protocol):
    """What intake needs of `receiver.committer.Committer`."""

    async def commit(self, messages: list[NewMessage]) -> list[Accepted]:
        """Returns when all of them are on disk. Raises Unavailable."""
        ...


class Intake:
    """The ASGI application below /hooks/. It sends good answers only, and raises all else."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        committer: Commits,
        *,
        metrics: Metrics,
        load: Load,
        clock: Clock = SYSTEM,
    ) -> None:
        self._settings = settings
        self._config = config
        self._matcher = Matcher(config)
        self._committer = committer
        self._metrics = metrics
        self._load = load
        self._deadline = Deadline(READ_TIMEOUT_S)
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = self._find(scope)
        with self._load.request() as share:
            headers = scope["headers"]
            limit = self._settings.max_body
            body = await read_body(dict(headers), receive, limit, share, self._deadline)
            request = Unverified(body=body, headers=headers, at_ms=self._clock.now_ms())
            if len(body) <= LARGE:
                messages, refused = self._messages(path, request)
            else:
                messages, refused = await asyncio.to_thread(self._messages, path, request)
            if refused:
                self._report(path, refused)
            if messages:
                await self._commit(path, messages)
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
        verified = verify(request, path.source.verify)
        elements = split(verified, self._settings.max_message)
        return [self._message(path, element) for element in elements.kept], elements.refused

    def _message(self, path: SourcePath, element: Element) -> NewMessage:
        fields = element.fields
        routes: tuple[str, ...] = ()
        if path.source.enabled:
            routes = self._matcher.match(path, facts(fields, with_channel=self._matcher.needs_channel(path)))
        return NewMessage(
            body=element.body,
            source=path.source.name,
            path=path.path,
            covered=element.covered,
            message_id=message_id(fields),
            content=content_digest(fields),
            users=users(fields),
            routes=routes,
        )

    async def _commit(self, path: SourcePath, messages: list[NewMessage]) -> None:
        started = self._clock.monotonic()
        accepted = await self._committer.commit(messages)
        self._metrics.observe("hookyard_commit_seconds", self._clock.monotonic() - started)
        repeats = sum(answer.repeat for answer in accepted)
        self._metrics.count("hookyard_messages_accepted_total", path.source.name, by=len(accepted) - repeats)
        if repeats:
            self._metrics.count("hookyard_messages_repeated_total", path.source.name, by=repeats)

    def _report(self, path: SourcePath, refused: list[RefusedElement]) -> None:
        """The sender is answered 200 for the rest, so this is all anybody hears of them."""
        reasons = Counter(element.reason for element in refused)
        for reason, count in reasons.items():
            self._metrics.count("hookyard_elements_refused_total", reason, by=count)
        log.warning(
            "elements of a batch refused",
            extra={
                "source": path.source.name,
                "reasons": dict(reasons),
                "places": [element.index for element in refused[:_SHOWN]],
            },
        )
