import asyncio
import threading
from typing import Any

import pytest

from receiver.core.steps.handler import HandlerSpec
from tests.support import handlers_under_test as handlers
from tests.support.outbound import a_context, a_message, a_step, run_step, with_tools
from workers import steps
from workers.outcome import Dead, Done, Drop, Outcome, Retry
from workers.steps.handler import MAX_TRACE
from workers.steps.output import MAX_OUTPUT
from workers.toolbox import Toolbox


def run(name: str, body: dict[str, Any] | None = None) -> Outcome:
    return run_step(HandlerSpec(target=f"{handlers.__name__}:{name}"), a_message(body or {}))


@pytest.mark.parametrize("name", ["raise_async", "raise_sync"])
@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        ("retry", Retry("handler_retry", "later", 5.0)),
        ("drop", Drop("not mine")),
        ("unsupported", Dead("event_not_supported", "no")),
        ("invalid", Dead("validation_error", "no")),
        ("payload", Dead("invalid_event_payload", "no")),
    ],
)
def test_what_a_handler_raises_says_how_it_goes_on(name: str, raised: str, outcome: Outcome) -> None:
    assert run(name, {"raise": raised}) == outcome


@pytest.mark.parametrize("name", ["raise_async", "raise_sync"])
@pytest.mark.parametrize(
    ("raised", "last_line"),
    [
        ("bug", "KeyError: 'oops'"),
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("stop", ""),  # a coroutine turns StopIteration into a RuntimeError
        ("cancel", "asyncio.exceptions.CancelledError"),
    ],
)
def test_nothing_else_it_raises_ends_the_drain(name: str, raised: str, last_line: str) -> None:
    outcome = run(name, {"raise": raised})
    assert isinstance(outcome, Retry)
    assert outcome.code == "handler_error"
    assert outcome.error.rstrip().endswith(last_line)
    assert "handlers_under_test.py" in outcome.error
    assert "steps/handler.py" not in outcome.error


def test_a_long_traceback_keeps_its_end() -> None:
    outcome = run("deep")
    assert isinstance(outcome, Retry)
    assert "RecursionError" in outcome.error
    long = run("raise_sync", {"raise": "long"})
    assert isinstance(long, Retry)
    assert len(long.error) == MAX_TRACE + 1


@pytest.mark.parametrize("name", ["give_async", "give_sync", "hand_on"])
@pytest.mark.parametrize("value", [None, 0, "x", [1, {"a": "\ud83d"}], {"id": 10**30}])
def test_the_output_is_what_was_returned(name: str, value: Any) -> None:
    assert run(name, {"give": value}) == Done(value)


def test_the_output_looks_as_it_will_after_it_was_stored() -> None:
    assert run("odd_output") == Done({"tuple": [1, 2]})


def test_an_output_json_cannot_say_is_dead() -> None:
    outcome = run("odd_output", {"odd": True})
    assert isinstance(outcome, Dead)
    assert outcome.code == "output_not_json"


@pytest.mark.parametrize(("size", "code"), [(MAX_OUTPUT - 2, None), (MAX_OUTPUT - 1, "output_too_large")])
def test_the_output_is_bounded(size: int, code: str | None) -> None:
    outcome = run("give_async", {"give": "x" * size})
    assert getattr(outcome, "code", None) == code


def test_a_handler_may_leave_out_the_context() -> None:
    assert run("nothing") == Done(None)


def test_what_a_handler_changes_stays_with_it() -> None:
    message = a_message({"properties": {"revenue": 1}})
    assert message.get("properties.revenue") == 1
    assert run_step(HandlerSpec(target=f"{handlers.__name__}:change"), message) == Done(None)
    assert message.get("properties.revenue") == 1


def test_a_handler_that_is_not_there_makes_its_deliveries_wait() -> None:
    outcome = run("nothin")
    assert isinstance(outcome, Retry)
    assert outcome.code == "handler_not_found"
    assert "did you mean nothing?" in outcome.error


def test_a_sync_handler_past_its_timeout_keeps_its_thread() -> None:
    async def work(tools: Toolbox) -> None:
        step = steps.build(a_step(HandlerSpec(target=f"{handlers.__name__}:hang_sync")), tools)
        message = a_message({})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await step.run(message, a_context(tools, message))
        assert tools.threads.stuck == 1
        handlers.RELEASE.set()
        while tools.threads.stuck:
            await asyncio.sleep(0.001)

    handlers.RELEASE.clear()
    with_tools(work)


def test_a_sync_handler_runs_in_a_thread_and_an_async_one_does_not() -> None:
    async def work(tools: Toolbox) -> list[Outcome]:
        message = a_message({})
        names = ("thread_sync", "thread_async")
        specs = [HandlerSpec(target=f"{handlers.__name__}:{name}") for name in names]
        built = [steps.build(a_step(spec), tools) for spec in specs]
        return [await step.run(message, a_context(tools, message)) for step in built]

    in_thread, on_loop = with_tools(work)
    assert on_loop == Done(threading.get_ident())
    assert isinstance(in_thread, Done)
    assert in_thread != on_loop
