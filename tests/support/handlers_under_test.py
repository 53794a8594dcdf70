"""Handlers that behave well, badly and worse; steps under test call them by name."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from workers.api import (
    Context,
    DropEvent,
    EventNotSupported,
    InvalidEventPayload,
    Message,
    RetryError,
    SegmentLoop,
    ValidationError,
)

RAISES: dict[str, Callable[[], BaseException]] = {
    "retry": lambda: RetryError("later", after=timedelta(seconds=5)),
    "drop": lambda: DropEvent("not mine"),
    "unsupported": lambda: EventNotSupported("no"),
    "invalid": lambda: ValidationError("no"),
    "payload": lambda: InvalidEventPayload("no"),
    "bug": lambda: KeyError("oops"),
    "exit": lambda: SystemExit(3),
    "interrupt": KeyboardInterrupt,
    "stop": StopIteration,
    "cancel": asyncio.CancelledError,
    "long": lambda: ValueError("x" * 100_000),
}

RELEASE = threading.Event()


def nothing(message: Message) -> None:
    """Takes no context, gives no output."""


async def raise_async(message: Message, context: Context) -> None:
    raise RAISES[str(message.get("raise"))]()


def raise_sync(message: Message, context: Context) -> None:
    raise RAISES[str(message.get("raise"))]()


async def give_async(message: Message, context: Context) -> Any:
    return message.get("give")


def give_sync(message: Message, context: Context) -> Any:
    return message.get("give")


def hand_on(message: Message, context: Context) -> Awaitable[Any]:
    """A plain function that answers an awaitable, as decorators often do."""
    return give_async(message, context)


async def odd_output(message: Message, context: Context) -> Any:
    return {"tuple": (1, 2), "object": object()} if message.get("odd") else {"tuple": (1, 2)}


async def change(message: Message, context: Context) -> None:
    message.properties["revenue"] = "changed"


async def hang_async(message: Message, context: Context) -> None:
    await asyncio.Event().wait()


def hang_sync(message: Message, context: Context) -> None:
    RELEASE.wait(10)


def deep(message: Message, context: Context) -> None:
    """Fails below many frames."""
    if context.attempt:
        deep(message, context)


async def post_async(message: Message, context: Context) -> Any:
    response = await context.http.post(str(message.get("url")), json={"id": message.id}, allow_private=True)
    return response.raise_for_status().json()


def post_sync(message: Message, context: Context) -> Any:
    call = context.http.post(str(message.get("url")), json={"id": message.id}, allow_private=True)
    return context.run(call).raise_for_status().json()


async def track_async(message: Message, context: Context) -> list[str]:
    crm = context.segment("crm")
    return [
        await crm.identify(user_id=message.user_id, traits={"plan": "pro"}),
        await crm.track("Seen", user_id=message.user_id),
        await crm.track("Seen", user_id=message.user_id),
    ]


async def track_or_say_so(message: Message, context: Context) -> str:
    try:
        return await context.segment("crm").track("Seen", user_id=message.user_id)
    except SegmentLoop as circle:
        return circle.code


async def call_api(message: Message, context: Context) -> Any:
    crm = context.segment("crm")
    sources = await crm.api("GET", "/sources", api="public", query={"count": 1})
    group = await crm.api("POST", "/v1/group/", json={"userId": message.user_id, "groupId": "g1"})
    return {"source": sources.json()["data"]["sources"][0]["slug"], **group.json()}


def track_sync(message: Message, context: Context) -> str:
    return context.run(context.segment("crm").track("Seen", user_id=message.user_id))


async def post_to_user(message: Message, context: Context) -> dict[str, str]:
    """The simplest handler that calls out: to the URL in the message's event."""
    headers = {"Idempotency-Key": context.idempotency_key}
    response = await context.http.post(str(message.event), headers=headers, allow_private=True)
    return {"said": response.raise_for_status().text}


def thread_sync(message: Message) -> int:
    return threading.get_ident()


async def thread_async(message: Message) -> int:
    return threading.get_ident()


async def look_up(message: Message, context: Context) -> Any:
    """Asks the Profile API as the message says."""
    ask = getattr(context.profile("crm"), str(message.get("get")))
    return await ask(message.get("id"), **message.get("options", {}))


def look_up_in_a_thread(message: Message, context: Context) -> Any:
    return context.run(look_up(message, context))
