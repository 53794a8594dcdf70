import asyncio
import logging
import threading
from concurrent.futures import CancelledError
from dataclasses import replace
from uuid import UUID

import pytest

from tests.support.outbound import a_context, a_message, with_tools
from workers.api import Context
from workers.toolbox import Toolbox


async def _contexts(tools: Toolbox) -> dict[str, Context]:
    message = a_message({"messageId": "m"})
    return {
        "first": a_context(tools, message),
        "second": a_context(tools, message, attempt=2),
        "replay": a_context(tools, message, replay=3),
        "other": a_context(tools, a_message({}, number=18)),
    }


def test_the_idempotency_key_belongs_to_a_step_of_a_delivery() -> None:
    contexts = with_tools(_contexts)
    key = contexts["first"].at("post").idempotency_key
    assert len(key) <= 100
    assert key == contexts["second"].at("post").idempotency_key
    others = {contexts["first"].at("put"), contexts["replay"].at("post"), contexts["other"].at("post")}
    assert len({key, *(context.idempotency_key for context in others)}) == 4


def test_an_anonymous_id_belongs_to_a_delivery() -> None:
    contexts = with_tools(_contexts)
    made = contexts["first"].at("post").anonymous_id
    assert UUID(made).version == 4
    assert made == contexts["second"].at("put").anonymous_id
    assert len({made, contexts["replay"].anonymous_id, contexts["other"].anonymous_id}) == 3


def test_the_store_is_part_of_the_key() -> None:
    async def key(tools: Toolbox) -> str:
        return a_context(tools, a_message({})).idempotency_key

    async def key_elsewhere(tools: Toolbox) -> str:
        return await key(replace(tools, store_id="2"))

    assert with_tools(key) != with_tools(key_elsewhere)


def test_log_records_carry_the_ids(caplog: pytest.LogCaptureFixture) -> None:
    context = with_tools(_contexts)["second"].at("greet")
    with caplog.at_level(logging.INFO):
        context.log.info("hello %s", "Ada", extra={"mine": 1})
    record = vars(caplog.records[0])
    assert record["msg"] == "hello %s"
    assert (record["message_id"], record["route"], record["step"]) == ("msg_17", "orders", "greet")
    assert (record["delivery"], record["attempt"], record["mine"]) == ("17:orders:0", 2, 1)


def test_an_unknown_connection_is_named() -> None:
    with pytest.raises(LookupError, match=r"no connection 'cmr' in routes.yaml \(there: crm\)"):
        with_tools(_contexts)["first"].segment("cmr")


def test_run_serves_threads() -> None:
    async def work(tools: Toolbox) -> str:
        context = a_context(tools, a_message({}))
        return await tools.threads.call(lambda: context.run(asyncio.sleep(0, "done")))

    assert with_tools(work) == "done"


def test_run_on_the_loop_would_wait_for_itself() -> None:
    async def work(tools: Toolbox) -> None:
        with pytest.raises(RuntimeError, match="use await"):
            a_context(tools, a_message({})).run(asyncio.sleep(0))

    with_tools(work)


def test_an_attempt_that_was_given_up_gets_no_further() -> None:
    async def work(tools: Toolbox) -> None:
        context = a_context(tools, a_message({}))
        waiting, ended = threading.Event(), threading.Event()
        seen: list[BaseException] = []

        async def forever() -> None:
            waiting.set()
            await asyncio.Event().wait()

        def handler() -> None:
            for call in (forever, lambda: asyncio.sleep(0)):
                try:
                    context.run(call())
                except (RuntimeError, CancelledError) as error:
                    seen.append(error)
            ended.set()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await tools.threads.call(handler)
        assert waiting.is_set()
        assert tools.threads.stuck == 1
        context.end()
        await asyncio.to_thread(ended.wait, 5)
        assert [type(error).__name__ for error in seen] == ["CancelledError", "RuntimeError"]

    with_tools(work)
