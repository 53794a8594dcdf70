"""What handlers call Segment by: `context.segment("crm")`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from receiver.core.connections import Api
from receiver.core.segment import hops
from receiver.core.segment.batches import encode_batch
from receiver.core.segment.calls import Encoded, InvalidCall, encode
from receiver.core.segment.fields import Call
from workers import loop_guard, segment_api
from workers.errors import InvalidSegmentCall, SegmentLoop, error_for, raise_for
from workers.message import Message
from workers.outcome import Drop
from workers.response import Response
from workers.segment_batch import send_all
from workers.sender import Sender

Object = Mapping[str, Any]
Id = str | int


class Common(TypedDict, total=False):
    """What every call takes, beside its own."""

    user_id: Id | None
    anonymous_id: Id | None
    timestamp: datetime | str | None
    """For the past only."""
    context: Object | None
    integrations: Object | None
    message_id: str | None
    """Left out: one that is the same on every attempt, unless the call itself changed."""


_SPELLED = {
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "timestamp": "timestamp",
    "context": "context",
    "integrations": "integrations",
    "message_id": "messageId",
}


class SegmentConnection:
    """Each call answers the messageId it was sent with.

    They raise InvalidSegmentCall, a permanent error, or SegmentLoop before anything is sent; RetryError or a
    permanent error when sending fails.
    """

    def __init__(self, sender: Sender, message: Message, call_id: Callable[[bytes], str]) -> None:
        """`message`: the one that is worked, by which circles are known."""
        self._sender = sender
        self._message = message
        self._call_id = call_id

    async def identify(self, *, traits: Object | None = None, **common: Unpack[Common]) -> str:
        """Say who a user is."""
        return await self._send("identify", common, traits=traits)

    async def track(self, event: str, *, properties: Object | None = None, **common: Unpack[Common]) -> str:
        """Say what a user did."""
        return await self._send("track", common, event=event, properties=properties)

    async def page(
        self,
        name: str | None = None,
        *,
        category: str | None = None,
        properties: Object | None = None,
        **common: Unpack[Common],
    ) -> str:
        """Say which page of a website a user saw."""
        return await self._send("page", common, name=name, category=category, properties=properties)

    async def screen(
        self,
        name: str | None = None,
        *,
        category: str | None = None,
        properties: Object | None = None,
        **common: Unpack[Common],
    ) -> str:
        """Say which screen of an app a user saw."""
        return await self._send("screen", common, name=name, category=category, properties=properties)

    async def group(self, group_id: Id, *, traits: Object | None = None, **common: Unpack[Common]) -> str:
        """Say which company, organisation or team a user belongs to."""
        return await self._send("group", common, groupId=group_id, traits=traits)

    async def alias(self, previous_id: Id, **common: Unpack[Common]) -> str:
        """Say that a user has another id than before: `user_id`."""
        return await self._send("alias", common, previousId=previous_id)

    async def batch(
        self, calls: Sequence[Object], *, context: Object | None = None, integrations: Object | None = None
    ) -> list[str]:
        """Several calls at once: mappings with Segment's own names of fields, and `type`. `context` and
        `integrations` are for all of them. Answers their messageIds."""
        next_hop = self._next_hop()
        try:
            batch = [hops.marked_item(one, next_hop) for one in calls]
            encoded = encode_batch({"batch": batch, "context": context, "integrations": integrations})
            ids = [self._id(one) for one in encoded]
            outcome = await send_all(self._sender, encoded, ids)
        except InvalidCall as error:
            raise InvalidSegmentCall(str(error)) from None
        raise_for(outcome)
        return ids

    async def api(
        self,
        method: str,
        path: str,
        *,
        api: Api = "tracking",
        query: Object | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
    ) -> Response:
        """Any request to one of the connection's APIs, such as `("GET", "/sources", api="public")`.

        `json` is sent as JSON, else `body` as it is. Raises for anything but a 2xx, as the calls do.
        """
        answer = await segment_api.call(
            self._sender,
            self._message,
            api=api,
            method=method,
            path=path,
            query=query,
            headers=headers,
            json=json,
            body=body,
        )
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, Drop):
            raise SegmentLoop(answer.reason)
        raise error_for(answer)

    async def _send(self, call: Call, common: Common, **own: Any) -> str:
        unknown = common.keys() - _SPELLED.keys()
        if unknown:
            raise TypeError(f"{call}() has no argument {', '.join(sorted(unknown))}")
        fields = own | {_SPELLED[name]: value for name, value in common.items()}
        next_hop = self._next_hop()
        try:
            encoded = encode(call, hops.marked(fields, next_hop))
            message_id = self._id(encoded)
            item = encoded.item(message_id)
        except InvalidCall as error:
            raise InvalidSegmentCall(str(error)) from None
        raise_for(await self._sender.send(item))
        return message_id

    def _next_hop(self) -> int:
        if circle := loop_guard.cut(self._message, self._sender.connection):
            raise SegmentLoop(circle.reason)
        return self._message.hops + 1

    def _id(self, encoded: Encoded) -> str:
        return self._call_id(encoded.content) if encoded.message_id is None else encoded.message_id
