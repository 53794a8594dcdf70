import json
from typing import Any

import pytest

from receiver.core.segment.profile import Get, Lookup
from receiver.core.segment.profile_talk import Output, ProfileError, Reply, insist, talk
from tests.support.destination import Seen
from tests.support.segment_profiles import Profile, Profiles

TRAITS = {f"trait_{number:03}": number for number in range(250)}
EVENT = {"type": "track", "event": "Signed Up", "message_id": "m", "timestamp": "2026-05-01T12:00:00Z"}


class Space:
    """A Profile API without a network."""

    def __init__(self) -> None:
        self.api = Profiles()
        self.api.known = {
            "users/user_id:many": Profile(traits=dict(TRAITS)),
            "users/user_id:ann": Profile(
                traits={"plan": "gold", "age": 40},
                events=[
                    {**EVENT, "message_id": f"m{day}", "timestamp": f"2026-05-0{day}T12:00:00Z"}
                    for day in range(1, 6)
                ],
                external_ids=[{"type": "user_id", "id": "ann"}, {"type": "email", "id": "a@example.com"}],
                metadata={"created_at": "2026-01-01T00:00:00Z", "expires_at": None},
                links=[{"to_collection": "accounts", "external_ids": [{"type": "group_id", "id": "acme"}]}],
            ),
            "users/email:a@example.com": Profile(traits={"plan": "gold"}),
            "accounts/group_id:acme": Profile(traits={"employees": 7}),
        }
        self.targets: list[str] = []

    def ask(self, get: Get, id: str = "user_id:ann", **values: Any) -> Output:
        collection = values.pop("collection", "users")
        named = {name.rstrip("_"): value for name, value in values.items()}
        return self.drive(Lookup.of(get, id, named, collection))

    def drive(self, lookup: Lookup) -> Output:
        talking = talk(lookup)
        target = next(talking)
        while True:
            self.targets.append(target)
            path, _, query = target.partition("?")
            seen = Seen(
                method="GET",
                path=f"/v1/spaces/{self.api.space}{path}",
                query=query,
                headers={"authorization": "Basic cHJvZmlsZS10b2tlbjo="},
                body=b"",
            )
            answer = self.api.answer(seen)
            try:
                target = talking.send(Reply(status=answer.status, body=answer.body))
            except StopIteration as end:
                output: Output = end.value
                return output


@pytest.fixture
def space() -> Space:
    return Space()


def answered(*replies: Reply, get: Get = "traits") -> Output:
    """The end of a talk in which these came back."""
    talking = talk(Lookup.of(get, "user_id:ann", {"max_items": 200} if get != "metadata" else {}))
    next(talking)
    try:
        for reply in replies:
            talking.send(reply)
    except StopIteration as end:
        output: Output = end.value
        return output
    raise AssertionError("it asks for more")


def said(value: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode())


def test_traits(space: Space) -> None:
    found = space.ask("traits")
    assert found == {"found": True, "traits": {"age": 40, "plan": "gold"}, "has_more": False, "next": None}
    assert space.targets == ["/collections/users/profiles/user_id:ann/traits?limit=100"]


def test_of_an_account(space: Space) -> None:
    assert space.ask("traits", "group_id:acme", collection="accounts")["traits"] == {"employees": 7}


def test_only_the_traits_asked_for(space: Space) -> None:
    found = space.ask("traits", include=["plan", "name"], verbose=True)
    assert found["traits"] == {
        "plan": {"value": "gold", "source_id": "src_1", "updated_at": "2026-01-01T00:00:00Z"}
    }
    assert space.targets[0].endswith("?include=plan,name&verbose=true&limit=100")


def test_pages_are_followed_up_to_the_limit(space: Space) -> None:
    whole = space.ask("traits", "user_id:many", max_items=1_000)
    assert (whole["traits"], whole["has_more"]) == (TRAITS, False)
    assert len(space.targets) == 3

    part = space.ask("traits", "user_id:many", limit=30, max_items=50)
    assert list(part["traits"]) == list(TRAITS)[:50]
    assert (part["has_more"], part["next"]) == (True, "trait_050")
    assert "limit=30" in space.targets[3]
    assert "limit=20&next=trait_030" in space.targets[4]

    rest = space.ask("traits", "user_id:many", next=part["next"], limit=200)
    assert list(rest["traits"]) == list(TRAITS)[50:]


def test_properties_are_the_traits_as_items(space: Space) -> None:
    found = space.ask("properties")
    assert found["properties"] == [{"key": "age", "value": 40}, {"key": "plan", "value": "gold"}]
    detailed = space.ask("properties", include="plan", verbose=True)["properties"]
    assert detailed == [
        {"key": "plan", "value": "gold", "source_id": "src_1", "updated_at": "2026-01-01T00:00:00Z"}
    ]


def test_properties_fall_back_to_the_resource_of_old() -> None:
    missing = said({"error": {"code": "not_found", "message": "no"}}, 404)
    old = said({"data": [{"key": "plan", "value": "gold"}], "cursor": {"has_more": False, "next": ""}})
    found = answered(missing, old, get="properties")
    assert found["properties"] == [{"key": "plan", "value": "gold"}]


