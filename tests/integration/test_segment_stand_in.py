"""The stand-in is a judge in other tests: it must refuse what Segment refuses."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.destination import Answer
from tests.support.segment_profiles import Profile
from tests.support.segment_stand_in import MAX_BATCH, MAX_CALL, MAX_ITEMS, SegmentStandIn

SEEN = {"type": "track", "event": "Seen", "userId": "u1"}
PROFILE = "/v1/spaces/space/collections/users/profiles/"


@pytest.fixture(scope="module")
def segment() -> Iterator[SegmentStandIn]:
    with SegmentStandIn(key="write-key") as server:
        yield server


def basic(user: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:".encode()).decode()


def asked(
    server: SegmentStandIn, path: str, body: Any = None, *, authorization: str = ""
) -> tuple[int, Any, Any]:
    """Status, parsed body, headers."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data=data)  # noqa: S310 - http on loopback
    if authorization:
        request.add_header("Authorization", authorization)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, json.load(answer), answer.headers
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused), refused.headers


def tracked(server: SegmentStandIn, path: str, body: Any, key: str = "write-key") -> int:
    return asked(server, path, body, authorization=basic(key))[0]


def test_it_keeps_what_segment_keeps(segment: SegmentStandIn) -> None:
    segment.items.clear()
    assert tracked(segment, "/v1/track", {"event": "Seen", "userId": "u1"}) == 200
    assert tracked(segment, "/v1/group/", {"groupId": "g", "userId": "u1"}) == 200
    assert asked(segment, "/v1/batch", {"batch": [SEEN], "writeKey": "write-key"})[0] == 200
    assert [item["type"] for item in segment.items] == ["track", "group", "track"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"type": "track", "event": "Seen"}, "no_user_anon_id"),
        ({"type": "track", "userId": "u1"}, "event_not_defined"),
        ({"type": "identify", "userId": 7}, "id_not_string"),
        ({"type": "group", "userId": "u1"}, "id_required"),
        ({"type": "page", "userId": "u1", "name": 7}, "name_not_string"),
        ({**SEEN, "properties": []}, "properties_not_object"),
        ({"userId": "u1"}, "type_invalid"),
    ],
)
def test_it_drops_after_a_200_what_segment_drops(
    segment: SegmentStandIn, item: dict[str, Any], why: str
) -> None:
    segment.items.clear()
    segment.dropped.clear()
    assert tracked(segment, "/v1/batch", {"batch": [item, SEEN]}) == 200
    assert (segment.items, segment.dropped) == ([SEEN], [(why, item)])


def test_wrong_keys_are_answered_as_segment_does(segment: SegmentStandIn) -> None:
    segment.items.clear()
    assert tracked(segment, "/v1/batch", {"batch": [SEEN]}, key="some-other-key") == 200
    assert tracked(segment, "/v1/batch", {"batch": [SEEN]}, key="short") == 400
    assert asked(segment, "/v1/batch", {"batch": [SEEN]})[0] == 400
    assert segment.items == []


def test_its_limits_are_segments(segment: SegmentStandIn) -> None:
    segment.items.clear()
    large = {**SEEN, "properties": {"text": "x" * MAX_CALL}}
    assert tracked(segment, "/v1/track", large) == 400
    assert tracked(segment, "/v1/batch", {"batch": [large]}) == 400
    assert tracked(segment, "/v1/batch", {"batch": [SEEN], "text": "x" * MAX_BATCH}) == 400
    assert tracked(segment, "/v1/batch", {"batch": [SEEN] * (MAX_ITEMS + 1)}) == 200
    assert tracked(segment, "/v1/batch", b"{") == 400
    assert tracked(segment, "/v1/track", None) == 400  # a GET
    assert segment.items == []


def test_it_misbehaves_as_told() -> None:
    with SegmentStandIn(per_second=1, key="write-key") as server:
        server.then(Answer(status=503), Answer(body=b'"broken'))
        assert tracked(server, "/v1/batch", {"batch": [SEEN]}) == 503
        with pytest.raises(ValueError, match="Unterminated"):
            tracked(server, "/v1/batch", {"batch": [SEEN]})
        assert tracked(server, "/v1/batch", {"batch": [SEEN]}) == 200
        status, _, headers = asked(server, "/v1/batch", {"batch": [SEEN]}, authorization=basic("write-key"))
        assert (status, headers["Retry-After"], headers["X-RateLimit-Reset"]) == (429, "1", "1")


