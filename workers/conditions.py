"""FQL in steps: over the message as the steps before have left it, and their outputs."""

from receiver.core.fql import Predicate
from workers.api import Context, Message


def holds(condition: Predicate, message: Message, context: Context) -> bool:
    """Whether a condition is true now. Raises MessageUnreadable."""
    fields = message.data
    return condition({**fields, "steps": context.steps} if "steps" in condition.roots else fields)
