"""YAML that keeps its lines and has no traps."""

import time
from typing import Any

import pytest

from receiver.core.errors import ConfigError
from receiver.core.yaml_nodes import key_path, read


def plain(text: str) -> Any:
    root, problems = read(text, file="f.yaml")
    assert not problems
    return root.plain()


def problems_of(text: str) -> list[str]:
    try:
        _, problems = read(text, file="f.yaml")
    except ConfigError as error:
        problems = error.problems
    return [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *(("NO", "NO"), ("no", "no"), ("on", "on"), ("0123", "0123"), ("1:30", "1:30"), ("0x1f", "0x1f")),
        *(
            ("1_000", "1_000"),
            ("2026-01-01", "2026-01-01"),
            (".inf", ".inf"),
            ("1e999", "1e999"),
            ("1.", "1."),
        ),
        *(
            ("12", 12),
            ("-3", -3),
            ("1.5", 1.5),
            ("1e3", 1000.0),
            ("12345678901234567890", 12345678901234567890),
        ),
        *(
            ("true", True),
            ("FALSE", False),
            ("True", True),
            ("tRUE", "tRUE"),
            ("null", None),
            ("~", None),
            ("", None),
        ),
        *(('"12"', "12"), ("'true'", "true"), ("!!str 5", "5"), ('"\\u00e9"', "é"), ("a b", "a b")),
    ],
)
def test_scalars_are_what_they_look_like(written: str, value: object) -> None:
    got = plain(f"a: {written}\n")["a"]
    assert got == value
    assert type(got) is type(value)


def test_lines_are_those_of_keys_and_items() -> None:
    root, _ = read("a:\n  b: 1\n  c:\n    - x\n    - {d: y,\n       e: z}\n", file="f")
    assert [root.line_of(path) for path in [(), ("a",), ("a", "b"), ("a", "c", 1), ("a", "c", 1, "e")]] == [
        1,
        1,
        2,
        5,
        6,
    ]


def test_what_is_not_there_has_the_line_where_it_would_have_to_go() -> None:
    root, _ = read("a:\n  b: 1\n", file="f")
    assert root.line_of(("a", "missing", "deep")) == 1


def test_aliases_and_merge_keys_hold_what_is_used_twice() -> None:
    text = (
        "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: {<<: [*x, *y], a: 9}\nw: {<<: *x}\nv: *x\nu: {'<<': 1}\n"
    )
    data = plain(text)
    assert data["z"] == {"a": 9, "b": 2, "c": 4}
    assert data["w"] == data["v"] == {"a": 1, "b": 2}
    assert data["u"] == {"<<": 1}, "quoted, it is a key like any other"


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert plain("") == plain("# nothing\n") == plain("---\n") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: the key stands twice; the first one is on line 1"),
        ("a:\n  - {b: 1, b: 2}\n", "f.yaml:2: a[0].b: the key stands twice"),
        ("a: [*]\n", "if the `*` or `!` belongs to the text, quote it"),
        ("a:\n  - *foo\n", "f.yaml:2: a[0]: `*foo` refers to nothing; if it belongs to the text, quote it"),
        (
            "a: !contains(b, c)\n",
            "f.yaml:1: a: `!` begins a tag in YAML; if it belongs to the text, quote it",
        ),
        ("a: ! b\n", "`!` begins a tag"),
        ("a: !!binary aGk=\n", "`!` begins a tag"),
        (
            "a: {{ userId }}\n",
            "f.yaml:1: a: a key must be text; if this is a template such as {{ userId }}, quote it",
        ),
        ("a: {{ userId }}/b\n", "quote it"),
        ("a: {% if x %}\n", "quote it"),
        ("a: @b\n", "if the character belongs to the text, quote it"),
        ("a:\n\tb: 1\n", "f.yaml:2: a: while scanning for the next token found character '\\t'"),
        ("a:\n\tb: 1\n", "indent with spaces, not with tabs"),
        ("a: b: c\n", "if the text holds a colon, quote it, else look at the indentation"),
        ("a: 'b\n", "while scanning a quoted scalar"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: there must be one document only"),
        ("a: \x00\n", "f.yaml:1: the file holds a character that YAML does not allow"),
        ("- a\n- b\n", "f.yaml:1: the file must be a mapping"),
        ("just text\n", "the file must be a mapping"),
        ("x: &a y\n*a : 2\n", "an alias cannot be a key"),
        ("a: &a [*a]\n", "f.yaml:1: a[0]: `*a` refers to itself"),
        ("a: {<<: 3}\n", "`<<` takes mappings only"),
        ("? [a, b]\n: 1\n", "a key must be text"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_cure(text: str, said: str) -> None:
    assert any(said in problem for problem in problems_of(text)), problems_of(text)


def test_a_garbled_value_has_no_line_so_that_nothing_more_is_said_about_it() -> None:
    root, problems = read("a: {b: {{ c }}}\nd: !e f\n", file="f")
    assert len(problems) == 2
    assert root.line_of(("a", "b")) is None
    assert root.line_of(("d",)) is None
    assert root.line_of(("a",)) == 1


def test_a_second_value_of_a_key_does_not_replace_the_first() -> None:
    root, _ = read("a: 1\na: 2\n", file="f")
    assert root.plain() == {"a": 1}


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(30)
)
MERGED_LAUGHS = "a0: &a0 {k: [x, x, x]}\n" + "".join(
    f"a{n + 1}: &a{n + 1} {{{', '.join(f'k{i}: *a{n}' for i in range(10))}}}\n" for n in range(30)
)
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(200))


@pytest.mark.parametrize(
    "text", [LAUGHS, MERGED_LAUGHS, CHAIN, "[" * 2000, "a: " + "{b: " * 2000, "- " * 2000]
)
def test_bombs_are_refused_fast(text: str) -> None:
    started = time.process_time()
    assert any("unfold" in problem or "nested" in problem for problem in problems_of(text))
    assert time.process_time() - started < 2


def test_key_path_reads_like_the_file() -> None:
    assert key_path(("routes", "a", "steps", 0, "http")) == "routes.a.steps[0].http"
    assert key_path(()) == ""
