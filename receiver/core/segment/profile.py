"""What can be asked of the Profile API: its resources, their parameters, and what is wrong with a question.

`Lookup.of` checks a question before it is sent and names all problems at once; nothing here sends anything,
and `receiver.core.segment.profile_talk` knows how the answers are read. Source: Segment's documentation of
the Profile API and of its limits.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import quote

from receiver.core.segment.request import can_be_sent

Get: TypeAlias = Literal["traits", "properties", "external_ids", "events", "metadata", "links"]
Collection: TypeAlias = Literal["users", "accounts"]
Class: TypeAlias = Literal["audience", "computed_trait"]
Sort: TypeAlias = Literal["asc", "desc"]
Missing: TypeAlias = Literal["empty", "fail"]

PAGE = 100
"""Items asked for at a time: the documentation says 1 to 100 for lists, and 200 in one place for traits."""
MOST_ITEMS = 10_000
LONGEST_ID = 1_000
"""Characters; a request line has its limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind of thing a profile has."""

    parameters: frozenset[str]
    """What may be said beside whose it is."""
    largest: int = 0
    """Highest `limit` Segment takes; 0: it has no items to count."""
    usual: int = 0
    """Items fetched where neither `limit` nor `max_items` is given."""

    @property
    def has_pages(self) -> bool:
        return "next" in self.parameters


_PAGED = ("limit", "max_items", "next")
RESOURCES: Mapping[Get, Resource] = {
    "traits": Resource(
        parameters=frozenset(("include", "class", "verbose", *_PAGED)), largest=200, usual=200
    ),
    "properties": Resource(parameters=frozenset(("include", "verbose", *_PAGED)), largest=200, usual=200),
    "external_ids": Resource(parameters=frozenset(("include", "verbose", *_PAGED)), largest=100, usual=100),
    "events": Resource(
        parameters=frozenset(("include", "exclude", "sort", "start", "end", *_PAGED)), largest=100, usual=10
    ),
    "metadata": Resource(parameters=frozenset(("verbose",))),
    "links": Resource(parameters=frozenset(("limit",)), largest=20, usual=20),
}
"""`properties` are the traits in another shape, see `profile_talk`."""

SELECTING = ("include", "exclude", "class", "verbose", "sort", "start", "end")
PARAMETERS = (*SELECTING, *_PAGED)
"""All that any resource knows, in the order people are shown them."""

_CHOICES: Mapping[str, tuple[str, ...]] = {"class": get_args(Class), "sort": get_args(Sort)}


class InvalidLookup(ValueError):
    """A question the Profile API would not understand. `problems` are pairs of a parameter and a sentence."""

    code = "invalid_lookup"

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{name}: {sentence}" for name, sentence in self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One question about one profile; equal questions are equal records. Made by `of`."""

    get: Get
    id: str
    """`<type>:<value>`, such as `user_id:42`."""
    collection: Collection = "users"
    asked: tuple[tuple[str, str], ...] = ()
    """The parameters that say which items, in Segment's spelling."""
    limit: int = 0
    """Items of one page; 0: the resource has none."""
    max_items: int = 0
    """Pages are fetched until there are so many."""
    next: str = ""
    """Where to begin: what an earlier answer called `next`."""

    @classmethod
    def of(cls, get: Get, id: Any, values: Mapping[str, Any], collection: Collection = "users") -> "Lookup":
        """The question; None stands for what is left out. Raises InvalidLookup with all problems."""
        given = {name: value for name, value in values.items() if not _is_left_out(value)}
        problems = [*check_id(id), *_check_collection(collection), *check(get, given)]
        if problems:
            raise InvalidLookup(problems)
        limit, most = _numbers(RESOURCES[get], given)
        return cls(
            get=get,
            id=id,
            collection=collection,
            asked=tuple((name, _written(given[name])) for name in SELECTING if name in given),
            limit=limit,
            max_items=most,
            next=given.get("next", ""),
        )


def check_id(id: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with the identifier of a profile."""
    kind, colon, value = id.partition(":") if isinstance(id, str) else ("", "", "")
    if not (kind.strip() and colon and value.strip()):
        yield "id", "write <type>:<value>, such as user_id:42"
    elif len(id) > LONGEST_ID:
        yield "id", f"{len(id):,} characters, expected at most {LONGEST_ID:,}"
    elif not can_be_sent(id):
        yield "id", "holds half a surrogate pair, which cannot be sent"


def _check_collection(collection: str) -> Iterator[tuple[str, str]]:
    if collection not in get_args(Collection):
        yield "collection", f"must be {' or '.join(get_args(Collection))}"


def check(get: Get, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with parameters of a resource, as pairs of a parameter and a sentence."""
    resource = RESOURCES[get]
    for name, value in given.items():
        if name not in resource.parameters:
            yield name, f"is no parameter of {get}; known: {_listed(resource)}"
        elif sentence := _problem(name, value, resource):
            yield name, sentence
    start, end = (_moment(given.get(name)) for name in ("start", "end"))
    if start and end and start >= end:
        yield "end", "must be later than start"


def quoted_id(id: str) -> str:
    """An identifier as a piece of a path: everything but letters, digits and `_.-~` percent-encoded."""
    kind, _, value = id.partition(":")
    return f"{quote(kind, safe='')}:{quote(value, safe='')}"


def _is_left_out(value: Any) -> bool:
    return value is None or value is False or value == () or value == []


def _listed(resource: Resource) -> str:
    return ", ".join(name for name in PARAMETERS if name in resource.parameters)


def _problem(name: str, value: Any, resource: Resource) -> str:
    match name:
        case "limit":
            return _out_of(value, resource.largest)
        case "max_items":
            return _out_of(value, MOST_ITEMS)
        case "include" | "exclude":
            return _wrong_names(value)
        case "class" | "sort":
            return "" if value in _CHOICES[name] else f"must be {' or '.join(_CHOICES[name])}"
        case "start" | "end":
            return "" if _moment(value) else "must be ISO 8601, such as 2026-05-01T12:00:00Z"
        case "verbose":
            return "" if isinstance(value, bool) else "must be true or false"
    return "" if isinstance(value, str) and value and can_be_sent(value) else "must be a text"


def _out_of(value: Any, most: int) -> str:
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
    return "" if fits else f"must be a whole number from 1 to {most:,}"


def _wrong_names(value: Any) -> str:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return "must be a list of names, or names with commas between"
    if not all(name.strip() and can_be_sent(name) for name in names):
        return "holds a name that is empty or cannot be sent"
    if any("," in name for name in names):
        return "holds a name with a comma, which the Profile API takes for two names"
    return ""


def _moment(value: Any) -> datetime | None:
    """The point in time; UTC where it does not say otherwise."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _numbers(resource: Resource, given: Mapping[str, Any]) -> tuple[int, int]:
    """Items of a page, and of all pages: `limit` alone means one page."""
    limit = given.get("limit", 0)
    most = given.get("max_items") or limit or resource.usual
    return limit or min(most, PAGE), most


def _written(value: Any) -> str:
    if value is True:
        return "true"
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).isoformat()
    return value if isinstance(value, str) else ",".join(value)
