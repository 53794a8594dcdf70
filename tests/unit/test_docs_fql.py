"""docs/fql.md says only what is so."""

import json
import re
from pathlib import Path

import pytest

from receiver.core.fql import compile_fql
from receiver.core.fql.functions import FUNCTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "fql.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```fql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
TABLE = PAGE.partition("| condition |")[2].partition("\n\n")[0]
ROWS = re.findall(r"^\| `(.+?)` \| (true|false)\b", TABLE, re.MULTILINE)
(MESSAGE,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("statement", [line for block in BLOCKS for line in block.splitlines()])
def test_examples_are_fql_without_a_warning(statement: str) -> None:
    assert compile_fql(statement).warnings == ()


@pytest.mark.parametrize(("statement", "said"), ROWS)
def test_rows_say_what_is_so(statement: str, said: str) -> None:
    assert compile_fql(statement)(json.loads(MESSAGE)) is (said == "true")


def test_every_function_is_there() -> None:
    named = set(re.findall(r"`(\w+)\( ([^)]+) \)`", PAGE.partition("| function |")[2].partition("\n\n")[0]))
    assert named == {(name, ", ".join(one.takes)) for name, one in FUNCTIONS.items()}


def test_there_are_examples() -> None:
    assert len(ROWS) > 10
    assert BLOCKS
