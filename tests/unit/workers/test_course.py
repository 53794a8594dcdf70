"""Steps one after the other: which run, which are skipped, what follows when one fails for good."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from receiver.core import compress, records
from receiver.core.clock import SYSTEM
from receiver.core.fql import compile_fql
from receiver.core.message import Status
from receiver.core.records import Record
from receiver.core.routes import Route
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.http import HttpSpec
from receiver.core.store import Result, Work
from tests.support.outbound import a_context, a_message, with_tools
from workers import course, delivery
from workers.api import Context, Message
from workers.course import Counting, End, Line
from workers.outcome import Dead, Done, Drop, Outcome, Retry
from workers.toolbox import Toolbox

FRESH = Record(status=Status.QUEUED, attempts=0)
ROUTE_RETRY = (5.0, 60.0)


class Scripted:
    """A step that answers what it is told."""

    def __init__(self, name: str, outcome: Outcome) -> None:
        self.name, self.timeout_s = name, 5.0
        self._outcome = outcome
        self.saw: dict[str, Any] | None = None

    async def run(self, message: Message, context: Context) -> Outcome:
        self.saw = dict(context.steps)
        return self._outcome


def a_line(outcomes: Mapping[str, Outcome], **about: Mapping[str, Any]) -> tuple[Line, dict[str, Scripted]]:
    """One step an outcome; `about` holds what routes.yaml says beside a step."""
    made = {name: Scripted(name, outcome) for name, outcome in outcomes.items()}
    spec = HttpSpec(method="GET", url="https://h")
    configs = tuple(StepConfig(name=name, spec=spec, **about.get(name, {})) for name in outcomes)
    route = Route(name="r", steps=configs, retry=ROUTE_RETRY)
    return Line.of(route, lambda config: made[config.name]), made


def run(
    line: Line,
    *,
    body: Mapping[str, Any] | bytes = b"{}",
    before: Record = FRESH,
    outputs: dict[str, Any] | None = None,
) -> End:
    async def work(tools: Toolbox) -> End:
        message = a_message(body)
        context = a_context(tools, message, outputs=outputs)
        return await course.run(line, message, context, Counting(before, line), tools.limits)

    return with_tools(work)


def failed_at(step: str, attempts: int, base: int = 0) -> Record:
    return Record(status=Status.WAITING, attempts=attempts, base=base, step=step)


def test_a_step_whose_when_is_not_true_is_skipped_with_null_as_its_output() -> None:
    when = compile_fql("properties.total > 10")
    line, made = a_line({"a": Done(1), "b": Done(2)}, a={"when": when})
    end = run(line, body={"properties": {"total": 3}})
    assert (end.outcome, end.step, dict(end.did)) == (Done(), "", {"a": "skipped", "b": "ok"})
    assert made["a"].saw is None
    assert made["b"].saw == {"a": None}
    assert not end.is_plain
    assert dict(run(line, body={"properties": {"total": 30}}).did) == {"a": "ok", "b": "ok"}


def test_when_reads_the_outputs_of_earlier_steps() -> None:
    line, made = a_line(
        {"who": Done({"plan": "free"}), "a": Done()}, a={"when": compile_fql("steps.who.plan = 'pro'")}
    )
    assert dict(run(line, body={"steps": {"who": {"plan": "pro"}}}).did) == {"who": "ok", "a": "skipped"}
    assert made["a"].saw is None


def test_when_of_a_body_that_is_no_object_makes_a_dead_letter() -> None:
    line, _ = a_line({"a": Done()}, a={"when": compile_fql("type = 'track'")})
    end = run(line, body=b"[]")
    assert isinstance(end.outcome, Dead)
    assert (end.outcome.code, end.step) == ("unreadable_message", "a")


def test_what_was_done_or_skipped_is_not_looked_at_again() -> None:
    line, made = a_line({"a": Done(1), "b": Done(2)}, a={"when": compile_fql("true")})
    end = run(line, outputs={"a": None}, before=failed_at("b", 1))
    assert (made["a"].saw, dict(end.did)) == (None, {"b": "ok"})


@pytest.mark.parametrize("outcome", [Dead("http_404", "gone"), Retry("http_503", "busy")])
def test_continue_goes_on_after_an_error_that_is_final(outcome: Dead | Retry) -> None:
    line, made = a_line({"a": outcome, "b": Done(2)}, a={"goes_on": True, "retry": ()})
    end = run(line)
    assert (end.outcome, end.step) == (Done(), "")
    assert made["b"].saw == {"a": {"error": {"code": outcome.code, "message": outcome.error}}}
    assert dict(end.did) == {"a": f"{outcome.code}: {outcome.error}", "b": "ok"}


def test_continue_waits_until_the_attempts_are_spent() -> None:
    line, made = a_line({"a": Retry("http_503"), "b": Done()}, a={"goes_on": True})
    assert (run(line).step, made["b"].saw) == ("a", None)
    assert run(line, before=failed_at("a", 1)).delay_s == pytest.approx(60, rel=0.2)
    assert run(line, before=failed_at("a", 2)).outcome == Done()


def test_continue_does_not_pause_the_route_nor_undo_a_drop() -> None:
    line, _ = a_line({"a": Dead("http_410", "gone", pause_route=True), "b": Done()}, a={"goes_on": True})
    assert run(line).outcome == Done()
    line, made = a_line({"a": Drop("unwanted"), "b": Done()}, a={"goes_on": True})
    assert (run(line).outcome, made["b"].saw) == (Drop("unwanted"), None)


def test_a_template_that_cannot_be_filled_is_placed() -> None:
    line, _ = a_line({"mail": Dead("template_error", "url: properties.id is null")})
    end = run(line)
    assert end.outcome == Dead("template_error", "route orders, step mail, url: properties.id is null")


def test_a_step_that_can_be_gone_on_without_does_not_wait_for_its_host() -> None:
    down = Retry("host_down", "closed", after_s=60.0, held=True)
    line, made = a_line({"a": down, "b": Done()}, a={"goes_on": True, "retry": (1.0,)})
    waiting = run(line)
    assert (waiting.held, waiting.can_go_on, waiting.outcome) == (False, True, Retry("host_down", "closed"))
    assert waiting.delay_s == pytest.approx(1, rel=0.2)
    assert run(line, before=failed_at("a", 1)).outcome == Done()
    assert made["b"].saw is not None


def settled(line: Line, state: str = "", blob: str = "") -> Result:
    """What the drain is told of an attempt."""
    work = Work("17:1:0", "17-1", compress.compress(b"{}"), "shop|shop||1", state, blob)

    async def attempt(tools: Toolbox) -> Result:
        return await delivery.attempt(work, line, tools, SYSTEM)

    return with_tools(attempt)


@pytest.mark.parametrize(("goes_on", "counted"), [(False, "http_503"), (True, "")])
def test_only_steps_that_must_work_count_against_the_route(goes_on: bool, counted: str) -> None:
    line, _ = a_line({"a": Retry("http_503")}, a={"goes_on": goes_on})
    result = settled(line)
    assert (result.letter, result.failure) == ("w", counted)


def test_what_steps_did_before_the_delivery_was_held_is_told_with_the_next_attempt() -> None:
    down = Retry("host_down", "closed", after_s=60.0, held=True)
    line, _ = a_line({"a": Dead("http_404", "gone"), "b": down}, a={"goes_on": True})
    held = settled(line, state="w|2|0|http_503|5|5|a")
    assert held.letter == records.HELD
    assert records.unpack_record(held.record).base == 2
    line, _ = a_line({"a": Done(), "b": Retry("http_503")}, a={"goes_on": True})
    failed = settled(line, state=held.record, blob=held.blob)
    (attempt,) = records.unpack_progress(failed.blob).history
    assert (dict(attempt.did), attempt.step) == ({"a": "http_404: gone"}, "b")
    assert records.unpack_record(failed.record).base == 2
    assert records.unpack_progress(failed.blob).did == {}


def failing(**about: Mapping[str, Any]) -> Callable[..., End]:
    """An attempt of a line whose second step fails, `first` being done at once."""
    line, _ = a_line({"first": Done(), "second": Retry("http_503")}, **about)
    return lambda attempts, step, base=0: run(line, before=failed_at(step, attempts, base))


def test_steps_without_a_retry_share_the_attempts_of_the_route() -> None:
    attempt = failing()
    assert attempt(0, "").delay_s == pytest.approx(5, rel=0.2)
    assert attempt(1, "first").delay_s == pytest.approx(60, rel=0.2)
    end = attempt(2, "first")
    assert (end.delay_s, end.base) == (None, 0)


def test_a_retry_of_its_own_counts_from_the_attempt_that_first_gets_to_the_step() -> None:
    attempt = failing(second={"retry": (1.0, 2.0)})
    end = attempt(7, "first")
    assert end.delay_s == pytest.approx(1, rel=0.2)
    assert end.base == 7
    assert attempt(8, "second", 7).delay_s == pytest.approx(2, rel=0.2)
    assert attempt(9, "second", 7).delay_s is None


def test_what_follows_a_step_with_its_own_retry_begins_a_round_of_the_route() -> None:
    end = failing(first={"retry": (1.0,) * 9})(9, "first")
    assert end.delay_s == pytest.approx(5, rel=0.2)
    assert end.base == 9


def test_what_follows_an_error_that_was_gone_on_after_begins_a_round() -> None:
    line, _ = a_line({"a": Retry("x"), "b": Retry("y")}, a={"goes_on": True})
    end = run(line, before=failed_at("a", 2))
    assert (end.step, end.base) == ("b", 2)
    assert end.delay_s == pytest.approx(5, rel=0.2)


def test_a_step_that_takes_too_long_is_tried_again() -> None:
    class Slow(Scripted):
        async def run(self, message: Message, context: Context) -> Outcome:
            await asyncio.sleep(60)
            return Done()

    slow = Slow("a", Done())
    slow.timeout_s = 0.01
    step = StepConfig(name="a", spec=HandlerSpec(target="m:f"))
    end = run(Line.of(Route(name="r", steps=(step,), retry=()), lambda config: slow))
    assert end.outcome == Retry("timeout", "no end after 0.01 s")
