"""A verified body taken apart into elements: one Segment message each, as the exact bytes that arrived.

A body is one object, an array of them, or `{"batch": […]}`; each may be wrapped as `{"json": {…}}`. A body
that is no such thing is refused as a whole; in a batch, an element that cannot be kept is refused alone.
"""

from collections.abc import Callable
from typing import Literal, NoReturn, get_args

import msgspec

from receiver.core import envelope, json_text
from receiver.core.errors import MalformedMessage, MessageTooLarge, TooManyMessages
from receiver.core.facts import Fields
from receiver.core.validity import CODES, Code
from receiver.forms import form_in
from receiver.schemes.base import Verified

Shape = Literal["null", "not_an_object", "too_deep", "too_large", "too_old", "invalid_write_key"]
Reason = Shape | Code
REASONS: tuple[Reason, ...] = (*get_args(Shape), *CODES)

MAX_ITEMS = 10_000
"""Most elements of a batch; Segment's own limit is 4,000. More would hold up everybody else."""


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a body."""

    body: bytes
    fields: Fields
    covered: bool
    """Whether the signature covers it."""


class RefusedElement(msgspec.Struct, frozen=True, kw_only=True):
    """An element of a batch that is not kept."""

    index: int
    reason: Reason
    body: bytes = b""
    """Left out where nobody knows whose it is."""
    source: str = ""
    """Where the request as a whole does not tell."""


class Elements(msgspec.Struct, frozen=True, kw_only=True):
    """What a body holds."""

    kept: list[Element]
    refused: list[RefusedElement]


def split(verified: Verified, max_message: int) -> Elements:
    """The elements in their order. `max_message` is in bytes.

    Raises MalformedMessage (malformed_json, not_a_message, too_deep), MessageTooLarge or TooManyMessages;
    too_deep and MessageTooLarge only when the body is one single message.
    """
    body = verified.body
    json_text.require_utf8(body)
    opening = json_text.opening(body)
    if opening == b"[":
        return _batch(verified, body, max_message)
    if opening != b"{":
        _refuse_other(body)
    fields = json_text.members(body)
    batch = envelope.batch_of(fields)
    if batch is not None:
        return _batch(verified, batch, max_message)
    if json_text.too_deep(body):
        _refuse_single("too_deep", max_message)
    element = _object(body, fields, max_message, covered=verified.coverage.includes(0))
    if not isinstance(element, Element):
        _refuse_single(element, max_message)
    return Elements(kept=[element], refused=[])


def sifted(elements: Elements, objection: Callable[[Element], Reason | None]) -> Elements:
    """Without those to which there is an objection: they are refused like other elements."""
    taken = {one.index for one in elements.refused}
    places = (at for at in range(len(elements.kept) + len(taken)) if at not in taken)
    kept: list[Element] = []
    refused: list[RefusedElement] = []
    for place, element in zip(places, elements.kept, strict=True):
        reason = objection(element)
        if reason is None:
            kept.append(element)
        else:
            refused.append(RefusedElement(index=place, reason=reason, body=element.body))
    if not refused:
        return elements
    return Elements(kept=kept, refused=sorted([*elements.refused, *refused], key=lambda one: one.index))


def _batch(verified: Verified, array: bytes, max_message: int) -> Elements:
    kept: list[Element] = []
    refused: list[RefusedElement] = []
    items = json_text.items(array, MAX_ITEMS)
    if len(items) > MAX_ITEMS:
        raise TooManyMessages(f"The batch holds more than {MAX_ITEMS} messages.")
    covered, others_covered = verified.coverage.includes(0), verified.coverage.includes(1)
    for index, item in enumerate(items):
        element = _item(item, max_message, covered=covered)
        covered = others_covered
        if isinstance(element, Element):
            kept.append(element)
        else:
            refused.append(RefusedElement(index=index, reason=element, body=item))
    return Elements(kept=kept, refused=refused)


def _item(item: bytes, max_message: int, *, covered: bool) -> Element | Reason:
    if item[:1] != b"{":
        return "null" if item == b"null" else "not_an_object"
    if json_text.too_deep(item):
        return "too_deep"
    return _object(item, json_text.members(item), max_message, covered=covered)


def _object(body: bytes, fields: Fields, max_message: int, *, covered: bool) -> Element | Reason:
    inner = (envelope.wrapped_in(fields) or form_in(fields)) if len(fields) == 1 else None
    if inner is not None:
        body, fields = inner, json_text.members(inner)
    if len(body) > max_message:
        return "too_large"
    return Element(body=body, fields=fields, covered=covered)


def _refuse_single(reason: Reason, max_message: int) -> NoReturn:
    if reason == "too_large":
        raise MessageTooLarge(f"The message is larger than {max_message} bytes (HOOKYARD_MAX_MESSAGE).")
    raise MalformedMessage(
        f"The message nests objects or arrays deeper than {json_text.MAX_DEPTH} levels.", code="too_deep"
    )


def _refuse_other(body: bytes) -> NoReturn:
    if not body.strip(b" \t\n\r"):
        raise MalformedMessage("The body is empty: send one Segment message as JSON, or an array of them.")
    try:
        json_text.value(body)
    except ValueError as error:
        raise MalformedMessage(f"The body is not valid JSON: {error}.") from error
    raise MalformedMessage("The body is JSON, but neither an object nor an array.", code="not_a_message")
