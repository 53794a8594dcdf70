from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.segment.profile import LONGEST_ID, RESOURCES, Get, InvalidLookup, Lookup, quoted_id


def problems(get: Get, id: Any = "user_id:42", **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidLookup) as caught:
        Lookup.of(get, id, {name.rstrip("_"): value for name, value in values.items()})
    assert caught.value.code == "invalid_lookup"
    return list(caught.value.problems)


def test_parameters_are_written_as_segment_reads_them() -> None:
    values = {
        "include": ["Order Completed", "Signed Up"],
        "exclude": "Page Viewed",
        "sort": "asc",
        "start": datetime(2026, 5, 1, tzinfo=timezone(timedelta(hours=2))),
        "end": "2026-05-02",
    }
    asked = dict(Lookup.of("events", "user_id:42", values).asked)
    assert asked == {
        "include": "Order Completed,Signed Up",
        "exclude": "Page Viewed",
        "sort": "asc",
        "start": "2026-05-01T00:00:00+02:00",
        "end": "2026-05-02",
    }


def test_a_time_without_a_zone_is_utc() -> None:
    lookup = Lookup.of("events", "user_id:42", {"start": datetime(2026, 5, 1)})
    assert dict(lookup.asked) == {"start": "2026-05-01T00:00:00+00:00"}


def test_what_is_left_out_is_not_asked_for() -> None:
    values = {"include": None, "class": None, "verbose": False, "limit": None, "next": None}
    lookup = Lookup.of("traits", "user_id:42", values)
    assert lookup == Lookup.of("traits", "user_id:42", {})
    assert hash(lookup) == hash(Lookup.of("traits", "user_id:42", {"include": ()}))


@pytest.mark.parametrize(
    ("values", "limit", "most"),
    [
        ({}, 100, 200),
        ({"limit": 7}, 7, 7),
        ({"max_items": 7}, 7, 7),
        ({"limit": 150, "max_items": 900}, 150, 900),
    ],
)
def test_limit_alone_is_one_page(values: dict[str, int], limit: int, most: int) -> None:
    lookup = Lookup.of("traits", "user_id:42", values)
    assert (lookup.limit, lookup.max_items) == (limit, most)


def test_all_problems_are_named_at_once() -> None:
    found = problems(
        "events",
        id="42",
        include="",
        class_="audience",
        sort="up",
        start="yesterday",
        end="2026-13-01",
        limit=101,
        max_items=0,
        next=7,
    )
    assert [name for name, _ in found] == [
        *("id", "include", "class", "sort", "start", "end", "limit", "max_items", "next"),
    ]


def test_end_is_after_start() -> None:
    assert problems("events", start="2026-05-02", end="2026-05-01T23:00:00Z") == [
        ("end", "must be later than start")
    ]


@pytest.mark.parametrize("id", [None, "", ":", "42", "user_id", "user_id:", " :42", "user_id: ", 42])
def test_an_id_has_a_type_and_a_value(id: Any) -> None:
    assert problems("traits", id=id) == [("id", "write <type>:<value>, such as user_id:42")]


def test_an_id_that_cannot_be_sent() -> None:
    assert problems("traits", id="user_id:\ud83d")[0][0] == "id"
    assert problems("traits", id="user_id:" + "x" * LONGEST_ID)[0][0] == "id"


@pytest.mark.parametrize("value", [["a,b"], ["a", ""], [7], {"a": 1}, "a,,b", ["\ud83d"]])
def test_names_that_cannot_be_listed(value: Any) -> None:
    assert [name for name, _ in problems("traits", include=value)] == ["include"]


@pytest.mark.parametrize("get", RESOURCES)
def test_each_resource_refuses_what_it_does_not_know(get: Get) -> None:
    assert problems(get, ext="x")[0][0] == "ext"
    if RESOURCES[get].largest:
        assert problems(get, limit=RESOURCES[get].largest + 1)[0][0] == "limit"
        assert problems(get, limit=True)[0][0] == "limit"


SENDABLE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(SENDABLE, SENDABLE)
def test_any_id_survives_its_way_into_a_path(kind: str, value: str) -> None:
    kind = kind.replace(":", "_")
    quoted = quoted_id(f"{kind}:{value}")
    assert quoted.isascii()
    assert not set("/?#+ ") & set(quoted)
    assert [unquote(part) for part in quoted.split(":")] == [kind, value]
