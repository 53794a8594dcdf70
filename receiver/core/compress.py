"""Stored messages are small and alike: a shipped zstd dictionary takes them to about a quarter.

An entry is one byte that says how to read it, then the data: 0 = as it came, n = a zstd frame made with the
dictionary `dictionaries/<n>.zdict`. Dictionaries are files of the package, never kept in Redis, where losing
one would make acknowledged messages unreadable; a released one is never changed or removed, a better one gets
the next number. They come from `python -m benchmarks.dictionary`: invented messages only.

Level 3 and 32 kB were measured (docs/performance.md): 4 µs a message; more of either gains a few bytes and
costs twice the time and more.
"""

import threading
from functools import cache
from pathlib import Path

import zstandard

from receiver.core.errors import HookError

CURRENT = 1
"""Number of the dictionary new entries are written with."""
LEVEL = 3
HASH_LOG, CHAIN_LOG = 16, 15
"""Tables half as large as the level's own: they share the processor's cache with all else that a message
passes through. Half a microsecond less, for half a byte more."""
LARGEST = 64 * 1024 * 1024
"""Most bytes an entry inflates to. Independent of the settings, so that lowering a limit hides no message."""

RAW = b"\x00"
_FOLDER = Path(__file__).parent / "dictionaries"
_FORMAT = zstandard.FORMAT_ZSTD1_MAGICLESS


class UnreadableEntry(HookError):
    """A stored entry cannot be read: its dictionary is not part of this version, or it is damaged."""

    code = "unreadable_entry"


def compress(body: bytes) -> bytes:
    """The entry to store for these bytes; at most one byte longer than they are."""
    if len(body) > LARGEST:
        return RAW + body
    frame = _threads.compress(body)
    return _PREFIX + frame if len(frame) < len(body) else RAW + body


def decompress(blob: bytes) -> bytes:
    """The exact bytes given to `compress`. Raises UnreadableEntry."""
    if not blob:
        raise UnreadableEntry("the entry is empty")
    number = blob[0]
    if number == 0:
        return blob[1:]
    decompressor = _threads.decompressor(number)
    frame = blob[1:]
    try:
        size = zstandard.get_frame_parameters(frame, format=_FORMAT).content_size
        if size > LARGEST:
            raise UnreadableEntry(f"the entry claims to hold {size} bytes")
        return decompressor.decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise UnreadableEntry(f"the entry is damaged: {error}") from error


class _PerThread(threading.local):
    """Compressors hold working memory and must not be shared by threads (heartbeats have their own)."""

    def __init__(self) -> None:
        compressor = zstandard.ZstdCompressor(dict_data=_prepared(CURRENT), compression_params=_parameters())
        self.compress = compressor.compress
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {}

    def decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        found = self._decompressors.get(number)
        if found is None:
            found = zstandard.ZstdDecompressor(dict_data=_dictionary(number), format=_FORMAT)
            self._decompressors[number] = found
        return found


def _parameters() -> zstandard.ZstdCompressionParameters:
    # No magic, checksum or dictionary id: the prefix byte and Redis' own checks do that work in fewer bytes.
    # The content size stays: it costs one byte and lets a reader refuse before it allocates.
    return zstandard.ZstdCompressionParameters.from_level(
        LEVEL,
        hash_log=HASH_LOG,
        chain_log=CHAIN_LOG,
        format=_FORMAT,
        write_checksum=False,
        write_dict_id=False,
        write_content_size=True,
    )


@cache
def _dictionary(number: int) -> zstandard.ZstdCompressionDict:
    path = _FOLDER / f"{number}.zdict"
    try:
        return zstandard.ZstdCompressionDict(path.read_bytes())
    except FileNotFoundError:
        raise UnreadableEntry(
            f"the entry needs compression dictionary {number}, which this version does not have; "
            "it was written by a newer Hookyard"
        ) from None


@cache
def _prepared(number: int) -> zstandard.ZstdCompressionDict:
    dictionary = zstandard.ZstdCompressionDict(_dictionary(number).as_bytes())
    dictionary.precompute_compress(compression_params=_parameters())
    return dictionary


_PREFIX = bytes([CURRENT])
_threads = _PerThread()
