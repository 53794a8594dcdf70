"""The generated documentation is what the code says."""

import re
import textwrap
from pathlib import Path

import pytest

from receiver.core import reference
from receiver.core.routes_file import parse
from receiver.core.template_filters import FILTERS

DOCS = Path("docs")
GROUND = """
sources: {shop: {verify: {scheme: segment, secret_env: KEY}}}
connections: {crm: {write_key_env: KEY}}
"""


@pytest.mark.parametrize("name", ["routes.md", "settings.md", "routes.schema.json"])
def test_pages_are_up_to_date(name: str) -> None:
    made = {path.name: text for path, text in reference.pages(DOCS)}
    assert (DOCS / name).read_text(encoding="utf-8") == made[name], "run python -m receiver.core.reference"


def test_text_written_by_hand_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "routes.md").write_text("before\n<!-- generated: keys -->\nold\n<!-- end -->\nafter\n")
    (docs / "settings.md").write_text("nothing generated\n")
    monkeypatch.chdir(tmp_path)
    reference.main()
    text = (docs / "routes.md").read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("<!-- end -->\nafter\n")
    assert "| `concurrency` | whole number | `20` |" in text
    assert "old\n" not in text
    assert (docs / "settings.md").read_text() == "nothing generated\n"


def test_every_filter_is_documented() -> None:
    text = (DOCS / "templates.md").read_text(encoding="utf-8")
    listed = re.search(r"^All of them: (.*?)\.$", text, re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(FILTERS)


def test_examples_in_the_page_are_good() -> None:
    text = (DOCS / "routes.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        parse(example, file="routes.md", environ={"SHOP_SECRET": "x", "CRM_WRITE_KEY": "x"})


def test_examples_of_steps_are_good() -> None:
    text = (DOCS / "steps.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert examples
    for example in examples:
        inner = textwrap.indent(example, "    ")
        whole = f"{GROUND}routes:\n  r:\n{inner}"
        names = re.findall(r"\b[A-Z][A-Z_]+\b", whole)
        environ = {name: "redis://h" if name.endswith("_URL") else "whsec_QUJD" for name in names}
        assert parse(whole, file="steps.md", environ=environ).warnings == ()


@pytest.mark.parametrize("path", sorted(Path("examples").glob("*/routes.yaml")), ids=str)
def test_worked_examples_are_good(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    environ = dict.fromkeys(re.findall(r"\b[A-Z][A-Z_]+\b", text), "whsec_QUJD")
    assert parse(text, file=str(path), environ=environ).warnings == ()
    assert f"({path.parent.name}/README.md)" in Path("examples/README.md").read_text(encoding="utf-8")
