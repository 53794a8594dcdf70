"""The way to the Profile API: within the rate a space has, kept for all workers together, and with a cache.

What is asked and what answers mean is in `receiver.core.segment.profile` and `profile_talk`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack, get_args

from receiver.core import backoff, clock, exact_json
from receiver.core.connections import Connection
from receiver.core.segment.profile import Class, Collection, Get, InvalidLookup, Lookup, Missing, Sort
from receiver.core.segment.profile_talk import Output, ProfileError, Reply, insist, request, talk
from receiver.core.shared_rate import SharedRate
from workers.cache import Cache
from workers.errors import RequestRefused, raise_for
from workers.http import Outbound
from workers.outcome import Dead, Done, Retry
from workers.pace import of_space

Answers = Cache[tuple[str, Lookup]]


class Profiles:
    """Reads the profiles of one connection. Lives in one event loop."""

    def __init__(self, connection: Connection, http: Outbound, rate: SharedRate, cache: Answers) -> None:
        self._connection, self._http, self._cache = connection, http, cache
        self._pace = of_space(connection, rate)

    async def get(self, lookup: Lookup, *, missing: Missing = "empty", cache_s: float = 0.0) -> Output:
        """The answer, which is the caller's to change. Raises RetryError or a permanent error."""
        try:
            if cache_s <= 0:
                found = await self._ask(lookup)
            else:
                key = (self._connection.name, lookup)
                found = exact_json.loads(await self._cache.get(key, cache_s, lambda: self._encoded(lookup)))
            if missing == "fail":
                insist(lookup, found)
        except ProfileError as error:
            outcome = _outcome(error)
            self._pace.heed(outcome)
            raise_for(outcome)
        return found

    async def _encoded(self, lookup: Lookup) -> bytes:
        return exact_json.dumps(await self._ask(lookup))

    async def _ask(self, lookup: Lookup) -> Output:
        talking = talk(lookup)
        target = next(talking)
        while True:
            raise_for(await self._pace.turn(1) or Done())
            reply = await self._reply(target)
            try:
                target = talking.send(reply)
            except StopIteration as end:
                output: Output = end.value
                return output

    async def _reply(self, target: str) -> Reply:
        response = await self._http.send(request(self._connection, target))
        retry_after = response.headers.get("Retry-After")
        return Reply(
            status=response.status,
            body=response.body,
            truncated=response.truncated,
            retry_after_s=backoff.parse_retry_after(retry_after, clock.SYSTEM.now_ms()),
            request_id=response.headers.get("Request-Id", ""),
        )


def _outcome(error: ProfileError) -> Retry | Dead:
    return Retry(error.code, str(error), error.after_s) if error.again else Dead(error.code, str(error))


class Options(TypedDict, total=False):
    """What every method of a ProfileConnection takes beside the id."""

    collection: Collection
    missing: Missing
    """`fail`: a profile that is not there is a permanent error, instead of `found: False`."""
    cache: float
    """How old an answer may be that this worker process has had to the same question, in seconds."""


class Verbose(Options, total=False):
    verbose: bool


class Page(Options, total=False):
    limit: int


class Pages(Page, total=False):
    include: Sequence[str]
    """A list of names, or a text with commas between them."""
    max_items: int
    next: str


class DetailedPages(Pages, Verbose, total=False):
    pass


class Traits(DetailedPages, total=False):
    class_: Class


class Events(Pages, total=False):
    exclude: Sequence[str]
    sort: Sort
    start: datetime | str
    end: datetime | str


class ProfileConnection:
    """What `context.profile("crm")` gives: what a profile has, by an id such as `user_id:42`.

    Each method takes the parameters of its resource, see docs/segment.md, and answers a dict with `found` and
    what was asked for under the method's name; what comes in pages also with `has_more` and `next`. They
    raise RetryError or a permanent error where a profile step would end so.
    """

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles

    async def traits(self, id: str, **options: Unpack[Traits]) -> Output:
        """Traits by name."""
        return await self._get("traits", id, options)

    async def properties(self, id: str, **options: Unpack[DetailedPages]) -> Output:
        """The traits as a list of `key` and `value`."""
        return await self._get("properties", id, options)

    async def external_ids(self, id: str, **options: Unpack[DetailedPages]) -> Output:
        """All its ids; `include` names types of ids."""
        return await self._get("external_ids", id, options)

    async def events(self, id: str, **options: Unpack[Events]) -> Output:
        """Its track events of the last 14 days, newest first."""
        return await self._get("events", id, options)

    async def metadata(self, id: str, **options: Unpack[Verbose]) -> Output:
        """When the profile was made and changed, and by which messages."""
        return await self._get("metadata", id, options)

    async def links(self, id: str, **options: Unpack[Page]) -> Output:
        """The accounts a user belongs to, or the users of an account."""
        return await self._get("links", id, options)

    async def _get(self, get: Get, id: str, options: Options) -> Output:
        values: dict[str, Any] = {name.removesuffix("_"): value for name, value in options.items()}
        collection, missing = values.pop("collection", "users"), values.pop("missing", "empty")
        cache_s = values.pop("cache", 0.0)
        try:
            if missing not in get_args(Missing):
                raise InvalidLookup([("missing", f"must be {' or '.join(get_args(Missing))}")])
            if isinstance(cache_s, bool) or not isinstance(cache_s, int | float):
                raise InvalidLookup([("cache", "must be a number of seconds")])
            lookup = Lookup.of(get, id, values, collection)
        except InvalidLookup as error:
            raise RequestRefused(error.code, str(error)) from None
        return await self._profiles.get(lookup, missing=missing, cache_s=cache_s)
