"""What handlers call to tell Segment something: `context.segment("crm").track(…)`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from receiver.core.segment import hops
from receiver.core.steps.segment import Call
from workers import calls, loop_guard
from workers.errors import SegmentLoop, raise_for
from workers.message import Message
from workers.sender import Sender


class SegmentConnection:
    """What `context.segment("crm")` gives: calls that raise RetryError or a permanent error when they fail.

    Each answers the messageId it sent, which is the same on every attempt unless the call itself changed.
    """

    def __init__(self, sender: Sender, message: Message, call_id: Callable[[bytes], str]) -> None:
        """`message`: the one that is worked, by which circles are known."""
        self._sender = sender
        self._message = message
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
        if circle := loop_guard.cut(self._message, self._sender.connection):
            raise SegmentLoop(circle.reason)
        encoded = calls.encode(call, hops.marked(fields, self._message.hops + 1))
        message_id = self._call_id(encoded) if message_id is None else message_id
        raise_for(await self._sender.send(calls.with_id(encoded, message_id)))
        return message_id