def test_events(space: Space) -> None:
    found = space.ask(
        "events", include=["Signed Up"], exclude=["Left"], sort="asc", start="2026-05-02T00:00:00Z"
    )
    assert [event["message_id"] for event in found["events"]] == ["m2", "m3", "m4", "m5"]
    newest = space.ask("events", limit=2)
    assert [event["message_id"] for event in newest["events"]] == ["m5", "m4"]
    older = space.ask("events", next=newest["next"], end="2026-05-09T00:00:00Z")
    assert [event["message_id"] for event in older["events"]] == ["m3", "m2", "m1"]


def test_external_ids_metadata_and_links(space: Space) -> None:
    assert space.ask("external_ids", include=["email"])["external_ids"][0]["id"] == "a@example.com"
    assert space.ask("metadata") == {
        "found": True,
        "metadata": {"created_at": "2026-01-01T00:00:00Z", "expires_at": None},
    }
    assert space.ask("links", limit=20)["links"][0]["to_collection"] == "accounts"


def test_email_addresses_are_looked_up_in_lower_case(space: Space) -> None:
    assert space.ask("traits", "email:A@Example.com")["found"]
    assert space.targets == ["/collections/users/profiles/email:a%40example.com/traits?limit=100"]


def test_other_ids_in_lower_case_when_there_is_none_as_given(space: Space) -> None:
    assert space.ask("traits", "user_id:Ann")["found"]
    assert [target.split("/")[4] for target in space.targets] == ["user_id:Ann", "user_id:ann"]


@pytest.mark.parametrize(
    ("get", "nothing"), [("traits", {}), ("metadata", {}), ("events", []), ("properties", []), ("links", [])]
)
def test_a_profile_that_is_not_there(space: Space, get: Get, nothing: object) -> None:
    found = space.ask(get, "user_id:nobody")
    assert not found["found"]
    assert found[get] == nothing
    with pytest.raises(ProfileError) as caught:
        insist(Lookup.of(get, "user_id:nobody", {}), found)
    assert (caught.value.code, caught.value.again) == ("profile_not_found", False)


@pytest.mark.parametrize(
    ("status", "code", "again"),
    [
        *((400, "validation_error", False), (401, "authentication_error", False), (403, "no", False)),
        *((429, "rate_limit_error", True), (408, "timeout", True), (500, "x", True), (503, "x", True)),
    ],
)
def test_refusals(status: int, code: str, again: bool) -> None:
    body = json.dumps({"error": {"code": code, "message": "because"}}).encode()
    with pytest.raises(ProfileError, match=f"answered {status}: {code} because .*req-1") as caught:
        answered(Reply(status=status, body=body, retry_after_s=3, request_id="req-1"))
    assert (caught.value.code, caught.value.again, caught.value.after_s) == (f"http_{status}", again, 3)


@pytest.mark.parametrize(
    ("reply", "code", "again"),
    [
        (Reply(status=404, body=b"<html>no such page</html>"), "http_404", False),
        (Reply(status=302, body=b""), "http_redirect", False),
        (Reply(status=200, body=b"<html>"), "invalid_answer", True),
        (Reply(status=200, body=b"[]"), "invalid_answer", True),
        (Reply(status=200, body=b"[" * 100_000), "invalid_answer", True),
        (Reply(status=200, body=b'{"traits": {', truncated=True), "response_too_large", False),
        (Reply(status=500, body=b'{"error": "text"}'), "http_500", True),
    ],
)
def test_answers_that_are_none(reply: Reply, code: str, again: bool) -> None:
    with pytest.raises(ProfileError) as caught:
        answered(reply)
    assert (caught.value.code, caught.value.again) == (code, again)


@pytest.mark.parametrize(
    "cursor",
    [
        None,
        7,
        {"has_more": True},
        {"has_more": True, "next": None},
        {"has_more": True, "next": 3},
        {"has_more": True, "next": "\ud83d"},
    ],
)
def test_a_cursor_that_leads_nowhere_ends_it(cursor: Any) -> None:
    assert answered(said({"traits": {"a": 1}, "cursor": cursor}))["traits"] == {"a": 1}


def test_a_cursor_that_stands_still_ends_it() -> None:
    page = said({"traits": {"a": 1}, "cursor": {"has_more": True, "next": "a"}})
    assert answered(page, page)["traits"] == {"a": 1}
    empty = said({"traits": {}, "cursor": {"has_more": True, "next": "b"}})
    assert answered(empty)["traits"] == {}


def test_a_cursor_that_leads_on_to_the_same_traits_ends_it() -> None:
    pages = [said({"traits": {"a": 1}, "cursor": {"has_more": True, "next": f"c{at}"}}) for at in range(2)]
    assert answered(*pages) == {"found": True, "traits": {"a": 1}, "has_more": True, "next": "c1"}


def test_what_has_another_shape_counts_as_nothing() -> None:
    assert answered(said({"traits": [1]}))["traits"] == {}
    assert answered(said({"data": "x"}), get="events")["events"] == []
