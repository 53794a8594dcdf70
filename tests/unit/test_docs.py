"""The documentation against what it describes: keys, error codes, examples, links, commands, files."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import receiver
import workers
from receiver.cli.main import COMMANDS
from receiver.core import keys, routes_file
from receiver.core.errors import HookError
from receiver.core.validity import CODES

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = [*sorted((ROOT / "receiver").rglob("*.py")), *sorted((ROOT / "workers").rglob("*.py"))]

FAMILIES = {"http_408", "http_429", "http_4xx", "http_5xx"}
"""How docs/errors.md writes codes that are made of a status."""
UNNAMED = {"ok", "dropped", "not_ready"}
"""Codes that are neither an error's nor an outcome's: they stand where they are used."""


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _fenced(text: str, language: str) -> list[str]:
    """The code blocks of a language, without the indent of a list around them."""
    blocks = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in blocks]


def _key_row(key: keys.Key) -> str:
    parts, _, rest = key.holds.partition(" → ") if key.holds.startswith("<") else ("", "", key.holds)
    return f"| `{key.name}{parts}` | {key.type} | {rest.replace('<', '&lt;')} |"


def test_redis_page_has_exactly_the_keys_of_the_code() -> None:
    page = _read(ROOT / "docs" / "redis.md")
    table = [line for line in page.partition("## ")[0].splitlines() if line.startswith("| `")]
    assert table == [_key_row(key) for key in keys.KEYS.values()]
    assert f"`{keys.prefix()}`" in page
    used = set(re.findall(r"hookyard\d+:\{\d\}:[a-z]+:?", page)) - {keys.prefix()}
    assert used <= {keys.prefix() + key.name for key in keys.KEYS.values()}


def _error_classes() -> Iterator[type[HookError]]:
    for package in (receiver, workers):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    waiting: list[type[HookError]] = [HookError]
    while waiting:
        error = waiting.pop()
        if error.__module__.partition(".")[0] in ("receiver", "workers"):
            yield error
        waiting += error.__subclasses__()


def _codes_in_calls() -> set[str]:
    """Codes written where they arise: `Retry("timeout", …)`, `code="too_deep"`, `code = "…"` in a class."""
    found: set[str] = set()
    for path in CODE:
        text = _read(path)
        found |= set(
            re.findall(
                r"\b(?:Retry|Dead|Unreachable|RequestRefused|ProfileError)\(\s*(?:code=)?\"([a-z]\w+)\"", text
            )
        )
        found |= set(re.findall(r"\bcode\s*=\s*\"([a-z]\w+)\"", text))
        found |= set(_texts_of("_SENTENCES", text))
    for path in (ROOT / "receiver" / "core" / "lua").glob("*.lua"):
        found |= set(re.findall(r"\|\|([a-z_]{4,})[|']", _read(path)))
    return found


def _texts_of(name: str, text: str) -> Iterator[str]:
    """The keys of a module's dictionary of that name."""
    for node in ast.parse(text).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Dict):
            continue
        if any(isinstance(target, ast.Name) and target.id == name for target in node.targets):
            yield from (str(key.value) for key in node.value.keys if isinstance(key, ast.Constant))


def _documented_codes() -> set[str]:
    cells = re.findall(r"^\| (`[^|]*) \|", _read(ROOT / "docs" / "errors.md"), re.MULTILINE)
    return {code for cell in cells for code in re.findall(r"`(\w+)`", cell)}


def test_every_error_code_is_documented_and_no_other() -> None:
    existing = {error.code for error in _error_classes()} | _codes_in_calls() | set(CODES)
    assert {"signature_missing", "worker_crashed", "replay_cancelled", "dns", "handler_error"} <= existing
    families = {"refused", "unavailable", "invalid"}
    assert _documented_codes() == (existing - families) | FAMILIES | UNNAMED


def test_the_statuses_of_refusals_are_those_documented() -> None:
    page = _read(ROOT / "docs" / "errors.md")
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \|", page, re.MULTILINE)
    assert len(rows) > 15
    statuses = {error.code: error.status for error in _error_classes() if hasattr(error, "status")}
    for code, status in rows:
        assert statuses.get(code, int(status)) == int(status), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _without_code(_read(page))):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        assert place.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in _anchors(place), f"{page.name} links to {target}"


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```", "", text, flags=re.DOTALL)


def _anchors(page: Path) -> set[str]:
    """As the usual renderers make them of headings."""
    headings = re.findall(r"^#+ (.+)$", _without_code(_read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_file_named_exists(page: Path) -> None:
    text = _read(page)
    for command in re.findall(r"(?:`|^ *|\&\& )hookyard ([a-z]+)", text, re.MULTILINE):
        assert command in COMMANDS, f"{page.name} names hookyard {command}"
    made = set(re.findall(r"^([a-z0-9]+):", _read(ROOT / "Makefile"), re.MULTILINE))
    for target in re.findall(r"(?:`|^ *)make ([a-z0-9]+)", text, re.MULTILINE):
        assert target in made, f"{page.name} names make {target}"
    for name in re.findall(r"`((?:receiver|workers|tests|benchmarks|docs)/[\w/.]*)`", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"


def test_every_command_is_in_the_readme() -> None:
    text = _read(README)
    assert [name for name in COMMANDS if f"hookyard {name}" not in text] == []


@pytest.mark.parametrize(
    "page", [README, *(ROOT / "docs" / f"{name}.md" for name in ("segment-setup", "routes", "tracking-api"))]
)
def test_yaml_examples_are_good(page: Path) -> None:
    whole = [block for block in _fenced(_read(page), "yaml") if re.search(r"^routes:", block, re.MULTILINE)]
    parts = [block for block in _fenced(_read(page), "yaml") if block.startswith("sources:")]
    environ = dict.fromkeys(
        ("SEGMENT_SECRET", "SHOP_SECRET", "CRM_WRITE_KEY", "OUT_SECRET", "WEB_WRITE_KEY"), "secret"
    )
    needed = "\nroutes:\n  crm-sync:\n    steps:\n      - handler: workflows.crm:sync\n"
    for block in {*whole, *(part + needed for part in parts if part not in whole)}:
        assert routes_file.parse(block, file=page.name, environ=environ).routes


def test_the_route_of_the_readme_fits_the_shipped_file() -> None:
    """Step 3 of the first five minutes: the lines are pasted below `routes:`, as they are indented."""
    route = next(block for block in _fenced(_read(README), "yaml") if "my-orders:" in block)
    text = _read(ROOT / "routes.yaml").replace("\nroutes:\n", "\nroutes:\n" + route, 1)
    config = routes_file.parse(text, file="routes.yaml", environ={"SEGMENT_SECRET": "secret"})
    assert config.routes["my-orders"].events == ("Order *",)


def test_python_examples_compile() -> None:
    for page in (README, ROOT / "docs" / "handlers.md"):
        for block in _fenced(_read(page), "python"):
            compile(block, page.name, "exec")


def test_every_page_of_docs_is_reachable_from_the_readme() -> None:
    seen, waiting = set[Path](), [README]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for target in re.findall(r"\]\(([^)#\s]+)", _without_code(_read(page))):
            if not target.startswith("https://"):
                waiting.append((page.parent / target).resolve())
    assert set(PAGES) - seen == set()
