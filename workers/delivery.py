"""One attempt of one delivery: the course of its steps, and what follows from how it ends, as a value.

The drain calls `attempt` and settles what it answers.
"""

import logging
import traceback

import msgspec

from receiver.core import backoff, records
from receiver.core.clock import Clock
from receiver.core.message import Attempt, Status, Trigger
from receiver.core.records import Progress, Record, Reference
from receiver.core.routes import Route
from receiver.core.store import Result, Work
from workers import course
from workers.api import Context, Message
from workers.course import Counting, End, Line
from workers.failing import failure_of, overtaken
from workers.outcome import Dead, Done, Drop, Outcome, Retry
from workers.toolbox import Toolbox

log = logging.getLogger("hookyard.delivery")

ERROR_CHARS = 4_000
"""Of an error text that is kept with an attempt."""
OVERTAKEN = "Later messages of its ordering key do not wait for it any longer."
OUTPUTS_BYTES = 256_000
"""Of all step outputs of one delivery together."""


async def attempt(work: Work, line: Line, tools: Toolbox, clock: Clock) -> Result:
    """Run one attempt of a delivery on its route, and say how to settle it."""
    started_ms = clock.now_ms()
    ref = records.reference(work.ref)
    before = work.before
    progress = records.unpack_progress(work.blob)
    trigger = _trigger(ref, before.attempts)
    counting = Counting(before, line)
    number = counting.number
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
            route=line.route.name,
            steps=progress.outputs,
            tools=tools,
        )
        end = await course.run(line, message, context, counting, tools.limits)
    except Exception:
        log.exception("delivery %s failed outside its steps", work.ref)
        end = counting.ended(Retry("internal_error", traceback.format_exc(limit=-5)))
    duration_ms = clock.now_ms() - started_ms
    if end.held:
        return _held(work, progress, end, started_ms + duration_ms)
    if isinstance(end.outcome, Done) and number == 1 and end.is_plain and not work.blob:
        return _done_at_once(work, started_ms, duration_ms)
    ended = Attempt(
        number=number,
        trigger=trigger,
        code=_code(end.outcome),
        started_ms=started_ms,
        duration_ms=duration_ms,
        step=end.step,
        did={**progress.did, **end.did},
        error=_error(end.outcome)[:ERROR_CHARS].encode(errors="replace").decode(),
    )
    return _result(work, line.route, progress, end, ended)


def given_up(work: Work, line: Line, clock: Clock) -> Result:
    """How to settle an attempt that was cancelled at its time limit and does not end."""
    counting = Counting(work.before, line)
    ended = Attempt(
        number=counting.number,
        trigger=_trigger(records.reference(work.ref), work.before.attempts),
        code="timeout",
        started_ms=clock.now_ms(),
        duration_ms=0,
        error="it swallowed its cancellation when its time was up, and was left behind",
    )
    end = counting.ended(Retry(ended.code, ended.error))
    return _result(work, line.route, records.unpack_progress(work.blob), end, ended)


def _trigger(ref: Reference, attempts: int) -> Trigger:
    if attempts:
        return Trigger.RETRY
    return Trigger.REPLAY if ref.replay else Trigger.LIVE


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


def _held(work: Work, progress: Progress, end: End, now_ms: int) -> Result:
    """No attempt counts: it waits until what it needs is there again."""
    before, after_s = work.before, end.outcome.after_s if isinstance(end.outcome, Retry) else None
    record = msgspec.structs.replace(before, status=Status.WAITING, code=_code(end.outcome), base=end.base)
    progress.did |= end.did
    return Result(
        ref=work.ref,
        attempt=before.attempts + 1,
        letter=records.HELD,
        record=records.pack_record(record),
        due_ms=now_ms + round(min(after_s or 0.0, backoff.RETRY_AFTER_MAX_S) * 1000),
        blob=_bounded(progress) if progress.history or progress.outputs else "",
        failure=failure_of(end.outcome),
    )


def _result(work: Work, route: Route, progress: Progress, end: End, ended: Attempt) -> Result:
    """Decide what becomes of the delivery."""
    now_ms = ended.started_ms + ended.duration_ms
    status, due_ms, pause = Status.DELIVERED, 0, ""
    match end.outcome:
        case Retry(after_s=after_s) if end.delay_s is not None:
            status = Status.WAITING
            due_ms = now_ms + round(backoff.with_retry_after(end.delay_s, after_s) * 1000)
        case Retry():
            status = Status.DEAD
        case Dead(pause_route=gone):
            status = Status.DEAD
            pause = f"{ended.step}: {ended.error}"[:300] if gone else ""
        case Drop():
            status = Status.DROPPED
        case Done():
            pass
    letter = records.LETTERS[status]
    if status is Status.WAITING and route.order_by and overtaken(progress, ended.started_ms, due_ms):
        letter = records.OVERTAKEN
        ended = msgspec.structs.replace(ended, error=f"{ended.error}\n{OVERTAKEN}")
        log.warning("%s waits on, and later messages of its ordering key go first", work.ref)
    if status is Status.DEAD:
        given = {"delivery": work.ref, "route": route.name, "step": ended.step, "attempts": ended.number}
        log.warning("dead letter: %s", ended.code, extra=given)
    record = Record(
        status=status,
        attempts=ended.number,
        base=end.base,
        code="" if status is Status.DELIVERED else ended.code,
        finished_ms=now_ms - work.received_ms,
        duration_ms=ended.duration_ms,
        step=ended.step,
    )
    return Result(
        ref=work.ref,
        attempt=ended.number,
        letter=letter,
        record=records.pack_record(record),
        due_ms=due_ms,
        blob=_blob(progress, ended, status),
        pause=pause,
        failure="" if end.can_go_on else failure_of(end.outcome),
    )


def _blob(progress: Progress, ended: Attempt, status: Status) -> str:
    """Kept beside the record: the last attempts, and while it is open the outputs."""
    progress.history = [*progress.history, ended][-records.HISTORY :]
    progress.did = {}
    if status in (Status.DELIVERED, Status.DROPPED):
        progress.outputs = {}
    return _bounded(progress)


def _bounded(progress: Progress) -> str:
    blob = records.pack_progress(progress)
    if len(blob) > OUTPUTS_BYTES:
        progress.outputs = {}
        blob = records.pack_progress(progress)
    return blob


def _code(outcome: Outcome) -> str:
    match outcome:
        case Retry(code=code) | Dead(code=code) | Drop(code=code):
            return code
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
