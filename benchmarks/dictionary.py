"""Makes the compression dictionary of `receiver.core.compress` from invented messages.

    python -m benchmarks.dictionary NUMBER

writes `receiver/core/dictionaries/NUMBER.zdict`: the same bytes each time with the same zstd. It never
overwrites: entries in users' stores refer to a dictionary by its number, so a better one takes the next
number (and `compress.CURRENT`). Trained on the invented companies of `benchmarks.training` only, which are
not the one the benchmarks measure, and never on anybody's data.
"""

import sys
from itertools import islice
from pathlib import Path

import zstandard

from benchmarks.messages import generate
from benchmarks.training import company
from receiver.core import compress

SIZE = 32 * 1024
COMPANIES = range(1000, 1300)
MESSAGES_EACH = 30


def train(number: int) -> bytes:
    """The dictionary's bytes; zstd's own search picks the segments."""
    samples: list[bytes | bytearray | memoryview] = [
        message for seed in COMPANIES for message in islice(generate(seed, company(seed)), MESSAGES_EACH)
    ]
    trained = zstandard.train_dictionary(SIZE, samples, dict_id=number, level=compress.LEVEL, d=8, steps=40)
    return trained.as_bytes()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or not arguments[0].isdigit() or not 0 < int(arguments[0]) < 256:
        print("usage: python -m benchmarks.dictionary NUMBER   (1 to 255)", file=sys.stderr)
        return 2
    number = int(arguments[0])
    path = Path(compress.__file__).parent / "dictionaries" / f"{number}.zdict"
    made = train(number)
    if path.exists():
        same = path.read_bytes() == made
        print(f"{path} exists and {'is what this makes' if same else 'differs; take the next number'}")
        return 0 if same else 1
    path.write_bytes(made)
    print(f"{path}: {len(made)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
