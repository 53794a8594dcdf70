"""What becomes of messages that Segment would reject, at a source that refuses them: `invalid: refuse`."""

from receiver.core.errors import InvalidMessage
from receiver.core.validity import MEANINGS, Code, problems
from receiver.split import Element, Elements, sifted


def sound(elements: Elements, source: str) -> Elements:
    """Without the invalid ones. Raises InvalidMessage when that leaves nothing."""
    found = sifted(elements, _objection)
    if elements.kept and not found.kept:
        first = elements.kept[0]
        raise invalid(problems(first.fields)[0], source, first.body)
    return found


def invalid(code: str, source: str, body: bytes) -> InvalidMessage:
    """The refusal of a message, or of a batch that begins with it."""
    return InvalidMessage(code, MEANINGS[code], source=source, body=body)


def _objection(element: Element) -> Code | None:
    return next(iter(problems(element.fields)), None)
