"""The shipped handlers, called as a user would test one."""

import asyncio
from typing import Any

import pytest

from tests.support.outbound import a_context, a_message, with_tools
from workers.api import Context, EventNotSupported, InvalidEventPayload, Message, RetryError
from workers.handlers import hello, orders
from workers.toolbox import Toolbox


def contexts(message: Message, attempt: int = 1) -> Context:
    async def work(tools: Toolbox) -> Context:
        return a_context(tools, message, attempt=attempt)

    return with_tools(work)


@pytest.mark.parametrize(
    ("body", "greeting"),
    [
        ({"traits": {"name": "Ada"}, "userId": "u1"}, "Hello, Ada!"),
        ({"userId": "u1"}, "Hello, u1!"),
        ({}, "Hello, stranger!"),
    ],
)
def test_greet(body: dict[str, Any], greeting: str, caplog: pytest.LogCaptureFixture) -> None:
    message = a_message(body)
    with caplog.at_level("INFO"):
        assert hello.greet(message, contexts(message)) == {"greeting": greeting}
    assert greeting.removeprefix("Hello, ")[:-1] in caplog.text


def test_thank() -> None:
    message = a_message(
        {"event": "Order Completed", "userId": "u1", "properties": {"order_id": "o1", "total": 9.5}}
    )
    thanks = asyncio.run(orders.thank(message, contexts(message)))
    assert thanks == {"order": "o1", "total": 9.5, "thanked": "u1"}


def test_thank_takes_completed_orders_only() -> None:
    message = a_message({"event": "Order Refunded"})
    with pytest.raises(EventNotSupported, match="Order Refunded"):
        asyncio.run(orders.thank(message, contexts(message)))


def test_thank_needs_an_order() -> None:
    message = a_message({"event": "Order Completed", "properties": {}})
    with pytest.raises(InvalidEventPayload, match=r"properties\.order_id"):
        asyncio.run(orders.thank(message, contexts(message)))


def test_flaky_fails_the_first_time_only() -> None:
    message = a_message({})
    with pytest.raises(RetryError) as caught:
        asyncio.run(orders.flaky(message, contexts(message)))
    assert caught.value.after_s == 1
    assert asyncio.run(orders.flaky(message, contexts(message, attempt=2))) == {"attempts": 2}
