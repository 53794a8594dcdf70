"""Entries read back exactly, cost little, and a released dictionary stays what it was."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.messages import many
from receiver.core import compress as module
from receiver.core.compress import LARGEST, RAW, UnreadableEntry, compress, decompress

MESSAGES = many(300, seed=77)

RELEASED = {
    1: "20e9215b583d161dea797a23a8364c0d34fc5647dce78be4f07fbac14a46a1c5",
}
"""Digest of every dictionary ever released: entries in users' stores need exactly these bytes."""

ENTRY_OF_1 = (
    "0120f38501002832372e35300efc06f242e65a26727f420bf4801e46aecd8cf01c967356f203128c8a8b315e8888f766d45f"
    "a3223f20"
)


@given(st.binary(max_size=3000))
def test_any_bytes_come_back(body: bytes) -> None:
    blob = compress(body)
    assert decompress(blob) == body
    assert len(blob) <= len(body) + 1


def test_messages_shrink_to_less_than_a_third() -> None:
    blobs = [compress(body) for body in MESSAGES]
    assert [decompress(blob) for blob in blobs] == MESSAGES
    assert sum(map(len, blobs)) < sum(map(len, MESSAGES)) / 3


def test_every_entry_names_its_dictionary() -> None:
    assert {compress(body)[0] for body in MESSAGES} == {module.CURRENT}


def test_what_does_not_shrink_is_stored_as_it_came() -> None:
    body = hashlib.sha256(b"noise").digest()
    assert compress(body) == RAW + body


def test_an_older_entry_stays_readable() -> None:
    """Made with dictionary 1 before its release; must be readable for ever."""
    assert decompress(bytes.fromhex(ENTRY_OF_1)) == (
        b'{"anonymousId":null,"channel":"server","context":{"library":{"name":"analytics-python",'
        b'"version":"2.4.0"}},"event":"Order Completed","integrations":{},"properties":{"currency":"EUR",'
        b'"total":27.5},"type":"track","userId":"usr_1001","version":2}'
    )


def test_released_dictionaries_never_change() -> None:
    folder = Path(module.__file__).parent / "dictionaries"
    found = {int(path.stem): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.zdict")}
    assert found == RELEASED
    assert max(found) == module.CURRENT


def test_an_unknown_dictionary_is_named_in_the_error() -> None:
    with pytest.raises(UnreadableEntry, match="dictionary 250"):
        decompress(b"\xfa" + compress(MESSAGES[0])[1:])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda blob: b"",
        lambda blob: blob[:1],
        lambda blob: blob[:-3],
        lambda blob: blob + b"more",
        lambda blob: blob[:1] + b"\xff" * 40,
    ],
    ids=["empty", "prefix only", "cut", "with a tail", "noise"],
)
def test_a_damaged_entry_is_one_clear_error(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnreadableEntry):
        decompress(spoil(compress(MESSAGES[0])))


def test_an_entry_that_claims_too_much_is_refused_before_memory_is_taken() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(
        1, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=True
    )
    bomb = zstandard.ZstdCompressor(compression_params=parameters).compress(bytes(LARGEST + 1))
    with pytest.raises(UnreadableEntry, match=str(LARGEST + 1)):
        decompress(bytes([module.CURRENT]) + bomb)


def test_what_is_too_large_to_read_back_is_not_compressed() -> None:
    body = bytes(LARGEST + 1)
    assert compress(body)[:1] == RAW


def test_threads_do_not_share_a_compressor() -> None:
    def work(_: int) -> bool:
        return all(decompress(compress(body)) == body for body in MESSAGES)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))
