"""Messages read from files of every usual shape."""

import io

import click
import pytest

from receiver.cli.message_files import bodies


def read(data: bytes) -> list[bytes]:
    return [body for body, _ in bodies(io.BytesIO(data), "f.json")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n \n", []),
        (b'{"a": 1}', [b'{"a":1}']),
        (b'{"a": 1}\n\n{"b": 2}\n', [b'{"a":1}', b'{"b":2}']),
        (b'\n{"a": 1}\r\n{"b": 2}', [b'{"a":1}', b'{"b":2}']),
        (b'{\n  "a": [1,\n 2]\n}\n', [b'{"a":[1,2]}']),
        (b'{\n"a": 1\n}\n{\n"b": 2\n}', [b'{"a":1}', b'{"b":2}']),
        (b'[{"a": 1}, {"b": 2}]', [b'[{"a":1},{"b":2}]']),
        ('{"a":\n"é"}'.encode(), ['{"a":"é"}'.encode()]),
    ],
)
def test_shapes(data: bytes, expected: list[bytes]) -> None:
    assert read(data) == expected


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"a": 1}\n{"a": \n', "f.json:2"),
        (b'{"a": 1}\n"text"\n', "f.json:2"),
        (b'\n\n{\n"a": nope}', "f.json:4:6"),
        (b"hello", "f.json:1"),
        (b'{\n"a": 1}\nhello', "f.json:3"),
        (b'{\n"a": "\xff"}', "f.json: not UTF-8"),
        (b"[\n" * 100_000, "f.json: nests too deep"),
    ],
)
def test_what_is_no_json_is_named_by_its_place(data: bytes, place: str) -> None:
    with pytest.raises(click.ClickException) as raised:
        read(data)
    assert raised.value.message.startswith(place)


def test_lines_are_read_one_by_one() -> None:
    opened = io.BytesIO(b'{"a":1}\n' * 1000)
    next(bodies(opened, "f"))
    assert opened.tell() < 100


def test_lengths_add_up_to_the_file() -> None:
    data = b'{"a":1}\n{"b":2}\n'
    assert sum(length for _, length in bodies(io.BytesIO(data), "f")) == len(data)
