"""Log lines as programs and people read them, and what must not stand in them."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from receiver.core import log
from receiver.core.settings import Secret


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


def lines(stream: io.StringIO, *, level: str = "INFO") -> list[dict[str, Any]]:
    log.configure(level, stream=stream)
    logging.getLogger("hookyard.test").debug("quiet")
    logging.getLogger("hookyard.test").warning("%s elements refused", 3, extra={"source": "shop"})
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_program_reads_json_lines() -> None:
    (line,) = lines(io.StringIO())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "hookyard.test",
        "message": "3 elements refused",
        "source": "shop",
    }


def test_the_level_is_the_lowest_that_shows() -> None:
    assert [line["message"] for line in lines(io.StringIO(), level="DEBUG")] == [
        "quiet",
        "3 elements refused",
    ]


def test_a_person_reads_one_plain_line() -> None:
    stream = Terminal()
    log.configure("INFO", stream=stream)
    logging.getLogger("hookyard.test").warning("refused", extra={"path": "/hooks/\x1b[31m\nfake", "n": 3})
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert line.rstrip().endswith(r'warning hookyard.test: refused path="/hooks/\u001b[31m\nfake" n=3')


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_secret_shows_as_stars_wherever_it_stands(stream: io.StringIO) -> None:
    log.configure("INFO", stream=stream)
    secret = Secret("hunter2")
    fields = {"plain": secret, "deep": {"list": [secret, (secret,)]}, "set": {secret}}
    logging.getLogger("hookyard.test").info("with %s and %r", secret, {"a": secret}, extra=fields)
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("***") >= 5


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_a_traceback_is_part_of_the_line(stream: io.StringIO) -> None:
    log.configure("INFO", stream=stream)
    try:
        raise ValueError("lone \ud83d surrogate")
    except ValueError:
        logging.getLogger("hookyard.test").exception("failed", extra={"text": "\ud83d"})
    assert "ValueError: lone" in stream.getvalue()


def test_lines_of_a_request_carry_its_id() -> None:
    stream = io.StringIO()
    log.configure("INFO", stream=stream)
    token = log.request_id.set("abc-1")
    logging.getLogger("hookyard.test").info("inside")
    log.request_id.reset(token)
    logging.getLogger("hookyard.test").info("outside")
    inside, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert inside["request_id"] == "abc-1"
    assert "request_id" not in outside