def test_profiles_are_found_by_encoded_ids_and_paged(segment: SegmentStandIn) -> None:
    segment.profiles.known["users/email:a+b@example.com"] = Profile(traits={"b": 2, "a": 1, "c": 3})
    place, token = PROFILE + "email:a%2Bb%40example.com/traits", basic("profile-token")
    status, first, _ = asked(segment, place + "?limit=2", authorization=token)
    assert (status, first["traits"], first["cursor"]["has_more"]) == (200, {"a": 1, "b": 2}, True)
    _, second, _ = asked(segment, f"{place}?limit=2&next={first['cursor']['next']}", authorization=token)
    assert (second["traits"], second["cursor"]["has_more"], second["cursor"]["next"]) == ({"c": 3}, False, "")


def test_events_come_newest_first_and_between_times(segment: SegmentStandIn) -> None:
    events = [
        {"message_id": f"m{day}", "event": "Seen", "timestamp": f"2026-01-0{day}T00:00:00Z"}
        for day in (1, 2, 3)
    ]
    segment.profiles.known["users/user_id:u1"] = Profile(events=events)
    place, token = PROFILE + "user_id:u1/events", basic("profile-token")
    _, newest, _ = asked(segment, place + "?limit=2", authorization=token)
    assert [event["message_id"] for event in newest["data"]] == ["m3", "m2"]
    _, rest, _ = asked(segment, f"{place}?limit=2&next={newest['cursor']['next']}", authorization=token)
    assert [event["message_id"] for event in rest["data"]] == ["m1"]
    _, found, _ = asked(segment, place + "?start=2026-01-02T00:00:00Z&sort=asc", authorization=token)
    assert [event["message_id"] for event in found["data"]] == ["m2", "m3"]


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        ("user_id:nobody/traits", "profile-token", 404, "not_found"),
        ("user_id:u1/traits", "wrong", 401, "authentication_error"),
        ("user_id:a+b/traits", "profile-token", 500, "internal_error"),
        ("user_id:u1/properties", "profile-token", 404, "not_found"),
        ("user_id:u1/traits?limit=0", "profile-token", 400, "validation_error"),
        ("user_id:u1/traits?size=1", "profile-token", 400, "validation_error"),
    ],
)
def test_the_profile_api_refuses(
    segment: SegmentStandIn, path: str, token: str, status: int, code: str
) -> None:
    segment.profiles.known["users/user_id:u1"] = Profile(traits={"a": 1})
    found, said, _ = asked(segment, PROFILE + path, authorization=basic(token))
    assert (found, said["error"]["code"]) == (status, code)


def test_the_resource_that_is_gone_may_be_there_still() -> None:
    with SegmentStandIn() as server:
        server.profiles.serves_properties = True
        server.profiles.known["users/user_id:u1"] = Profile(traits={"b": 2, "a": 1})
        path = PROFILE + "user_id:u1/properties?limit=1"
        status, said, _ = asked(server, path, authorization=basic("profile-token"))
    assert (status, said["data"], said["cursor"]["next"]) == (200, [{"key": "a", "value": 1}], "b")


def test_a_space_has_so_many_requests_a_second() -> None:
    with SegmentStandIn() as server:
        server.profiles.per_second = 2
        server.profiles.known["users/user_id:u1"] = Profile()
        ask = [
            asked(server, PROFILE + "user_id:u1/metadata", authorization=basic("profile-token"))
            for _ in range(3)
        ]
    assert [status for status, _, _ in ask] == [200, 200, 429]
    assert ask[2][2]["Retry-After"] is None


def test_the_public_api_takes_bearer_tokens(segment: SegmentStandIn) -> None:
    assert asked(segment, "/", authorization="Bearer public-token")[0] == 200
    assert asked(segment, "/", authorization="Bearer wrong")[0] == 401
    assert asked(segment, "/nowhere", authorization="Bearer public-token")[0] == 404
