"""What a handler may raise to say how its delivery goes on. The names are those of Segment Functions.

Any other exception counts as a bug that may pass: it is retried and shown with its traceback.
"""

import math
from datetime import timedelta

from workers.outcome import Dead, Outcome, Retry


class RetryError(Exception):
    """Try this delivery again, by the route's retry schedule.

    `after` (seconds or a timedelta) may push the next attempt later than the schedule says, never sooner.
    """

    code = "handler_retry"
    held = False
    """Whether nothing was sent, see `Retry.held`."""

    def __init__(self, message: str = "", *, after: float | timedelta | None = None) -> None:
        super().__init__(message)
        seconds = after.total_seconds() if isinstance(after, timedelta) else after
        if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError(f"after={after!r}: expected seconds from 0 up")
        self.after_s = seconds


class DropEvent(Exception):
    """End this delivery as dropped: nothing went wrong, there is just nothing to do."""

    code = "dropped"


class SegmentLoop(DropEvent):
    """Not sent to Segment, because it came from there and Hookyard had sent it: it would go round."""

    code = "segment_loop"


class PermanentError(Exception):
    """Trying again cannot help: the delivery becomes a dead letter. Raise one of the subclasses."""

    code = "permanent_error"


class EventNotSupported(PermanentError):
    """The handler does not work this kind of message."""

    code = "event_not_supported"


class ValidationError(PermanentError):
    """Something the message needs is missing or wrong."""

    code = "validation_error"


class InvalidEventPayload(PermanentError):
    """The message does not have the shape the handler expects."""

    code = "invalid_event_payload"


class InvalidSegmentCall(ValidationError):
    """A call that Segment would refuse or drop: not sent. Says all that is wrong, each with its field."""

    code = "invalid_segment_call"


class MessageUnreadable(PermanentError):
    """The stored bytes are not a JSON object; only `message.raw` can be used."""

    code = "unreadable_message"


class Unreachable(RetryError):
    """A destination takes no requests for now. `code` says why: dns, connect, http_503, …"""

    def __init__(self, code: str, message: str, *, after: float | None = None, held: bool = False) -> None:
        super().__init__(message, after=after)
        self.code = code
        self.held = held


class RequestRefused(PermanentError):
    """A request that is never sent, or that its destination will never take. `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def outcome_of(error: RetryError | PermanentError) -> Retry | Dead:
    """The error as the outcome of a step."""
    if isinstance(error, RetryError):
        return Retry(error.code, str(error), error.after_s, error.held)
    return Dead(error.code, str(error))


def raise_for(outcome: Outcome) -> None:
    """The way back: raise what `outcome_of` answers with `outcome`; nothing for one that worked."""
    if isinstance(outcome, Retry | Dead):
        raise error_for(outcome)


def error_for(outcome: Retry | Dead) -> RetryError | PermanentError:
    """What `outcome_of` answers with `outcome`."""
    if isinstance(outcome, Retry):
        return Unreachable(outcome.code, outcome.error, after=outcome.after_s, held=outcome.held)
    return RequestRefused(outcome.code, outcome.error)
