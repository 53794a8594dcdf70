"""Errors by what must happen next. Every class has a stable `code`: log field, metric label, JSON `code`.

`ConfigError` stops the start; `Refused` is the sender's fault and answers 4xx; `Unavailable` asks to come
back and answers 503 (429 above a rate limit) with `Retry-After`. The worker side has no exceptions of its own
beyond those a handler may raise (`workers.api`): a step answers with an outcome, see `workers.outcome`.
"""

from dataclasses import dataclass


class HookError(Exception):
    """Root of all errors this project raises on purpose."""

    code = "internal_error"

    @property
    def message(self) -> str:
        """The sentence shown to people: what was wrong and, where possible, what to do."""
        return str(self)


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in the configuration: where it is and what is wrong with it."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(HookError):
    """The configuration cannot be used; carries every problem at once. Start-up only, exit code 2."""

    code = "config_error"

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Refused(HookError):
    """The sender's fault: answered `status`, never stored, never retried by Segment."""

    code = "refused"
    status = 400


class UnknownSource(Refused):
    """No source of routes.yaml has this path."""

    code = "unknown_source"
    status = 404


class SignatureError(Refused):
    """Missing, malformed or wrong signature. 401 makes Segment discard the delivery, which is intended."""

    code = "signature_mismatch"
    status = 401

    def __init__(self, message: str, *, code: str = "signature_mismatch") -> None:
        super().__init__(message)
        self.code = code


class BodyTooLarge(Refused):
    """The body, or what it inflates to, exceeds the cap."""

    code = "body_too_large"
    status = 413


class MessageTooLarge(Refused):
    """A single message exceeds its cap; an element of a batch that does is refused alone, with no error."""

    code = "message_too_large"
    status = 413


class TooManyMessages(Refused):
    """A batch of more messages than any sender of Segment makes."""

    code = "too_many_messages"
    status = 413


class BodyTimeout(Refused):
    """The body did not arrive in time. 408 makes Segment send again."""

    code = "body_timeout"
    status = 408


class WrongMethod(Refused):
    """Not POST, PUT or PATCH. 400, because 405 looks to a sender as if the source were not there."""

    code = "wrong_method"
    status = 400


class MalformedMessage(Refused):
    """The body is not JSON, or not a shape that can hold messages."""

    code = "malformed_json"
    status = 400

    def __init__(self, message: str, *, code: str = "malformed_json") -> None:
        super().__init__(message)
        self.code = code


class MessageTooOld(Refused):
    """The message is older than its source allows; in a batch such an element is refused alone."""

    code = "message_too_old"
    status = 400


class InvalidMessage(Refused):
    """A message that Segment would reject, to a source that refuses such. The code is Segment's own."""

    code = "invalid"
    status = 400

    def __init__(self, code: str, meaning: str, *, source: str, body: bytes) -> None:
        super().__init__(f"The message is invalid: {meaning} (invalid: refuse of the source).")
        self.code = code
        self.source = source
        self.body = body
        """Of the message, or of the first one where nothing of a batch was kept."""


class MalformedSettings(Refused):
    """The header with the settings of a partner subscription cannot be read."""

    code = "malformed_settings"
    status = 400


class UnsupportedEncoding(Refused):
    """A Content-Encoding other than gzip, deflate or identity."""

    code = "unsupported_encoding"
    status = 415


class Unavailable(HookError):
    """Not now: answered 503 or 429 with `Retry-After`, nothing stored by halves. Senders try again."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Whole seconds."""


class StoreUnavailable(Unavailable):
    """Redis is down, slow, read-only, or answered an error."""

    code = "store_unavailable"


class NotDurable(Unavailable):
    """Redis does not keep what it acknowledges, so that a 200 would promise too much."""

    code = "not_durable"


class StoreFull(Unavailable):
    """Redis is at its memory limit, or the disk is nearly full."""

    code = "store_full"


class Overloaded(Unavailable):
    """More requests wait for a commit than this process is willing to hold, or more messages are open than
    HOOKYARD_MAX_OPEN."""

    code = "overloaded"


class RateLimited(Unavailable):
    """More messages than the source's rate_limit. 429, which senders try again too."""

    code = "rate_limited"
    status = 429
