"""The protocol of a step. One file a kind; `workers.steps.STEPS` names them.

A step is built once per drain from its model in routes.yaml and run once per delivery attempt. It must answer
an `Outcome` for everything that can go wrong outside itself; an exception is a bug and counts as retryable.
"""

from typing import Protocol, runtime_checkable

from workers.api import Context, Message
from workers.outcome import Done, Outcome


class Step(Protocol):
    """One piece of a route's work."""

    name: str
    """The step's `as` name: unique within its route."""
    timeout_s: float

    async def run(self, message: Message, context: Context) -> Outcome:
        """Do the work for one message. The delivery applies `timeout_s` around it."""
        ...


class Changed(Done, frozen=True, kw_only=True):
    """The step worked, and the steps behind it see another message."""

    message: Message


@runtime_checkable
class Changing(Step, Protocol):
    """A step that answers `Changed`."""

    def again(self, message: Message, context: Context) -> Message:
        """What the steps behind it see in a later attempt, in which it is done already."""
        ...
