"""What happens to messages once a request is cut into them: match, commit, count, say what was refused."""

import logging
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import Protocol

from receiver.core.clock import SYSTEM, Clock
from receiver.core.errors import InvalidMessage, Refused, SignatureError
from receiver.core.facts import Fields, facts
from receiver.core.filters import Matcher
from receiver.core.message import Accepted, NewMessage
from receiver.core.metrics import Metrics
from receiver.core.ordering import Ordering
from receiver.core.routes import Config, SourcePath
from receiver.purging import orders_purge
from receiver.rates import Rates
from receiver.refusals import Refusals
from receiver.split import RefusedElement

log = logging.getLogger("hookyard.intake")

_SHOWN = 10
"""Most refused elements whose place is logged for one request."""


class Commits(Protocol):
    """What is needed of `receiver.committer.Committer`."""

    def commit(self, messages: list[NewMessage]) -> Awaitable[list[Accepted]]:
        """Done when all of them are on disk. Raises Unavailable."""
        ...


class Keeper:
    """Keeps messages under one config."""

    def __init__(
        self,
        config: Config,
        committer: Commits,
        refusals: Refusals,
        *,
        metrics: Metrics,
        clock: Clock = SYSTEM,
    ) -> None:
        self._matcher = Matcher(config)
        self._ordering = Ordering(config)
        self._committer = committer
        self._refusals = refusals
        self._rates = Rates(config, clock)
        self._metrics = metrics
        self._clock = clock

    def message(
        self,
        way: SourcePath,
        body: bytes,
        fields: Fields,
        *,
        covered: bool,
        content: bytes,
        settings: str = "",
    ) -> NewMessage:
        """The message with the routes it matches. Changes nothing, so that it may run in a thread."""
        seen = facts(fields, with_channel=self._matcher.needs_channel(way))
        routes = self._matcher.match(way, seen, fields)
        return NewMessage(
            body=body,
            source=way.source.name,
            path=way.path,
            covered=covered,
            message_id=seen.message_id,
            content=content,
            users=seen.users,
            routes=routes,
            order=self._ordering.keys(fields, routes),
            problems=seen.problems,
            settings=settings,
            orders_purge=orders_purge(way, seen.type, fields, covered=covered),
        )

    async def keep(self, messages: list[NewMessage]) -> None:
        """Returns when all of them are on disk. Raises Unavailable."""
        counts: dict[str, int] = {}
        for message in messages:
            counts[message.source] = counts.get(message.source, 0) + 1
        self._rates.admit(counts)
        started = self._clock.monotonic()
        accepted = await self._committer.commit(messages)
        self._metrics.observe("hookyard_commit_seconds", self._clock.monotonic() - started)
        for message, answer in zip(messages, accepted, strict=True):
            if answer.repeat:
                counts[message.source] -= 1
                self._metrics.count("hookyard_messages_repeated_total", message.source)
            if message.problems:
                self._metrics.count("hookyard_messages_invalid_total", message.source, message.problems[0])
        for source, count in counts.items():
            self._metrics.count("hookyard_messages_accepted_total", source, by=count)

    def refuse(self, where: str, error: Refused, *, size: int, body: bytes = b"") -> None:
        """Note that nothing of a request was kept. `body` is left out where nobody knows whose it is."""
        if isinstance(error, InvalidMessage):
            where, size, body = error.source, len(error.body), error.body
        sample = b"" if isinstance(error, SignatureError) else body
        self._refusals.note(where, error.code, size=size, sample=sample)

    def report(self, where: str, refused: Sequence[RefusedElement]) -> None:
        """The sender is answered 200 for the rest, so this is all anybody hears of them."""
        reasons = Counter(element.reason for element in refused)
        for reason, count in reasons.items():
            self._metrics.count("hookyard_elements_refused_total", reason, by=count)
        kinds = Counter((element.source or where, element.reason) for element in refused)
        last = {(element.source or where, element.reason): element.body for element in refused}
        for (source, reason), count in kinds.items():
            body = last[source, reason]
            self._refusals.note(source, reason, size=len(body), sample=body, count=count)
        log.warning(
            "elements of a batch refused",
            extra={
                "source": where,
                "reasons": dict(reasons),
                "places": [element.index for element in refused[:_SHOWN]],
            },
        )
