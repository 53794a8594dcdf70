"""One attempt of one delivery: its steps in order, and what follows from how they end, as a value.

The drain calls `attempt` and settles what it answers. Steps that are done are not run again: an attempt
begins at the step that failed last time, with the outputs of those before it.
"""

import logging
import random
import traceback
from collections.abc import Sequence

from receiver.core import backoff, records
from receiver.core.clock import Clock
from receiver.core.message import Attempt, Status, Trigger
from receiver.core.records import Progress, Record, Reference
from receiver.core.routes import Route
from receiver.core.store import Result, Work
from workers.api import Context, Message
from workers.limits import Limits
from workers.outcome import Dead, Done, Drop, Outcome, Retry
from workers.steps.base import Step
from workers.toolbox import Toolbox

log = logging.getLogger("hookyard.delivery")

ERROR_CHARS = 4_000
"""Of an error text that is kept with an attempt."""
OUTPUTS_BYTES = 256_000
"""Of all step outputs of one delivery together."""


async def attempt(work: Work, route: Route, line: Sequence[Step], tools: Toolbox, clock: Clock) -> Result:
    """Run one attempt of a delivery on its route, whose steps are `line`, and say how to settle it."""
    started_ms = clock.now_ms()
    ref = records.reference(work.ref)
    before = work.before
    progress = records.unpack_progress(work.blob)
    trigger = _trigger(ref, before.attempts)
    number = before.attempts + 1
    try:
        message = Message(
            number=ref.number,
            raw=work.body,
            source=work.info.partition("|")[0],
            received_ms=work.received_ms,
            info=work.info,
        )
        context = Context(
            message=message,
            attempt=number,
            trigger=trigger,
            replay=ref.replay,
            delivery=work.ref,
            route=route.name,
            steps=progress.outputs,
            tools=tools,
        )
        step, outcome = await _run_steps(line, message, context, tools.limits)
    except Exception:
        log.exception("delivery %s failed outside its steps", work.ref)
        step, outcome = "", Retry("internal_error", traceback.format_exc(limit=-5))
    duration_ms = clock.now_ms() - started_ms
    if isinstance(outcome, Done) and number == 1:
        return _done_at_once(work, started_ms, duration_ms)
    ended = Attempt(
        number=number,
        trigger=trigger,
        code=_code(outcome),
        started_ms=started_ms,
        duration_ms=duration_ms,
        step=step,
        error=_error(outcome)[:ERROR_CHARS].encode(errors="replace").decode(),
    )
    return _result(work, route, before, progress, outcome, ended)


def given_up(work: Work, route: Route, clock: Clock) -> Result:
    """How to settle an attempt that was cancelled at its time limit and does not end."""
    number = work.before.attempts + 1
    ended = Attempt(
        number=number,
        trigger=_trigger(records.reference(work.ref), work.before.attempts),
        code="timeout",
        started_ms=clock.now_ms(),
        duration_ms=0,
        error="it swallowed its cancellation when its time was up, and was left behind",
    )
    outcome = Retry(ended.code, ended.error)
    return _result(work, route, work.before, records.unpack_progress(work.blob), outcome, ended)


def _trigger(ref: Reference, attempts: int) -> Trigger:
    if attempts:
        return Trigger.RETRY
    return Trigger.REPLAY if ref.replay else Trigger.LIVE


async def _run_steps(
    line: Sequence[Step], message: Message, context: Context, limits: Limits
) -> tuple[str, Outcome]:
    """Run what is not done yet. Answers the step that ended it (empty: all worked) and its outcome."""
    for step in line:
        if step.name in context.steps:
            continue
        outcome = await _run_step(step, message, context, limits)
        if not isinstance(outcome, Done):
            return step.name, outcome
        context.steps[step.name] = outcome.output
    return "", Done()


async def _run_step(step: Step, message: Message, context: Context, limits: Limits) -> Outcome:
    try:
        with limits.within(step.timeout_s) as limit:
            return await step.run(message, context)
    except TimeoutError:
        if limit.expired:
            return Retry("timeout", f"no end after {step.timeout_s:g} s")
        return Retry("step_error", traceback.format_exc(limit=-5))
    except Exception:
        log.exception("step %s raised", step.name)
        return Retry("step_error", traceback.format_exc(limit=-5))


def _done_at_once(work: Work, started_ms: int, duration_ms: int) -> Result:
    """What nearly all deliveries come to: a record, no history."""
    record = Record(
        status=Status.DELIVERED,
        attempts=1,
        finished_ms=started_ms + duration_ms - work.received_ms,
        duration_ms=duration_ms,
    )
    return Result(
        ref=work.ref, attempt=1, letter=records.LETTERS[record.status], record=records.pack_record(record)
    )


def _result(
    work: Work,
    route: Route,
    before: Record,
    progress: Progress,
    outcome: Outcome,
    ended: Attempt,
) -> Result:
    """Decide what becomes of the delivery."""
    now_ms = ended.started_ms + ended.duration_ms
    status, due_ms, pause = Status.DELIVERED, 0, ""
    match outcome:
        case Retry(after_s=after_s):
            spent = ended.number - before.base
            delay_s = backoff.delay_s(route.retry, spent, random.random)
            if delay_s is None:
                status = Status.DEAD
            else:
                status = Status.WAITING
                due_ms = now_ms + round(backoff.with_retry_after(delay_s, after_s) * 1000)
        case Dead(pause_route=gone):
            status = Status.DEAD
            pause = f"{ended.step}: {ended.error}"[:300] if gone else ""
        case Drop():
            status = Status.DROPPED
        case Done():
            pass
    if status is Status.DEAD:
        given = {"delivery": work.ref, "route": route.name, "step": ended.step, "attempts": ended.number}
        log.warning("dead letter: %s", ended.code, extra=given)
    record = Record(
        status=status,
        attempts=ended.number,
        base=before.base,
        code="" if status is Status.DELIVERED else ended.code,
        finished_ms=now_ms - work.received_ms,
        duration_ms=ended.duration_ms,
        step=ended.step,
    )
    return Result(
        ref=work.ref,
        attempt=ended.number,
        letter=records.LETTERS[status],
        record=records.pack_record(record),
        due_ms=due_ms,
        blob=_blob(progress, ended, status),
        pause=pause,
    )


def _blob(progress: Progress, ended: Attempt, status: Status) -> str:
    """Kept beside the record: the last attempts, and while it is open the outputs."""
    progress.history = [*progress.history, ended][-records.HISTORY :]
    if status in (Status.DELIVERED, Status.DROPPED):
        progress.outputs = {}
    blob = records.pack_progress(progress)
    if len(blob) > OUTPUTS_BYTES:
        progress.outputs = {}
        blob = records.pack_progress(progress)
    return blob


def _code(outcome: Outcome) -> str:
    match outcome:
        case Retry(code=code) | Dead(code=code):
            return code
        case Drop():
            return "dropped"
        case Done():
            return "ok"


def _error(outcome: Outcome) -> str:
    match outcome:
        case Retry(error=error) | Dead(error=error):
            return error
        case Drop(reason=reason):
            return reason
        case Done():
            return ""
