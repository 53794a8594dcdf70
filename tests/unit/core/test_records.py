import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core import records
from receiver.core.compress import compress
from receiver.core.keys import BLOCK
from receiver.core.message import Attempt, Status, Trigger
from receiver.core.records import Progress, Record, Reference

STORED = sorted(records.LETTERS)
names = st.text(st.characters(categories=["Ll", "Nd"], include_characters="_-"), max_size=20)
milliseconds = st.integers(0, 10**10)
stored = st.builds(
    Record,
    status=st.sampled_from(STORED),
    attempts=st.integers(0, 10**6),
    base=st.integers(0, 10**6),
    code=names,
    finished_ms=st.none() | milliseconds,
    duration_ms=st.none() | milliseconds,
    step=names,
)
references = st.builds(
    Reference, number=st.integers(1, 10**12), route=st.integers(1, 10**6), replay=st.integers(0, 10**6)
)


def at_once(record: Record) -> bool:
    return (record.status, record.attempts, record.base, record.code) == (Status.DELIVERED, 1, 0, "")


@given(stored.filter(lambda record: not at_once(record)))
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    assert records.unpack_record(records.pack_record(record)) == record


@given(milliseconds, st.integers(0, 10**6))
def test_one_that_worked_at_once_is_a_number(finished_ms: int, duration_ms: int) -> None:
    record = Record(
        status=Status.DELIVERED, attempts=1, finished_ms=finished_ms, duration_ms=min(duration_ms, 65_535)
    )
    packed = records.pack_record(record)
    assert packed.isdigit()
    assert records.unpack_record(packed) == record


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("q|0", Record(status=Status.QUEUED, attempts=0)),
        ("q|3|3", Record(status=Status.QUEUED, attempts=3, base=3)),
        ("p|0||replay_cancelled", Record(status=Status.DROPPED, attempts=0, code="replay_cancelled")),
        (
            "x|3||worker_crashed|120",
            Record(status=Status.DEAD, attempts=3, code="worker_crashed", finished_ms=120),
        ),
        (
            "d|2||ok|40|3|post|what a later version adds",
            Record(
                status=Status.DELIVERED, attempts=2, code="ok", finished_ms=40, duration_ms=3, step="post"
            ),
        ),
    ],
)
def test_what_scripts_and_other_versions_wrote_is_read(text: str, record: Record) -> None:
    assert records.unpack_record(text) == record


@given(references)
def test_a_reference_comes_back_from_its_text(reference: Reference) -> None:
    assert records.reference(str(reference)) == reference


few = st.integers(0, 3)


@given(st.sets(st.tuples(st.integers(0, BLOCK - 1), few, few), min_size=2))
def test_in_a_block_every_delivery_has_its_own_field(deliveries: set[tuple[int, int, int]]) -> None:
    made = [Reference(7 * BLOCK + offset, route, replay) for offset, route, replay in deliveries]
    assert len({one.field for one in made}) == len(made)
    assert all(one.replay or one.field.isdigit() for one in made)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
attempts = st.builds(
    Attempt,
    number=st.integers(1, 100),
    trigger=st.sampled_from(Trigger),
    code=names,
    started_ms=milliseconds,
    duration_ms=milliseconds,
    step=names,
    error=st.text(),
)


@given(st.lists(attempts, max_size=3), st.dictionaries(names, values, max_size=3))
def test_progress_comes_back_as_it_was(history: list[Attempt], outputs: dict[str, Any]) -> None:
    packed = records.pack_progress(Progress(history=history, outputs=outputs))
    assert records.unpack_progress(packed) == Progress(history=history, outputs=outputs)


def test_no_progress_is_an_empty_one_and_lone_surrogates_are_kept() -> None:
    assert records.unpack_progress("") == Progress()
    odd = Progress(outputs={"step": "\ud83d"})
    packed = records.pack_progress(odd)
    assert json.loads(packed) == {"outputs": {"step": "\ud83d"}}
    assert records.unpack_progress(packed) == odd


@pytest.mark.parametrize("path", ["shop", "shop/crm"])
@pytest.mark.parametrize("covered", [True, False])
@pytest.mark.parametrize("orders_purge", [True, False])
@pytest.mark.parametrize("settings", ["", "eyJhIjogMX0="])
def test_an_entry_comes_back_as_it_was(path: str, covered: bool, orders_purge: bool, settings: str) -> None:
    info = records.pack_info("shop", path, covered=covered, orders_purge=orders_purge, settings=settings)
    message = records.unpack_entry("17-1700", compress(b"{}"), info + "1,3", {1: "a"}, 2)
    assert (message.number, message.received_ms, message.body) == (17, 1700, b"{}")
    assert (message.source, message.path, message.covered) == ("shop", path, covered)
    assert (message.routes, message.same_id_as, message.repeats) == (("a", "#3"), None, 2)
    assert message.orders_purge is orders_purge
    assert records.customer_settings(info + "1,3") == ({"a": 1} if settings else {})
    assert records.unpack_entry("18-1700", compress(b"{}"), info + "|5", {}).same_id_as == 5


def test_the_digests_tell_ids_sources_and_paths_apart() -> None:
    made = {
        records.identity(*of) for of in (("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("x", "b", "c"))
    }
    assert {len(digest) for digest in made} == {records.ID_BYTES}
    assert len(made) == 4
    assert records.user_digest("\ud83d") != records.user_digest("u")
