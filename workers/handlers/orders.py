"""Handlers for order events: what succeeds, what is refused, and what is tried again."""

from typing import Any

from workers.api import Context, EventNotSupported, InvalidEventPayload, Message, RetryError


async def thank(message: Message, context: Context) -> dict[str, Any]:
    """Say thanks for a completed order. Async: it runs on the loop, so it must not block."""
    if message.event != "Order Completed":
        raise EventNotSupported(f"expected Order Completed, got {message.event}")
    order = message.get("properties.order_id")
    if order is None:
        raise InvalidEventPayload("properties.order_id is missing")
    context.log.info("thanks for order %s", order)
    return {"order": order, "total": message.get("properties.total", 0), "thanked": message.user_id}


async def flaky(message: Message, context: Context) -> dict[str, int]:
    """Fail the first time, work the second: shows how a delivery waits and comes back."""
    if context.attempt == 1:
        raise RetryError("not the first time", after=1)
    return {"attempts": context.attempt}
