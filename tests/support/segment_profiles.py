"""The Profile API as the stand-in Segment speaks it: one space, its profiles, cursors, errors, its rate."""

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from receiver.core.clock import SYSTEM
from tests.support.destination import Answer, Seen

PER_SECOND = 100
"""Requests a space may have, of all its callers."""
LARGEST = {"traits": 200, "external_ids": 100, "events": 100, "links": 20, "properties": 200}
USUAL = {"traits": 10, "external_ids": 25, "events": 10, "links": 20, "properties": 10}
PARAMETERS = {
    "traits": {"limit", "include", "class", "verbose", "next"},
    "external_ids": {"include", "limit", "verbose", "next"},
    "events": {"include", "exclude", "limit", "sort", "start", "end", "next"},
    "metadata": {"verbose"},
    "links": {"limit"},
    "properties": {"include", "verbose", "limit", "next"},
}
PLACE = re.compile(r"/v1/spaces/([^/]+)/collections/(users|accounts)/profiles/([^/:]+):([^/]+)/([a-z_]+)")
PLAIN = re.compile(r"(?:[\w.~:-]|%[0-9A-Fa-f]{2})+", re.ASCII)

Json = dict[str, Any]


@dataclass(kw_only=True)
class Profile:
    """What is known of one user or account, as the API shows it."""

    traits: Json = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)
    """Oldest first; each needs `message_id`, `event` and `timestamp`."""
    external_ids: list[Json] = field(default_factory=list)
    metadata: Json = field(default_factory=dict)
    links: list[Json] = field(default_factory=list)


class Profiles:
    """The profiles of a space, by `users/user_id:u1`. Its attributes may be changed while it serves."""

    def __init__(self) -> None:
        self.token = "profile-token"
        self.space = "space"
        self.known: dict[str, Profile] = {}
        self.serves_properties = False
        """The resource that is gone from the documentation."""
        self.retry_after: str | None = None
        """Header of its 429; the real API documents none."""
        self.per_second: float = PER_SECOND
        self.refused = 0
        """Requests answered 429."""
        self._asked: list[float] = []

    def answer(self, seen: Seen) -> Answer:
        """What the API says to a request."""
        wanted = base64.b64encode(f"{self.token}:".encode()).decode()
        if seen.headers.get("authorization") != f"Basic {wanted}":
            return _error(401, "authentication_error", "the access token is not valid")
        place = PLACE.fullmatch(seen.path)
        if seen.method != "GET" or place is None or place[1] != self.space:
            return _error(404, "not_found", "no such space or resource")
        if not PLAIN.fullmatch(place[4]):
            return _error(500, "internal_error", "the identifier is not encoded")
        if not self._allows():
            self.refused += 1
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return _error(429, "rate_limit_error", "too many requests", headers)
        profile = self._find(place[2], place[3], unquote(place[4]))
        resource = place[5]
        if profile is None or resource not in PARAMETERS:
            return _error(404, "not_found", "the profile was not found")
        try:
            return self._show(profile, resource, _parameters(resource, seen.query), seen.path)
        except ValueError as problem:
            return _error(400, "validation_error", str(problem))

    def _find(self, collection: str, kind: str, identifier: str) -> Profile | None:
        """Look-ups are by lower case only."""
        return (
            None if identifier != identifier.lower() else self.known.get(f"{collection}/{kind}:{identifier}")
        )

    def _allows(self) -> bool:
        now = SYSTEM.monotonic()
        self._asked = [at for at in self._asked if at > now - 1]
        self._asked.append(now)
        return len(self._asked) <= self.per_second

    def _show(self, profile: Profile, resource: str, asked: dict[str, str], path: str) -> Answer:
        if resource == "metadata":
            return _json({"metadata": profile.metadata})
        if resource == "links":
            return _json({"data": profile.links[: int(asked["limit"])]})
        if resource == "properties" and not self.serves_properties:
            return _error(404, "not_found", "no such resource")
        page, next_, has_more = _page(*_items(profile, resource, asked), asked)
        cursor = {"url": path, "has_more": has_more, "next": next_, "limit": int(asked["limit"])}
        if resource == "traits":
            return _json({"traits": dict(page), "cursor": cursor})
        if resource == "properties":
            return _json({"data": [{"key": key, "value": value} for key, value in page], "cursor": cursor})
        return _json({"data": page, "cursor": cursor})


def _parameters(resource: str, query: str) -> dict[str, str]:
    """The query, checked, with the usual limit. Raises ValueError."""
    asked = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
    if unknown := set(asked) - PARAMETERS[resource]:
        raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
    if resource in USUAL:
        asked.setdefault("limit", str(USUAL[resource]))
        if not asked["limit"].isdecimal() or not 1 <= int(asked["limit"]) <= LARGEST[resource]:
            raise ValueError(f"limit: 1 to {LARGEST[resource]}")
    for name, allowed in (("verbose", ("true", "false")), ("sort", ("asc", "desc"))):
        if asked.get(name, allowed[0]) not in allowed:
            raise ValueError(f"{name}: one of {', '.join(allowed)}")
    if asked.get("class", "audience") not in ("audience", "computed_trait"):
        raise ValueError("class: audience or computed_trait")
    return asked


def _items(
    profile: Profile, resource: str, asked: dict[str, str]
) -> tuple[Sequence[Any], Callable[[Any], str]]:
    """All that fits, in order, and how each is named in a cursor."""
    only = asked.get("include", "").split(",") if asked.get("include") else None
    if resource in ("traits", "properties"):
        found = sorted((k, v) for k, v in profile.traits.items() if only is None or k in only)
        if asked.get("verbose") == "true":
            at = "2026-01-01T00:00:00Z"
            found = [(k, {"value": v, "source_id": "src_1", "updated_at": at}) for k, v in found]
        return found, lambda item: str(item[0])
    if resource == "external_ids":
        ids = [one for one in profile.external_ids if only is None or one["type"] in only]
        return ids, lambda item: f"map_{item['type']}_{item['id']}"
    events = [one for one in profile.events if _is_asked_for(one, only, asked)]
    return (events if asked.get("sort") == "asc" else events[::-1]), _event_name


def _is_asked_for(event: Json, only: list[str] | None, asked: dict[str, str]) -> bool:
    name, at = event["event"], _time(event["timestamp"])
    if (only is not None and name not in only) or name in asked.get("exclude", "").split(","):
        return False
    return ("start" not in asked or at >= _time(asked["start"])) and (
        "end" not in asked or at <= _time(asked["end"])
    )


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _event_name(event: Json) -> str:
    at_ns = int(_time(event["timestamp"]).timestamp() * 1_000_000_000)
    return base64.b64encode(f"{at_ns}::{event['message_id']}".encode()).decode()


def _page(
    items: Sequence[Any], name: Callable[[Any], str], asked: dict[str, str]
) -> tuple[Sequence[Any], str, bool]:
    """The part of `items` that is asked for, the cursor to what follows it, and whether anything does."""
    names = [name(item) for item in items]
    first = 0
    if wanted := asked.get("next"):
        if wanted not in names:
            raise ValueError("next: no such cursor")
        first = names.index(wanted)
    last = first + int(asked["limit"])
    has_more = last < len(items)
    return items[first:last], names[last] if has_more else "", has_more


def _json(said: Any) -> Answer:
    headers = {"Content-Type": "application/json", "Request-Id": "11111111-2222-4333-8444-555555555555"}
    return Answer(headers=headers, body=json.dumps(said).encode())


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    said = {"error": {"code": code, "message": message}}
    return Answer(status=status, headers=headers or {}, body=json.dumps(said).encode())
