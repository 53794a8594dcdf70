"""Bodies as Segment makes them, by JSON.stringify: each message of a batch comes back byte for byte."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.schemes.base import Coverage, Verified
from receiver.split import split
from tests.support.http_side import WRITE_KEY, HttpSide
from tests.support.javascript import NODE, SDK, needs_node

pytestmark = [pytest.mark.e2e, needs_node]

CAP = 1_000_000
NAMES = (
    st.text(max_size=8) | st.integers(0, 99).map(str) | st.text(st.characters(categories=["Cs"]), max_size=2)
)
NUMBERS = st.integers() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=4)

Stringify = Callable[[list[Any]], list[bytes]]


@pytest.fixture(scope="module")
def stringify() -> Iterator[Stringify]:
    """What Node makes of objects: the batch as an array, as an envelope and wrapped, then each of them."""
    command = [NODE, str(SDK / "stringify.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as node:
        stdin, stdout = node.stdin, node.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(objects: list[Any]) -> list[bytes]:
            stdin.write(json.dumps(objects).encode() + b"\n")
            stdin.flush()
            return stdout.readline().removesuffix(b"\n").split(b"\t")

        yield ask
        stdin.close()
        assert node.wait(10) == 0


@settings(max_examples=200, deadline=None)
@given(objects=OBJECTS)
def test_a_batch_gives_back_the_exact_bytes_of_its_messages(stringify: Stringify, objects: list[Any]) -> None:
    array, envelope, wrapped, *single = stringify(objects)
    for body in (array, envelope, wrapped):
        found = split(Verified(body=body, coverage=Coverage.ALL), CAP)
        assert [element.body for element in found.kept] == single
        assert found.refused == []


@settings(max_examples=100, deadline=None)
@given(objects=OBJECTS.filter(len))
def test_fields_are_added_after_those_of_the_sender(stringify: Stringify, objects: list[Any]) -> None:
    """The tracking API adds fields to what it keeps, and leaves those that are there as they are."""
    envelope, *single = stringify(objects)[1:2] + stringify(objects)[3:]
    body = envelope.removesuffix(b"}") + b',"writeKey":' + json.dumps(WRITE_KEY).encode() + b"}"
    side = HttpSide()
    assert side.send(body, path="/v1/batch", headers={}).status == 200
    assert [kept[: len(one) - 1] for kept, one in zip(side.recorder.bodies, single, strict=True)] == [
        one[:-1] for one in single
    ]
