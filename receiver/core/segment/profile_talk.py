"""The talk with the Profile API, without any I/O: which requests a question takes, what the answers mean.

`talk` is a generator that whoever has a connection drives: it yields paths to GET, is sent what came back,
and returns that part of the profile as later steps see it. So pages, second questions and errors are decided
once, for workers and for the command line.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from receiver.core import exact_json
from receiver.core.connections import Connection
from receiver.core.segment.answers import error_of
from receiver.core.segment.profile import RESOURCES, Lookup, quoted_id
from receiver.core.segment.request import AUTHORIZATION, JSON_TYPE, Request, authorization, can_be_sent

Output: TypeAlias = dict[str, Any]
"""`found`, what was asked for under its own name, and for lists `has_more` and `next`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back for one request."""

    status: int
    body: bytes
    truncated: bool = False
    """There was more than is ever read."""
    retry_after_s: float | None = None
    request_id: str = ""
    """Header `Request-Id`: what Segment's support asks for."""


class ProfileError(Exception):
    """The Profile API did not give what was asked. `again`: trying again may help, after `after_s` at the
    earliest."""

    def __init__(self, code: str, message: str, *, again: bool = False, after_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.again = again
        self.after_s = after_s


Talk: TypeAlias = Generator[str, Reply, Output]


def talk(lookup: Lookup) -> Talk:
    """Ask. Yields paths below the space, each with its query; raises ProfileError.

    A profile that is not there is asked for under every name it may have: ids with capital letters once more
    in lower case, since Segment documents look-ups in lower case only; `properties` by the resource of that
    name that earlier versions of the API had. When all are in vain, `found` is false.
    """
    for id in _spellings(lookup.id):
        for path in _paths(lookup):
            found = yield from _pages(
                lookup, f"/collections/{lookup.collection}/profiles/{quoted_id(id)}/{path}"
            )
            if found is not None:
                return found
    return _output(lookup, {} if lookup.get in ("traits", "metadata") else [], "", found=False)


def request(connection: Connection, target: str) -> Request:
    """The request for what `talk` yields."""
    return Request(
        method="GET",
        url=f"{connection.profile_url}/v1/spaces/{connection.space_id}{target}",
        headers={AUTHORIZATION: authorization(connection, "profile"), "Accept": JSON_TYPE},
    )


def insist(lookup: Lookup, output: Output) -> None:
    """Raises ProfileError when there is no such profile."""
    if not output["found"]:
        raise ProfileError("profile_not_found", f"no profile in {lookup.collection} has this id")


def _spellings(id: str) -> Iterable[str]:
    """As it was given, then in lower case; e-mail addresses, whose case never matters, in lower case only."""
    lower = id.lower()
    return dict.fromkeys([lower] if lower.startswith("email:") else [id, lower])


def _paths(lookup: Lookup) -> Iterable[str]:
    return ("traits", "properties") if lookup.get == "properties" else (lookup.get,)


def _pages(lookup: Lookup, path: str) -> Generator[str, Reply, Output | None]:
    """One page after the other, as long as they bring something new; None: there is no such profile."""
    found: dict[str, Any] | list[Any] | None = None
    next_ = lookup.next
    while True:
        reply = yield _target(lookup, path, next_, already=len(found or ()))
        answer = _read(reply)
        if answer is None:
            return None
        items, already = _items(lookup, answer), len(found or ())
        found = items if found is None else _joined(found, items)
        cursor = answer.get("cursor")
        before, next_ = next_, _next(cursor if isinstance(cursor, dict) else {})
        if not (next_ and next_ != before and already < len(found) < lookup.max_items):
            return _output(lookup, found, next_)


def _target(lookup: Lookup, path: str, next_: str, *, already: int) -> str:
    query = list(lookup.asked)
    if lookup.limit:
        query.append(("limit", str(min(lookup.limit, lookup.max_items - already))))
    if next_:
        query.append(("next", next_))
    return path + (f"?{urlencode(query, safe=',', quote_via=quote)}" if query else "")


def _read(reply: Reply) -> dict[str, Any] | None:
    """The object of a good answer; None: there is no such profile. Raises ProfileError."""
    if reply.status != 200:
        code, sentence = error_of(reply.body)
        if reply.status == 404 and code == "not_found":
            return None
        raise _refusal(reply, f"{code} {sentence}".strip())
    if reply.truncated:
        advice = "the answer is too long to be read; ask for less with include or limit"
        raise ProfileError("response_too_large", advice)
    try:
        answer = exact_json.loads(reply.body)
    except exact_json.NotJson:
        answer = None
    if isinstance(answer, dict):
        return answer
    what = f"the Profile API answered what is no JSON object{_traced(reply)}"
    raise ProfileError("invalid_answer", what, again=True)


def _refusal(reply: Reply, said: str) -> ProfileError:
    message = f"the Profile API answered {reply.status}" + (f": {said}" if said else "") + _traced(reply)
    code = "http_redirect" if 300 <= reply.status < 400 else f"http_{reply.status}"
    again = reply.status in (408, 429) or reply.status >= 500
    return ProfileError(code, message, again=again, after_s=reply.retry_after_s)


def _traced(reply: Reply) -> str:
    return f" (Request-Id {reply.request_id[:100]})" if reply.request_id else ""


def _items(lookup: Lookup, answer: dict[str, Any]) -> dict[str, Any] | list[Any]:
    """What an answer holds of what was asked for."""
    if lookup.get == "metadata":
        return _mapping(answer.get("metadata"))
    if lookup.get == "traits":
        return _mapping(answer.get("traits"))
    if lookup.get == "properties" and "traits" in answer:
        return [_property(key, value, lookup) for key, value in _mapping(answer["traits"]).items()]
    data = answer.get("data")
    return data if isinstance(data, list) else []


def _property(key: str, value: Any, lookup: Lookup) -> dict[str, Any]:
    if ("verbose", "true") in lookup.asked and isinstance(value, dict):
        return {"key": key, **value}
    return {"key": key, "value": value}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _joined(before: Any, items: Any) -> Any:
    return {**before, **items} if isinstance(before, dict) else [*before, *items]


def _next(cursor: dict[str, Any]) -> str:
    value = cursor.get("next") if cursor.get("has_more") else None
    return value if isinstance(value, str) and can_be_sent(value) else ""


def _output(lookup: Lookup, items: Any, next_: str, *, found: bool = True) -> Output:
    output = {"found": found, lookup.get: items}
    if RESOURCES[lookup.get].has_pages:
        output |= {"has_more": bool(next_), "next": next_ or None}
    return output
