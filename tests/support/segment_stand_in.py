"""A Segment on loopback that keeps to the documented rules: the tracking API, the Profile API, some of the
public API. It records what it got, and misbehaves as told.

The rules are those of Segment's documentation, written down once more and apart from the product's own
reading of them. Three APIs share one port, for their paths differ.
"""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from receiver.core.clock import SYSTEM
from tests.support.destination import Answer, Destination, Seen
from tests.support.segment_profiles import Profiles

MAX_CALL = 32 * 1024
MAX_BATCH = 500_000
MAX_ITEMS = 2_500
SHORTEST_KEY = 8
"""Of a key that Segment takes for one, whether it knows it or not."""
CALLS = ("identify", "track", "page", "screen", "group", "alias")
LETTERS = {call[0]: call for call in CALLS}


class SegmentStandIn(Destination):
    """`with SegmentStandIn() as segment:` serves all three at `segment.url`. Answers of the `script` come
    first, whatever was asked.

    `refuses` says for which items a whole batch is answered 400. `per_second` is the rate of the tracking
    API; above it, 429 with `Retry-After`.
    """

    def __init__(
        self,
        *script: Answer,
        key: str = "key",
        refuses: Callable[[Any], bool] | None = None,
        per_second: float | None = None,
    ) -> None:
        super().__init__(*script)
        self.profiles = Profiles()
        """What the Profile API knows, and how it behaves."""
        self.items: list[dict[str, Any]] = []
        """Messages it took and kept."""
        self.dropped: list[tuple[str, Any]] = []
        """What it answered 200 and threw away: why, and what."""
        self.public_token = "public-token"
        self._key = key
        self._refuses = refuses or (lambda item: False)
        self._rate = None if per_second is None else Rate(per_second)

    async def answer(self, seen: Seen) -> Answer:
        if self._script:
            return self._script.popleft()
        if seen.path.startswith("/v1/spaces/"):
            return self.profiles.answer(seen)
        if seen.path.startswith("/v1/"):
            return self._track(seen)
        return self._public(seen)

    def _track(self, seen: Seen) -> Answer:
        if self._rate is not None and not self._rate.allows():
            return refusal(429, "rate limited", {"Retry-After": "1", "X-RateLimit-Reset": "1"})
        name = seen.path.removeprefix("/v1/").removesuffix("/")
        call = LETTERS.get(name, name)
        if call not in (*CALLS, "batch", "import", "b"):
            return refusal(404, "not found")
        try:
            body = json.loads(seen.body) if seen.method == "POST" else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return refusal(400, "malformed JSON")
        if len(seen.body) > (MAX_CALL if call in CALLS else MAX_BATCH):
            return refusal(400, "Exceed payload limit")
        key = body.get("writeKey") or _basic(seen)
        if not isinstance(key, str) or (key != self._key and len(key) < SHORTEST_KEY):
            return refusal(400, "An invalid write key was provided")
        items = [{**body, "type": call}] if call in CALLS else body.get("batch")
        return self._take(items, known=key == self._key)

    def _take(self, items: Any, *, known: bool) -> Answer:
        if not isinstance(items, list) or any(_size(item) > MAX_CALL for item in items):
            return refusal(400, "Exceed payload limit" if isinstance(items, list) else "malformed JSON")
        if any(self._refuses(item) for item in items):
            return refusal(400, "refused for one of its items")
        reason = "unknown write key" if not known else "too many" if len(items) > MAX_ITEMS else ""
        for item in items:
            if why := reason or why_dropped(item):
                self.dropped.append((why, item))
            else:
                self.items.append(item)
        return Answer()

    def _public(self, seen: Seen) -> Answer:
        if seen.headers.get("authorization") != f"Bearer {self.public_token}":
            return _public_error(401, "authentication", "Unauthorized")
        if (seen.method, seen.path) == ("GET", "/"):
            workspace = {"id": "9aQ1Lj62S4bomZKLF4DPqW", "name": "Stand-in", "slug": "stand-in"}
            return Answer(body=json.dumps({"data": {"workspace": workspace}}).encode())
        if (seen.method, seen.path) == ("GET", "/sources"):
            page = {"sources": [{"id": "src_1", "slug": "website"}], "pagination": {"current": "MA=="}}
            return Answer(body=json.dumps({"data": page}).encode())
        return _public_error(404, "not-found", "no such resource")


class Rate:
    """So many requests in any second, by the machine's clock."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._seen: list[float] = []

    def allows(self) -> bool:
        now = SYSTEM.monotonic()
        self._seen = [at for at in self._seen if at > now - 1]
        if len(self._seen) >= self._per_second:
            return False
        self._seen.append(now)
        return True


def why_dropped(item: Any) -> str:
    """Segment's code for a message it answers 200 and drops; empty: it is kept."""
    if not isinstance(item, dict) or item.get("type") not in CALLS:
        return "type_invalid"
    named = ("userId", "anonymousId") if item["type"] != "alias" else ("userId", "previousId")
    ids = [item[name] for name in named if item.get(name) not in (None, "")]
    if not all(isinstance(one, str) for one in ids):
        return "id_not_string"
    if len(ids) < (2 if item["type"] == "alias" else 1):
        return "no_user_anon_id"
    if item["type"] == "group" and not item.get("groupId"):
        return "id_required"
    if item["type"] == "track" and not item.get("event"):
        return "event_not_defined"
    return _wrong_shape(item)


def _wrong_shape(item: dict[str, Any]) -> str:
    for name in ("event", "name", "category"):
        if not isinstance(item.get(name), str | None):
            return f"{name}_not_string"
    for name in ("properties", "traits", "context"):
        if not isinstance(item.get(name), dict | None):
            return f"{name}_not_object"
    return ""


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    """An error as the tracking API words it."""
    said = {"success": False, "code": "invalid_request", "message": message}
    return Answer(status=status, headers=headers or {}, body=json.dumps(said).encode())


def _public_error(status: int, kind: str, message: str) -> Answer:
    return Answer(status=status, body=json.dumps({"errors": [{"type": kind, "message": message}]}).encode())


def _basic(seen: Seen) -> str | None:
    """The user name of the Authorization header; a missing colon is no matter."""
    scheme, _, value = seen.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _size(item: Any) -> int:
    return len(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
