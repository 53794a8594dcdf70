"""What the templates of a step can name: see design of routes.yaml, `receiver.core.templates`."""

from collections.abc import Iterable
from typing import Any

from receiver.core import clock
from receiver.core.templates import Template, names_of
from workers.api import Context, Message


def used_by(templates: Iterable[Template]) -> frozenset[str]:
    """The names that at least one of the templates looks up."""
    return frozenset[str]().union(*(template.names for template in templates))


def template_names(message: Message, context: Context, used: frozenset[str]) -> dict[str, Any]:
    """`message` is the whole message, with the store's id as `message.id`. Raises MessageUnreadable.

    Without names in use the message is not even parsed.
    """
    if not used:
        return {}
    data = message.data
    return names_of(
        data,
        steps=context.steps,
        message={**data, "id": message.id} if "message" in used else {},
        source=message.source,
        now=clock.iso(clock.SYSTEM.now_ms()) if "now" in used else "",
    )
