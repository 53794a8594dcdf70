"""docs/segment.md: all that the low-code tools have is here and proven, and examples do what they say."""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from receiver.core.routes import Config
from receiver.core.routes_file import parse
from receiver.core.steps.base import StepConfig
from tests.support.outbound import a_context, a_message, with_tools
from tests.support.segment_stand_in import SegmentStandIn
from workers import steps
from workers.outcome import Done, Outcome
from workers.toolbox import Toolbox

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "segment.md").read_text(encoding="utf-8")

OF_MAKE = (
    *("account", "connection token"),
    *("Identify: Connection", "Identify: Write Key", "Identify: User ID", "Identify: Anonymous ID"),
    *("Identify: Timestamp", "Identify: Traits", "Identify: Custom Traits", "Identify: advice"),
    *("Track: Connection, Write Key", "Track: Event Name", "Track: User ID, Anonymous ID, Timestamp"),
    *("Track: Currency", "Track: Revenue", "Track: Value", "Track: Custom Properties"),
    *("Make an API Call: Connection", "Make an API Call: URL", "Make an API Call: Method"),
    *("Make an API Call: Headers", "Make an API Call: Query String, Body", "Make an API Call: example"),
)
"""The Segment modules of Make; those of Ibexa Connect are the same."""
OF_TRAY = (
    *("base URL", "Write Key and Personas Key"),
    *("trigger: On all messages", "trigger: Allowed events", "trigger: Channel"),
    *("Source", "Destination", "Workflow Urls", "Workflow public URL", "enable toggle"),
    *("Alias, Batch, Group, Identify, Track, Page", "Get Profile Events, External IDs, Properties, Traits"),
    "connector version",
)
"""The Segment connector of Tray, version 1.4."""
NEEDED = {
    "sources": "sources: {s: {verify: {scheme: none}}}\n",
    "connections": "connections: {crm: {write_key_env: CRM_WRITE_KEY, profile_token_env: CRM_PROFILE_TOKEN, "
    "space_id: s, public_api_token_env: CRM_TOKEN}}\n",
}
"""What an example leaves out."""
ENVIRON = dict.fromkeys(("CRM_WRITE_KEY", "CRM_PROFILE_TOKEN", "CRM_TOKEN", "SHOP_WRITE_KEY"), "key")


def rows() -> list[list[str]]:
    """The cells of the last table: what is there, what is here, the tests."""
    table = PAGE.partition("## What Make, Ibexa Connect and Tray have")[2]
    lines = [line for line in table.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def blocks(language: str, text: str = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def loaded(example: str) -> Config:
    """An example as a whole file."""
    if example.startswith("segment:"):
        inner = "".join(f"          {line}\n" for line in example.splitlines()[1:])
        example = f"routes:\n  r:\n    steps:\n      - segment:\n{inner}"
    missing = [text for key, text in NEEDED.items() if not re.search(rf"^{key}:", example, re.MULTILINE)]
    return parse("".join(missing) + example, file="segment.md", environ=ENVIRON)


@cache
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_everything_of_the_low_code_tools_has_a_row() -> None:
    expected = [f"Make, Ibexa: {name}" for name in OF_MAKE] + [f"Tray: {name}" for name in OF_TRAY]
    assert [row[0] for row in rows()] == expected


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_row_says_where_and_is_proven(row: list[str]) -> None:
    there, here, proof = row
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", proof)
    assert here
    assert named, f"{there} has no test"
    assert ", ".join(f"`{path}::{name}`" for path, name in named) == proof
    for path, name in named:
        assert name in functions_of(ROOT / path), f"{path} has no {name}"


@pytest.mark.parametrize("example", blocks("yaml"))
def test_every_example_is_good(example: str) -> None:
    config = loaded(example)
    assert config.routes or config.connections
    assert config.warnings == () or "scheme none" in str(config.warnings[0])


def examples() -> list[tuple[str, Any]]:
    """Each step of the section, and what it says Segment gets."""
    section = PAGE.partition("### Examples")[2].partition("\n## ")[0]
    _, *sent = map(json.loads, blocks("json", section))
    return list(zip(blocks("yaml", section), sent, strict=True))


def run(step: StepConfig, server: SegmentStandIn) -> Outcome:
    message = a_message(json.loads(blocks("json")[0]))

    async def work(tools: Toolbox) -> Outcome:
        return await steps.build(step, tools).run(message, a_context(tools, message))

    return with_tools(work, segment_url=server.url)


@pytest.mark.parametrize(("example", "sent"), examples())
def test_what_an_example_sends_is_what_the_page_says(example: str, sent: Any) -> None:
    with SegmentStandIn() as server:
        assert isinstance(run(loaded(example).routes["r"].steps[0], server), Done)
        assert server.dropped == []
    for item in server.items:
        del item["messageId"], item["context"]["library"], item["context"]["hookyard"]
        if not item["context"]:
            del item["context"]
    assert server.items == (sent if isinstance(sent, list) else [sent])
