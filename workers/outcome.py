"""What a step answers. Decisions are values: the step says what happened, the delivery and the drain obey."""

import msgspec


class Done(msgspec.Struct, frozen=True):
    """The step worked."""

    output: object = None
    """JSON-able; later steps see it as `steps.<as>`."""


class Retry(msgspec.Struct, frozen=True):
    """The step failed in a way that may pass: the route's retry schedule decides when it runs again."""

    code: str
    """Stable short name: `http_503`, `timeout`, `connect`, `handler_error`."""
    error: str = ""
    """One line for people, or a traceback."""
    after_s: float | None = None
    """The destination's Retry-After in seconds: may only push the next attempt later, never sooner."""
    held: bool = False
    """Nothing was sent, because it is known that it had to wait: no attempt counts, and it runs again after
    `after_s`. Not of handlers, which have done who knows what before."""


class Dead(msgspec.Struct, frozen=True):
    """The step can never work: a dead letter now."""

    code: str
    error: str = ""
    pause_route: bool = False
    """The destination is gone (410): the route is paused, and says why."""


class Drop(msgspec.Struct, frozen=True):
    """The step ended the delivery on purpose; the steps after it do not run."""

    reason: str = ""
    code: str = "dropped"
    """Stable short name of who or what ended it."""


Outcome = Done | Retry | Dead | Drop
