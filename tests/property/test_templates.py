"""Whatever a message holds, a template makes what its place takes, or a TemplateError."""

import re
from functools import cache
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from receiver.core.templates import Kind, Template, TemplateError, compile_value

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)
FILTERS = [
    "upper",
    "sort",
    "join('-')",
    "first",
    "length",
    "sum",
    "int",
    "round",
    "tojson",
    "unique",
    "split",
    "max",
]


@cache
def compiled(template: str, kind: Kind) -> Template:
    return compile_value(template, kind=kind, where="here")


def rendered(template: str, kind: Kind, names: dict[str, Any]) -> tuple[bool, Any]:
    try:
        return True, compiled(template, kind).render(names)
    except TemplateError as error:
        said = str(error)
    assert said.startswith("here: ")
    return False, None


@given(NAMES)
def test_a_whole_expression_is_the_value_itself(names: dict[str, Any]) -> None:
    assert rendered("{{ a }}", "json", names) == (True, names.get("a"))


@given(NAMES)
def test_quick_paths_and_jinja_agree(names: dict[str, Any]) -> None:
    """A comparison with itself keeps the second from the quick way."""
    for path in ("a", "a.b", "a.b.c", "a[0]", "a[0].b", "a['b'][1]"):
        for suffix in ("", " | default(b)", " | default('x')"):
            quick = rendered(f"{{{{ {path}{suffix} }}}}", "json", names)
            slow = rendered(f"{{{{ ({path}{suffix}) if true else 1 }}}}", "json", names)
            assert quick == slow


@given(
    NAMES, st.sampled_from(FILTERS), st.sampled_from(["+", "-", "*", "/", "%", "~", "<", "in", "and", "=="])
)
def test_nothing_but_template_errors(names: dict[str, Any], name: str, operator: str) -> None:
    rendered(f"{{{{ a.b | {name} }}}}", "json", names)
    rendered(f"x{{{{ a {operator} b }}}}", "json", names)
    rendered(f"{{% for x in a %}}{{{{ x.b | {name} }}}}{{% endfor %}}", "json", names)


@given(NAMES)
@example({"a": ".."})
@example({"a": "."})
@example({"a": "/../x"})
@example({"a": "@evil"})
@example({"a": "\ud83d"})
def test_a_url_keeps_its_host_and_its_shape(names: dict[str, Any]) -> None:
    worked, url = rendered("https://h/x/{{ a }}/y?q={{ b }}", "url", names)
    if worked:
        assert re.fullmatch(r"https://h/x/[\w.~%-]*/y\?q=[\w.~%-]*", url, re.ASCII)
        assert "/../" not in url
        assert "/./" not in url


@given(NAMES)
def test_a_header_is_one_line(names: dict[str, Any]) -> None:
    worked, value = rendered("Bearer {{ a }}", "header", names)
    if worked:
        assert not re.search(r"[\x00-\x08\n-\x1f\x7f]", value)
        assert value.encode()


@given(NAMES)
def test_an_id_is_text_that_is_not_empty(names: dict[str, Any]) -> None:
    worked, value = rendered("{{ a }}", "id", names)
    assert not worked or (isinstance(value, str) and value)


@given(st.text(max_size=30) | st.text("{}%# ab|.()[]'\"~+", max_size=20))
def test_any_text_compiles_or_says_what_is_wrong(template: str) -> None:
    kinds: list[Kind] = ["json", "url", "id", "header"]
    for kind in kinds:
        try:
            compiled(template, kind)
        except TemplateError as error:
            said = str(error)
        else:
            rendered(template, kind, {"a": 1})
            continue
        assert said.startswith("here: ")
