"""How a stored message and its deliveries are shown: short for lists, whole as JSON."""

from collections import Counter
from typing import Any

import click
import msgspec

from receiver.core import json_text
from receiver.core.clock import iso
from receiver.core.errors import MalformedMessage
from receiver.core.facts import Fields, message_id
from receiver.core.message import Attempt, Delivery, Status, StoredMessage, message_name, text
from receiver.core.validity import Code, problems

ENDED = frozenset({Status.DELIVERED, Status.DROPPED, Status.DEAD})


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says about itself, as far as it says it."""

    type: str = ""
    name: str = ""
    """Of a track event, a page or a screen."""
    message_id: str | None = None
    user_id: str | None = None
    anonymous_id: str | None = None
    problems: tuple[Code, ...] = ()
    """What Segment would reject it for."""

    @property
    def title(self) -> str:
        return " ".join(part for part in (self.type, self.name) if part) or "(no type)"

    @property
    def user(self) -> str:
        return self.user_id or self.anonymous_id or ""


def brief(body: bytes) -> Brief:
    """Never raises: a body that is no object says nothing."""
    try:
        fields = json_text.members(body)
        kind = text(_value(fields, "type")) or ""
        return Brief(
            type=kind,
            name=text(_value(fields, "event" if kind == "track" else "name")) or "",
            message_id=message_id(fields),
            user_id=text(_value(fields, "userId")),
            anonymous_id=text(_value(fields, "anonymousId")),
            problems=problems(fields),
        )
    except (MalformedMessage, ValueError):
        return Brief()


def _value(fields: Fields, name: str) -> Any:
    found = fields.get(name)
    return None if found is None else json_text.value(found)


def cut(words: str, most: int) -> str:
    """The words on one line, at most so many letters."""
    line = " ".join(words.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def in_short(error: str) -> str:
    """The line of an error that says most: the last one of a traceback, else the first."""
    lines = [line for line in error.splitlines() if line.strip()]
    if not lines:
        return ""
    return lines[-1 if lines[0].startswith("Traceback") else 0].strip()


def route_name(route: str, replay: int) -> str:
    """`crm`, or `crm (replay 3)`."""
    return f"{route} (replay {replay})" if replay else route


def outcome(deliveries: list[Delivery]) -> str:
    """`hello delivered`, or how many went how: `2 delivered, 1 dead`."""
    if not deliveries:
        return "no route"
    if len(deliveries) == 1:
        return f"{deliveries[0].route} {deliveries[0].status}"
    counts = Counter(delivery.status for delivery in deliveries)
    return ", ".join(f"{count} {status}" for status, count in counts.most_common())


def sentence(delivery: Delivery) -> str:
    """`hello delivered in 3 ms`, `crm waiting: http_503: …`: a delivery in a line."""
    said = f"{route_name(delivery.route, delivery.replay)} {delivery.status}"
    if delivery.status is Status.DELIVERED and delivery.history:
        return f"{said} in {delivery.history[-1].duration_ms} ms"
    why = [delivery.code, in_short(delivery.error)]
    return ": ".join([said, *(part for part in why if part)])


def as_json(message: StoredMessage, deliveries: list[Delivery]) -> dict[str, Any]:
    """Everything known of a message; its body is the JSON that arrived, on one line."""
    says = brief(message.body)
    one_line = message.body.decode(errors="replace").replace("\n", " ").replace("\r", " ")
    return {
        "id": message.id,
        "received_at": iso(message.received_ms),
        "source": message.source,
        "path": message.path,
        "type": says.type or None,
        "name": says.name or None,
        "message_id": says.message_id,
        "user_id": says.user_id,
        "anonymous_id": says.anonymous_id,
        "seen": message.repeats + 1,
        "same_id_as": message_name(message.same_id_as) if message.same_id_as else None,
        "covered": message.covered,
        "invalid": list(says.problems),
        "routes": list(message.routes),
        "deliveries": [_delivery(delivery) for delivery in deliveries],
        "body": msgspec.Raw(one_line.encode()),
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    ended = delivery.status in ENDED
    return {
        "route": delivery.route,
        "replay": delivery.replay or None,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "code": delivery.code or None,
        "step": delivery.step or None,
        "error": delivery.error or None,
        "due_at": delivery.due_ms and iso(delivery.due_ms),
        "finished_at": iso(delivery.finished_ms) if ended and delivery.finished_ms else None,
        "history": [_attempt(attempt) for attempt in delivery.history],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "trigger": attempt.trigger,
        "code": attempt.code,
        "step": attempt.step or None,
        "steps": attempt.did,
        "started_at": iso(attempt.started_ms),
        "duration_ms": attempt.duration_ms,
        "error": attempt.error or None,
    }


def print_line(value: Any) -> None:
    """One line of JSON on stdout, with bodies as they arrived."""
    click.echo(msgspec.json.encode(value))
