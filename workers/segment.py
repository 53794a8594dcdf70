"""The way out to Segment: one sender per connection and drain, through `/v1/batch`, within Segment's limits.

What is sent at about the same time, by steps and by handlers of any route, shares requests; each delivery
gets its own outcome.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from receiver.core import backoff, clock
from receiver.core.settings import Secret
from receiver.core.steps.segment import Call
from workers import calls
from workers.coalescer import Answer, Coalescer
from workers.errors import PermanentError, RetryError, outcome_of, raise_for
from workers.http import Outbound
from workers.outcome import Dead, Done, Outcome, Retry
from workers.response import Response, failure

MAX_ITEMS = 2_500
"""Above that, Segment answers 200 and drops the batch."""
MAX_BATCH = 500_000
ENVELOPE = 64
"""Bytes around the items."""
TIMEOUT_S = 30.0
NEVER = (501, 505)
"""The 5xx that Segment's own clients do not repeat."""


class Sender:
    """Sends calls of one connection. Lives in one event loop."""

    def __init__(self, url: str, write_key: Secret, http: Outbound) -> None:
        key = write_key.reveal()
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
            "Content-Type": "application/json",
        }
        self._url = url + "/v1/batch"
        self._http = http
        self._coalescer = Coalescer(self._post, max_items=MAX_ITEMS, max_bytes=MAX_BATCH - ENVELOPE)

    async def send(self, item: bytes) -> Outcome:
        """Send one call, made by `calls.encode` and `calls.with_id`. Done has no output."""
        return await self._coalescer.send(item)

    async def close(self) -> None:
        """Calls that wait are answered Retry; those on their way may arrive."""
        await self._coalescer.close()

    async def _post(self, items: list[bytes]) -> Answer:
        sent_at = clock.iso(clock.SYSTEM.now_ms()).encode()
        body = b'{"sentAt":"' + sent_at + b'","batch":[' + b",".join(items) + b"]}"
        try:
            response = await self._http.request(
                "POST", self._url, headers=self._headers, body=body, timeout=TIMEOUT_S, allow_private=True
            )
        except (RetryError, PermanentError) as error:
            return Answer(outcome_of(error))
        return judged(response)


class SegmentConnection:
    """What `context.segment("crm")` gives: calls that raise RetryError or a permanent error when they fail.

    Each answers the messageId it sent, which is the same on every attempt unless the call itself changed.
    """

    def __init__(self, sender: Sender, call_id: Callable[[bytes], str]) -> None:
        self._sender = sender
        self._call_id = call_id

    async def identify(
        self,
        *,
        user_id: str | int | None = None,
        anonymous_id: str | None = None,
        traits: Mapping[str, Any] | None = None,
        timestamp: datetime | str | None = None,
        context: Mapping[str, Any] | None = None,
        integrations: Mapping[str, Any] | None = None,
        message_id: str | None = None,
    ) -> str:
        """Tell Segment who a user is. `timestamp` is for past events only."""
        fields = {"userId": user_id, "anonymousId": anonymous_id, "traits": traits}
        more = {"timestamp": timestamp, "context": context, "integrations": integrations}
        return await self._send("identify", {**fields, **more}, message_id)

    async def track(
        self,
        event: str,
        *,
        user_id: str | int | None = None,
        anonymous_id: str | None = None,
        properties: Mapping[str, Any] | None = None,
        timestamp: datetime | str | None = None,
        context: Mapping[str, Any] | None = None,
        integrations: Mapping[str, Any] | None = None,
        message_id: str | None = None,
    ) -> str:
        """Tell Segment what a user did. `timestamp` is for past events only."""
        fields = {"event": event, "userId": user_id, "anonymousId": anonymous_id, "properties": properties}
        more = {"timestamp": timestamp, "context": context, "integrations": integrations}
        return await self._send("track", {**fields, **more}, message_id)

    async def _send(self, call: Call, fields: Mapping[str, Any], message_id: str | None) -> str:
        encoded = calls.encode(call, fields)
        message_id = self._call_id(encoded) if message_id is None else message_id
        raise_for(await self._sender.send(calls.with_id(encoded, message_id)))
        return message_id


def judged(response: Response) -> Answer:
    """What Segment's answer means for the batch it answers."""
    problem = failure(response)
    if problem is None:
        return Answer(Done())
    said = _message(response)
    error = f"{problem.error}: {said}" if said else problem.error
    if isinstance(problem, Retry) and response.status not in NEVER:
        return Answer(Retry(problem.code, error, problem.after_s or _reset_s(response)))
    gone = isinstance(problem, Dead) and problem.pause_route
    blame = response.status in (400, 413) and "write key" not in said
    return Answer(Dead(problem.code, error, gone), blame)


def _reset_s(response: Response) -> float | None:
    """Seconds until Segment's rate limit lets something through again."""
    return backoff.parse_retry_after(response.headers.get("X-RateLimit-Reset"), clock.SYSTEM.now_ms())


def _message(response: Response) -> str:
    """The sentence Segment puts into its errors."""
    try:
        said = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return said[:200] if isinstance(said, str) else ""
