"""Each filter: what it does, and that null does not become "None"."""

from typing import Any

import pytest

from receiver.core.template_filters import FILTERS, TESTS
from receiver.core.templates import TemplateError, compile_value

NAMES = {
    "l": [3, 1, 2],
    "o": [{"k": "b", "n": 1}, {"k": "a", "n": 2}, {"n": 2}],
    "s": " aB c ",
    "i": -7,
    "f": 2.345,
    "t": "2026-03-28T23:30:00Z",
}

EXAMPLES: dict[str, list[tuple[str, Any]]] = {
    "abs": [("i | abs", 7)],
    "base64": [
        ("'your_Write_Key:' | base64", "eW91cl9Xcml0ZV9LZXk6"),
        ("base64('your_Write_Key:')", "eW91cl9Xcml0ZV9LZXk6"),
        ("base64(f) | lower", "mi4zndu="),
        ("'ü' | base64", "w7w="),
        ("base64(x)", None),
    ],
    "capitalize": [("'ab CD' | capitalize", "Ab cd")],
    "base64_decode": [("'w6k=' | base64_decode", "é"), ("'w6k' | base64_decode", "é")],
    "date": [
        ("t | date", "2026-03-28"),
        ("t | date('%d.%m.%Y %H:%M', 'Europe/Berlin')", "29.03.2026 00:30"),
        ("t | date('iso', 'Europe/Berlin')", "2026-03-29T00:30:00.000+01:00"),
        ("t | date('iso')", "2026-03-28T23:30:00.000Z"),
        ("t | date('unix')", 1774740600),
        ("1774740600 | date('unix_ms')", 1774740600000),
        ("1774740600000 | date('iso')", "2026-03-28T23:30:00.000Z"),
    ],
    "date_plus": [("t | date_plus('1h30m')", "2026-03-29T01:00:00.000Z")],
    "date_minus": [("t | date_minus('7d') | date", "2026-03-21")],
    "default": [("x | default(1)", 1), ("i | default(1)", -7)],
    "first": [("l | first", 3), ("[] | first", None)],
    "float": [
        ("'1.5' | float", 1.5),
        ("'x' | float", None),
        ("'x' | float(0)", 0),
        ("'1e999' | float", None),
    ],
    "hash": [
        ("'abc' | hash", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("'abc' | hash('md5')", "900150983cd24fb0d6963f7d28e17f72"),
    ],
    "hash_email": [("' Ada@Example.COM ' | hash_email == 'ada@example.com' | hash", True)],
    "int": [
        *(("'12' | int", 12), ("'12.9' | int", 12), ("f | int", 2), ("'x' | int", None), ("'x' | int(0)", 0)),
        *(
            ("'12345678901234567890' | int", 12345678901234567890),
            ("1e400 | int", None),
            ("'1e999' | int", None),
        ),
    ],
    "join": [("l | join('-')", "3-1-2"), ("[none, true, l] | join", "true[3,1,2]")],
    "last": [("l | last", 2), ("[] | last", None)],
    "length": [("l | length", 3), ("s | length", 6), ("x | length", 0)],
    "list": [("o | map(attribute='n') | list", [1, 2, 2]), ("x | list", [])],
    "lower": [("s | lower", " ab c ")],
    "map": [
        ("o | map(attribute='k')", ["b", "a", None]),
        ("o | map(attribute='k', default='-')", ["b", "a", "-"]),
        ("['a', 'b'] | map('upper')", ["A", "B"]),
        ("['a,b'] | map('split', ',')", [["a", "b"]]),
    ],
    "max": [("l | max", 3), ("[] | max", None)],
    "min": [("l | min", 1), ("[] | min", None)],
    "number": [
        *(
            ("'19.99' | number", 19.99),
            ("' 42 ' | number", 42),
            ("'-1e3' | number", -1000.0),
            ("i | number", -7),
        ),
        *(
            ("'4 2' | number", None),
            ("'x' | number(0)", 0),
            ("true | number", None),
            ("'1e999' | number", None),
        ),
        ("'١' | number", None),
    ],
    "reject": [("l | reject('odd')", [2])],
    "rejectattr": [("o | rejectattr('k')", [{"n": 2}])],
    "replace": [("s | replace(' ', '')", "aBc")],
    "required": [("i | required", -7)],
    "round": [("f | round", 2), ("f | round(2)", 2.35), ("f | round(999999999)", 2.345)],
    "seconds_since": [("t | seconds_since('2026-03-28T23:00:00Z')", 1800.0)],
    "select": [("l | select('odd')", [3, 1]), ("l | select('gt', 1)", [3, 2])],
    "selectattr": [("o | selectattr('n', 'eq', 2) | map(attribute='k')", ["a", None])],
    "sort": [
        ("l | sort", [1, 2, 3]),
        ("l | sort(true)", [3, 2, 1]),
        ("o[:2] | sort(attribute='k') | map(attribute='k')", ["a", "b"]),
    ],
    "split": [("'a,b' | split(',')", ["a", "b"]), ("s | split", ["aB", "c"])],
    "string": [("i | string", "-7"), ("true | string", "true"), ("l | string", "[3,1,2]")],
    "sum": [("l | sum", 6), ("o | map(attribute='n') | sum", 5), ("[1, none] | sum", 1)],
    "title": [("'ab cd' | title", "Ab Cd")],
    "tojson": [("o[0] | tojson", '{"k":"b","n":1}'), ("x | tojson", "null"), ("'é' | tojson", '"é"')],
    "trim": [("s | trim", "aB c")],
    "truncate": [
        ("'abcdef' | truncate(4)", "abc…"),
        ("'abcdef' | truncate(4, '')", "abcd"),
        ("'ab' | truncate(4)", "ab"),
        ("'abcdef' | truncate(length=4)", "abc…"),
    ],
    "unique": [("[1, 1, 2, 'a', 'A'] | unique", [1, 2, "a", "A"])],
    "upper": [("s | upper", " AB C ")],
    "urlencode": [("'a/b c' | urlencode", "a%2Fb%20c")],
}


@pytest.mark.parametrize(("expression", "expected"), [case for cases in EXAMPLES.values() for case in cases])
def test_filter(expression: str, expected: Any) -> None:
    got = compile_value(f"{{{{ {expression} }}}}", kind="json", where="").render(NAMES)
    assert got == expected
    assert type(got) is type(expected)


def test_every_filter_has_an_example() -> None:
    assert set(EXAMPLES) == set(FILTERS)


LIST_FILTERS = ("list", "map", "reject", "rejectattr", "select", "selectattr", "sort", "unique")


@pytest.mark.parametrize("name", sorted(set(FILTERS) - {"default", "required", "tojson"}))
def test_null_stays_null_or_is_an_empty_list(name: str) -> None:
    arguments = {
        "replace": "('a', 'b')",
        "map": "(attribute='a')",
        "selectattr": "('a')",
        "rejectattr": "('a')",
        **dict.fromkeys(("date_plus", "date_minus", "seconds_since"), "('1d')"),
    }
    expression = f"{{{{ nobody | {name}{arguments.get(name, '')} }}}}"
    expected: Any = [] if name in LIST_FILTERS else {"length": 0, "sum": 0, "join": ""}.get(name)
    assert compile_value(expression, kind="json", where="").render({}) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "'ab' | replace('', 'x')",
        "'ab' | join",
        "o | list | tojson(1)",
        "7 | length",
        "'ab' | map('nofilter')",
        "l | map('nofilter')",
        "'x' | hash('crc32')",
        "'a b' | base64_decode",
        "'tomorrow' | date",
        "t | date('%Y', 'Mars/Base')",
        "t | date('%9999999d')",
        "1e300 | date",
        "1e20 | date",
        "'9999-12-31T00:00:00Z' | date_plus('7d')",
        "t | date_plus('a while')",
    ],
)
def test_what_a_filter_cannot_do_is_an_error(expression: str) -> None:
    with pytest.raises(TemplateError):
        compile_value(f"{{{{ {expression} }}}}", kind="json", where="").render(NAMES)


def test_tests_are_about_values_and_null_is_undefined() -> None:
    def holds(expression: str) -> Any:
        return compile_value(f"{{{{ {expression} }}}}", kind="json", where="").render(NAMES)

    assert holds("nobody is undefined") is True
    assert holds("i is defined and i is number and s is string") is True
    assert not {"callable", "filter", "test", "sameas"} & set(TESTS)
