"""Any request to one of a connection's APIs, on behalf of a delivery: for the step and for handlers."""

from collections.abc import Mapping
from typing import Any

from receiver.core import exact_json
from receiver.core.connections import Api
from receiver.core.segment import hops, request
from receiver.core.segment.request import InvalidRequest
from workers import loop_guard
from workers.message import Message
from workers.outcome import Dead, Drop, Retry
from workers.response import Response
from workers.sender import Sender


async def call(
    sender: Sender,
    message: Message,
    *,
    api: Api,
    method: str,
    path: str,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    body: bytes | None = None,
) -> Response | Retry | Dead | Drop:
    """Send one request; anything but a 2xx is answered as what it means for the delivery of `message`.

    What makes messages by the tracking API is guarded against circles. `json` gets the mark of what Hookyard
    sends; a `body` goes as it is.
    """
    is_sending = api == "tracking" and method != "GET"
    if is_sending and (circle := loop_guard.cut(message, sender.connection)):
        return circle
    try:
        if json is not None:
            json = hops.marked_body(path, json, message.hops + 1) if is_sending else json
            body = exact_json.dumps(json)
        made = request.api_call(
            sender.connection, api, method=method, path=path, query=query, headers=headers, body=body
        )
    except InvalidRequest as error:
        return Dead(error.code, str(error))
    except exact_json.NotJson as error:
        return Dead(InvalidRequest.code, f"json: {error}")
    return await sender.exchange(api, made)
