import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.loading import Handler, HandlerNotFound, load

SOURCE = """
import functools

COUNT = 3

def both(message, context): return (message, context)
def one(message): return message
async def later(message, context): return "later"
def no_room(): ...
def greedy(message, context, more): ...
def keyword_only(*, message, context): ...
def defaults(message, context=None): return context
def anything(*args): return args

class Callable:
    async def __call__(self, message, context): ...

instance = Callable()
bound = functools.partial(later)
"""


@pytest.fixture
def workflows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `workflows_under_test` with a module `orders`."""
    package = tmp_path / "workflows_under_test"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "orders.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.startswith("workflows_under_test")]:
        del sys.modules[name]


def loaded(name: str) -> Handler:
    return load(f"workflows_under_test.orders:{name}")


def refused(target: str) -> str:
    with pytest.raises(HandlerNotFound) as caught:
        load(target)
    assert repr(target) in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("workflows")
@pytest.mark.parametrize(
    ("name", "is_async", "takes_context"),
    [
        ("both", False, True),
        ("one", False, False),
        ("later", True, True),
        ("defaults", False, True),
        ("anything", False, True),
        ("instance", True, True),
        ("bound", True, True),
    ],
)
def test_what_can_be_a_handler(name: str, is_async: bool, takes_context: bool) -> None:
    handler = loaded(name)
    assert (handler.is_async, handler.takes_context) == (is_async, takes_context)


@pytest.mark.usefixtures("workflows")
def test_a_handler_gets_what_it_asks_for() -> None:
    assert loaded("both")("m", "c") == ("m", "c")
    assert loaded("one")("m", "c") == "m"
    assert loaded("defaults")("m", "c") == "c"


@pytest.mark.usefixtures("workflows")
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("workflows_under_test.orders", "write module.sub:function"),
        ("workflows_under_test.orders:", "write module.sub:function"),
        ("workflows_under_test.orders:a.b", "write module.sub:function"),
        (
            "workflows_under_tst.orders:one",
            "no module workflows_under_tst; did you mean workflows_under",
        ),
        ("workflows_under_test.ordrs:one", "no module workflows_under_test.ordrs; did you mean"),
        ("workflows_under_test.orders:ones", "has no ones; did you mean one?"),
        ("workflows_under_test.orders:zzz", "workflows_under_test.orders has no zzz"),
        ("workflows_under_test.orders:COUNT", "COUNT is no function, but int"),
        ("workflows_under_test.orders:Callable", "Callable is no function, but type"),
        ("workflows_under_test.orders:no_room", "takes (), not (message, context)"),
        ("workflows_under_test.orders:greedy", "takes (message, context, more), not (message, context)"),
        ("workflows_under_test.orders:keyword_only", "takes (*, message, context), not (message, context)"),
    ],
)
def test_what_cannot_is_explained(target: str, says: str) -> None:
    assert says in refused(target)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_module_that_fails_to_import_says_where(workflows: Path, source: str, says: str) -> None:
    (workflows / "bad.py").write_text(f"\n{source}\n")
    text = refused("workflows_under_test.bad:run")
    assert "importing workflows_under_test.bad failed" in text
    assert says in text
    assert "bad.py" in text
