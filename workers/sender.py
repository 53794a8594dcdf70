"""The way out to Segment: one sender per connection and drain, within Segment's limits and the connection's.

What is sent at about the same time, by steps and by handlers of any route, shares requests to `/v1/batch`;
each delivery gets its own outcome. Any other request to the connection's APIs goes alone.
"""

from collections.abc import Mapping

from receiver.core import backoff, clock
from receiver.core.connections import ADDRESSES, Api, Connection
from receiver.core.segment import request
from receiver.core.segment.answers import error_of
from receiver.core.segment.request import InvalidRequest, Request
from receiver.core.shared_rate import SharedRate
from workers.coalescer import Answer, Coalescer
from workers.errors import PermanentError, RetryError, outcome_of
from workers.http import Outbound
from workers.outcome import Dead, Done, Outcome, Retry
from workers.pace import Pace, of_public, of_sending, of_space
from workers.response import Response, failure

TIMEOUT_S = 30.0
SEGMENTS_OWN = frozenset(addresses["tracking"] for addresses in ADDRESSES.values())
"""Far away, and known to take compressed batches; of an address of the operator's own neither is sure."""
NEVER = (501, 505)
"""The 5xx that Segment's own clients do not repeat."""
POINTS_IN_TIME = 1_000_000_000
"""From here on a number of seconds is no wait: that would be 31 years."""


class Sender:
    """Sends by one connection. Lives in one event loop."""

    def __init__(self, connection: Connection, http: Outbound, rate: SharedRate) -> None:
        limit = connection.rate_limit
        self.connection = connection
        self._http = http
        self._compresses = connection.tracking_url in SEGMENTS_OWN
        self._paces: Mapping[Api, Pace] = {
            "tracking": of_sending(connection, rate),
            "profile": of_space(connection, rate),
            "public": of_public(connection, rate),
        }
        self._coalescer = Coalescer(
            self._post,
            max_items=request.MAX_ITEMS if limit is None else max(1, min(request.MAX_ITEMS, int(limit))),
            max_bytes=request.MAX_BATCH - request.ENVELOPE,
        )

    async def send(self, item: bytes) -> Outcome:
        """Send one call, as `receiver.core.segment.calls` makes it. Done has no output."""
        return await self._coalescer.send(item)

    async def exchange(self, api: Api, wanted: Request) -> Response | Retry | Dead:
        """Send one request of its own; anything but a 2xx is answered as what it means for a delivery."""
        pace = self._paces[api]
        if problem := await pace.turn(1):
            return problem
        try:
            response = await self._http.send(wanted)
        except (RetryError, PermanentError) as error:
            return outcome_of(error)
        outcome = judged(response).outcome
        pace.heed(outcome)
        return outcome if isinstance(outcome, Retry | Dead) else response

    def seconds(self, count: int) -> float:
        """How long so many calls take at least, by the connection's rate."""
        limit = self.connection.rate_limit
        return 0.0 if limit is None else count / limit

    async def close(self) -> None:
        """Calls that wait are answered Retry; those on their way may arrive."""
        await self._coalescer.close()

    async def _post(self, items: list[bytes]) -> Answer:
        pace = self._paces["tracking"]
        if problem := await pace.turn(len(items)):
            return Answer(problem)
        try:
            made = request.batch(self.connection, items, sent_at_ms=clock.SYSTEM.now_ms())
            made = made.compressed() if self._compresses else made
            response = await self._http.send(made, timeout=TIMEOUT_S)
        except InvalidRequest as error:
            return Answer(Dead(error.code, str(error)))
        except (RetryError, PermanentError) as error:
            return Answer(outcome_of(error))
        answer = judged(response)
        pace.heed(answer.outcome)
        return answer


def judged(response: Response) -> Answer:
    """What Segment's answer means for what was sent: 408, 429 and 5xx but 501 and 505 are worth repeating."""
    problem = failure(response)
    if problem is None:
        return Answer(Done())
    _, said = error_of(response.body)
    error = f"{problem.error}: {said}" if said else problem.error
    if isinstance(problem, Retry) and response.status not in NEVER:
        return Answer(Retry(problem.code, error, problem.after_s or _reset_s(response)))
    gone = isinstance(problem, Dead) and problem.pause_route
    blame = response.status in (400, 413) and "write key" not in said
    return Answer(Dead(problem.code, error, gone), blame)


def _reset_s(response: Response) -> float | None:
    """Seconds until Segment's rate limit lets something through again. Gateways before others that speak its
    API say instead when that is, in seconds since 1970."""
    now_ms = clock.SYSTEM.now_ms()
    seconds = backoff.parse_retry_after(response.headers.get("X-RateLimit-Reset"), now_ms)
    return seconds if seconds is None or seconds < POINTS_IN_TIME else max(0.0, seconds - now_ms / 1000)
