"""The protocol of a step. One file a kind; `workers.steps.STEPS` names them.

A step is built once per drain from its model in routes.yaml and run once per delivery attempt. It must answer
an `Outcome` for everything that can go wrong outside itself; an exception is a bug and counts as retryable.
"""

from typing import Protocol

from workers.api import Context, Message
from workers.outcome import Outcome


class Step(Protocol):
    """One piece of a route's work."""

    name: str
    """The step's `as` name: unique within its route."""
    timeout_s: float

    async def run(self, message: Message, context: Context) -> Outcome:
        """Do the work for one message. The delivery applies `timeout_s` around it."""
        ...
