"""The course of one attempt: a route's steps in order, up to the one that ends it.

Steps that are done are not run again: an attempt begins at the step that failed last time, with the outputs
of those before it. How often a step is tried, and what follows when it has failed for good, is decided here.
"""

import logging
import random
import traceback
from collections.abc import Callable, Mapping

import msgspec

from receiver.core import backoff
from receiver.core.records import Record
from receiver.core.routes import Route
from receiver.core.sandbox import TemplateError
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from workers.api import Context, Message
from workers.conditions import holds
from workers.errors import PermanentError, outcome_of
from workers.limits import Limits
from workers.outcome import Dead, Done, Drop, Outcome, Retry
from workers.steps.base import Changed, Changing, Step

log = logging.getLogger("hookyard.delivery")

DONE = Done()
OK, SKIPPED = "ok", "skipped"
ERROR_CHARS = 300
"""Of the error of a step that the delivery went on without, as its output keeps it."""


class Stage(msgspec.Struct, frozen=True):
    """A step ready to run, and what routes.yaml says about running it."""

    step: Step
    config: StepConfig
    again: Callable[[Message, Context], Message] | None = None
    """Of a step that changes the message: changes it as it did when it ran."""


class Line(msgspec.Struct, frozen=True):
    """A route's steps in order."""

    route: Route
    stages: tuple[Stage, ...]
    own: Mapping[str, tuple[float, ...]]
    """The schedules of the steps that have a `retry` of their own."""

    @classmethod
    def of(cls, route: Route, build: Callable[[StepConfig], Step]) -> "Line":
        own = {step.name: step.retry for step in route.steps if step.retry is not None}
        return cls(route, tuple(_stage(build(step), step) for step in route.steps), own)


def _stage(step: Step, config: StepConfig) -> Stage:
    return Stage(step, config, step.again if isinstance(step, Changing) else None)


class End(msgspec.Struct, frozen=True):
    """How an attempt came out."""

    outcome: Outcome
    step: str
    """The one that ended it; empty where all worked, or none was to blame."""
    base: int
    """Attempts spent before the round it belongs to, see `Counting`."""
    delay_s: float | None
    """After a Retry: how long the schedule waits; None: the attempts are spent."""
    held: bool
    """Whether that step was not tried, because it is known that it has to wait."""
    did: Mapping[str, str]
    """What the steps before it did in this attempt: `ok`, `skipped`, or the error it went on after."""
    is_plain: bool = False
    """Whether every step worked, so that there is nothing to tell."""
    can_go_on: bool = False
    """Whether the delivery could go on without that step: it says nothing about the route as a whole."""


class Counting:
    """Counts the attempts of one delivery against the schedule of the step that fails.

    They are counted in rounds, in each of which there is one attempt more than its schedule has entries. The
    steps that go by the route's `retry` share a round. A step with a `retry` of its own has a round of its
    own: it begins with the attempt that first gets there, and another one with the attempt that gets past
    it, or that goes on after an error.
    """

    __slots__ = ("_before", "_is_new", "_line", "number")

    def __init__(self, before: Record, line: Line) -> None:
        self.number = before.attempts + 1
        self._before = before
        self._line = line
        self._is_new = False

    def begin_anew(self) -> None:
        """The delivery went on after an error: what fails now begins a round."""
        self._is_new = True

    def base(self, step: str) -> int:
        """Attempts spent before the round in which `step` fails; empty: no step is to blame."""
        same = self._round(self._before.step) == self._round(step)
        return self._before.base if same and not self._is_new else self.number - 1

    def delay_s(self, step: str) -> float | None:
        """Seconds to the next attempt after `step` failed; None: the attempts of its round are spent."""
        schedule = self._line.own.get(step, self._line.route.retry)
        return backoff.delay_s(schedule, self.number - self.base(step), random.random)

    def ended(self, outcome: Retry) -> End:
        """An attempt for whose end no step is to blame."""
        return End(outcome, "", self.base(""), self.delay_s(""), False, {})

    def _round(self, step: str) -> str:
        return step if step in self._line.own else ""


async def run(line: Line, message: Message, context: Context, counting: Counting, limits: Limits) -> End:
    """Run what is not done yet, up to the step that ends the attempt."""
    did: dict[str, str] = {}
    is_plain = True
    for stage in line.stages:
        name = stage.config.name
        if name in context.steps:
            message = stage.again(message, context) if stage.again else message
            continue
        outcome = await _run(stage, message, context, limits)
        if outcome is None:
            context.steps[name], did[name], is_plain = None, SKIPPED, False
            continue
        if isinstance(outcome, Done):
            context.steps[name] = outcome.output
            did[name] = OK
            message = outcome.message if isinstance(outcome, Changed) else message
            continue
        if stage.config.goes_on:
            outcome = _not_held(outcome)
        elif _is_held(outcome, stage):
            return End(outcome, name, counting.base(name), 0.0, True, did)
        delay_s = counting.delay_s(name) if isinstance(outcome, Retry) else None
        outcome = _placed(outcome, name, context)
        if isinstance(outcome, Drop) or delay_s is not None or not stage.config.goes_on:
            can_go_on = stage.config.goes_on
            return End(outcome, name, counting.base(name), delay_s, False, did, can_go_on=can_go_on)
        is_plain = False
        counting.begin_anew()
        context.steps[name] = {"error": {"code": outcome.code, "message": outcome.error[:ERROR_CHARS]}}
        did[name] = f"{outcome.code}: {outcome.error}"[:ERROR_CHARS]
    return End(DONE, "", counting.base(""), None, False, did, is_plain)


def _is_held(outcome: Outcome, stage: Stage) -> bool:
    """Not of a handler, which has done who knows what before."""
    return isinstance(outcome, Retry) and outcome.held and not isinstance(stage.config.spec, HandlerSpec)


def _not_held(outcome: Drop | Retry | Dead) -> Drop | Retry | Dead:
    """A step that can be gone on without does not wait for its host: that it is down counts as an attempt."""
    if isinstance(outcome, Retry) and outcome.held:
        return msgspec.structs.replace(outcome, held=False, after_s=None)
    return outcome


def _placed(outcome: Drop | Retry | Dead, step: str, context: Context) -> Drop | Retry | Dead:
    """A template that cannot be filled is looked for in routes.yaml: its error says where."""
    if isinstance(outcome, Dead) and outcome.code == TemplateError.code:
        return Dead(outcome.code, f"route {context.route}, step {step}, {outcome.error}")
    return outcome


async def _run(stage: Stage, message: Message, context: Context, limits: Limits) -> Outcome | None:
    """One run of a step; None: it is skipped."""
    step, when = stage.step, stage.config.when
    try:
        if when is not None and not holds(when, message, context):
            return None
        with limits.within(step.timeout_s) as limit:
            return await step.run(message, context)
    except TimeoutError:
        if limit.expired:
            return Retry("timeout", f"no end after {step.timeout_s:g} s")
        return Retry("step_error", traceback.format_exc(limit=-5))
    except PermanentError as error:
        return outcome_of(error)
    except Exception:
        log.exception("step %s raised", step.name)
        return Retry("step_error", traceback.format_exc(limit=-5))
