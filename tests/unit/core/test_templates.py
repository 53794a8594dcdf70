"""Templates: what they make of a message, and what no message can make of them."""

from typing import Any

import pytest

from receiver.core.templates import Kind, TemplateError, compile_value, names_of

DATA: dict[str, Any] = {
    "userId": "0123",
    "event": "Größe & mehr",
    "properties": {
        "items": [{"sku": "a", "price": 2}, {"sku": "b", "price": 1}],
        "n": 3,
        "rate": 1.5,
        "vip": True,
        "nothing": None,
        "up": "..",
        "odd": "a b/..?&=#%",
        "break": "a\r\nX-Evil: 1",
        "surrogate": "\ud83d",
        "keys": "mine",
        "big": "x" * 600_000,
    },
    "steps": "the message's own",
    "source": "the message's own",
}
NAMES = names_of(
    DATA,
    steps={"who": {"plan": "gold"}},
    message={"id": "msg_7", "userId": "0123"},
    source="shop",
    now="2026-01-01T00:00:00.000Z",
)


def render(template: Any, kind: Kind = "json") -> Any:
    return compile_value(template, kind=kind, where="here").render(NAMES)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ userId }}", "0123"),
        ("{{ properties.n }}", 3),
        ("{{ properties.vip }}", True),
        ("{{ properties.items }}", DATA["properties"]["items"]),
        ("{{ properties.items[1].sku }}", "b"),
        ("{{ properties['items'].0.price }}", 2),
        ("  {{ properties.n }}\n", 3),
        ("{{ properties.n + 1 }}", 4),
        ("{{ properties.n > 2 and properties.vip }}", True),
        ("{{ {'a': properties.items | map(attribute='sku')} }}", {"a": ["a", "b"]}),
        ("{{ 'yes' if properties.vip else 'no' }}", "yes"),
        ("{{ 'yes' if properties.nothing }}", None),
        ("{{ userId[:2] }}", "01"),
        ({"a": ["{{ properties.n }}", 5, None, True], "b": {}}, {"a": [3, 5, None, True], "b": {}}),
        ("plain", "plain"),
        ("", ""),
        (7, 7),
    ],
)
def test_one_whole_expression_keeps_its_type(template: Any, expected: Any) -> None:
    got = render(template)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{ userId }}!", "Hi 0123!"),
        (" {{ properties.n }} {{ properties.rate }} {{ properties.vip }} ", " 3 1.5 true "),
        ("[{{ properties.nothing }}{{ nobody.knows }}]", "[]"),
        ("x{{ properties.items[0] }}", 'x{"sku":"a","price":2}'),
        ("{{ userId }}{{ userId }}", "01230123"),
        ("a {# remark #}b", "a b"),
        ("line\n{{ userId }}\n", "line\n0123\n"),
        (
            "{% for i in properties.items %}{{ loop.index }}{{ i.sku }}"
            "{% if not loop.last %},{% endif %}{% endfor %}",
            "1a,2b",
        ),
        ("{% set x = properties.n %}{{ x }}{{ x }}", "33"),
        ("{% for i in missing %}x{% endfor %}", ""),
        ("{{ 'is: ' ~ properties.vip ~ nobody ~ [1, none] }}", "is: true[1,null]"),
        ("{{ 'a' in nobody.tags }} {{ 'a' not in nobody.tags }}", "false true"),
    ],
)
def test_anything_else_is_text(template: str, expected: str) -> None:
    assert render(template) == expected


@pytest.mark.parametrize(
    "template",
    [
        *(
            "{{ nobody }}",
            "{{ nobody.knows.this[3].path }}",
            "{{ properties.nothing.deeper }}",
            "{{ userId.x }}",
        ),
        *(
            "{{ properties.items.sku }}",
            "{{ properties.items[9] }}",
            "{{ properties.n[0] }}",
            "{{ nobody[userId] }}",
        ),
        *(
            "{{ properties.items | map(attribute='x') | first }}",
            "{{ ''.__class__ }}",
            "{{ self }}",
            "{{ range }}",
        ),
        *("{{ userId.upper }}", "{{ properties.__class__ }}", "{{ nobody | upper | trim }}"),
    ],
)
def test_a_path_that_leads_nowhere_is_null(template: str) -> None:
    assert render(template) is None


def test_items_win_over_attributes_and_own_names_over_fields() -> None:
    assert render("{{ properties.keys }}") == "mine"
    assert render("{{ properties.values }}") is None
    assert render("{{ steps.who.plan }} {{ source }} {{ message.id }} {{ now }}") == (
        "gold shop msg_7 2026-01-01T00:00:00.000Z"
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ nobody | default('z') }}", "z"),
        ("{{ properties.nothing | default(userId) }}", "0123"),
        ("{{ userId | default('z') }}", "0123"),
        ("{{ '' | default('z', true) }}", "z"),
        ("{{ nobody | default }}", ""),
        ("{{ userId | required }}", "0123"),
        ("{{ nobody | upper | default('z') }}", "z"),
    ],
)
def test_default_stands_in_for_null(template: str, expected: str) -> None:
    assert render(template) == expected


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ properties.plan | required }}", "here: properties.plan is required, but null"),
        ("{{ properties.plan | required('no plan') }}", "here: no plan"),
        ("x {{ nobody | trim | required }}", "here: an expression of nobody is required, but null"),
        ("{{ properties.n / 0 }}", "here: division by zero"),
        ("{{ userId + 1 }}", "here: an expression of userId: can only concatenate"),
        ("{{ properties.n > nobody }}", "here: an expression of properties.n, nobody: '>' not supported"),
        ("{{ 1e20 | date }}", "here: the number is no time between the years 1 and 9999"),
        ("{{ userId | sum }}", "here: userId: '0123' is no list"),
        ("{{ properties.items | sort }}", "here: properties.items: '<' not supported"),
        ("{{ 1e400 + 1 }}", "here: "),
    ],
)
def test_what_a_message_cannot_fill_is_one_kind_of_error(template: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template)
    assert str(caught.value).startswith(said)


def test_errors_inside_a_structure_say_where() -> None:
    with pytest.raises(TemplateError, match=r"^here\.a\[1\]: nobody is required"):
        render({"a": ["x", "{{ nobody | required }}"]})


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ a.b", "unexpected end"),
        ("{{ }}", "Expected an expression"),
        ("{% if a %}", "Unexpected end of template"),
        ("{{ a | nofilter }}", "no filter is called nofilter; there are abs"),
        ("{{ a is notest }}", "no test is called notest"),
        ("{{ a.lower() }}", "`lower(…)`: nothing can be called here; write a filter, as in `| lower`"),
        ("{{ range(9) }}", "`range(…)`: nothing can be called here; no filter is called range either"),
        ("{{ a.strip() }}", "write a filter, as in `| trim`"),
        ("{{ a.lowr() }}", "did you mean `| lower`?"),
        ("{{ a()() }}", "nothing can be called"),
        ("{{ base64() }}", "nothing can be called"),
        ("{{ a.base64('x') }}", "nothing can be called"),
        ("{{ base64(a.lower()) }}", "nothing can be called"),
        ("{{ upper('x') }}", "write a filter, as in `| upper`"),
        ("{{ a | attr('x') }}", "no filter is called attr"),
        ("{{ a | sum(attribute='x') }}", "`sum`: got an unexpected keyword argument 'attribute'"),
        ("{{ a | upper('x') }}", "`upper`: too many positional arguments"),
        ("{{ a | date_plus }}", "`date_plus`: missing a required argument: 'duration'"),
        ("{{ a | date(*b) }}", "`date`: arguments are written one by one"),
        ("{% macro m() %}{% endmacro %}", "macro cannot be used"),
        ("{% include 'x' %}", "include cannot be used"),
        ("{% import 'x' as y %}", "import cannot be used"),
        ("{% for a in b recursive %}{% endfor %}", "for cannot be used"),
        ("{% filter upper %}{% endfilter %}", "filterblock cannot be used"),
        ("{{ 2 ** 9999999999 }}", "pow cannot be used"),
        ("{{ " + "(" * 500 + ")" * 500 + " }}", ""),
    ],
)
def test_a_template_that_is_wrong_is_found_when_it_is_compiled(template: str, said: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_value(template, kind="json", where="here")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        *(
            "{{ 'x' * 999999999 }}",
            "{{ 999999999 * 'x' }}",
            "{{ [1] * 999999999 }}",
            "{{ '%999999999d' % 1 }}",
        ),
        "{{ properties.big }}{{ properties.big }}",
        "{{ properties.big ~ properties.big }}",
        "{{ properties.big | replace('x', properties.big) }}",
        "{{ properties.items | join(properties.big) }}x{{ properties.big }}",
        "{% for a in properties.items %}{{ properties.big }}{% endfor %}",
        "{% set l = properties.big | replace('x', 'x ') | split %}{% for a in l %}{% endfor %}",
    ],
)
def test_no_message_can_flood_the_memory_or_run_for_ever(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template)


def test_nested_loops_share_one_count() -> None:
    loops = "{% for a in n %}{% for b in n %}{% for c in n %}{% endfor %}{% endfor %}{% endfor %}"
    template = compile_value(loops, kind="json", where="here")
    assert template.render({"n": list(range(20))}) == ""
    for _ in range(2):
        with pytest.raises(TemplateError, match="turns"):
            template.render({"n": list(range(100))})
    assert template.render({"n": list(range(20))}) == "", "each rendering counts afresh"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("https://h/a?b=c#d", "https://h/a?b=c#d"),
        ("http://h:8080/{{ userId }}/x", "http://h:8080/0123/x"),
        (
            "https://h/{{ properties.odd }}?q={{ event }}",
            "https://h/a%20b%2F..%3F%26%3D%23%25?q=Gr%C3%B6%C3%9Fe%20%26%20mehr",
        ),
        ("https://h?v={{ properties.vip }}&n={{ properties.rate }}", "https://h?v=true&n=1.5"),
        ("https://h/{{ nobody | default('x/y') }}", "https://h/x%2Fy"),
    ],
)
def test_values_in_a_url_are_percent_encoded(template: str, expected: str) -> None:
    assert render(template, "url") == expected


@pytest.mark.parametrize(
    "template",
    [
        *(
            "{{ userId }}",
            "{{ userId }}://h/",
            "https://{{ userId }}/",
            "https://h{{ userId }}/",
            "https://h:{{ properties.n }}/",
        ),
        *(
            "ftp://h/",
            "//h/",
            "h/x",
            "",
            "https://",
            "https:///x",
            "https://u:p@h/",
            "https://h:99999/",
            "https://h/a b",
        ),
        *("https://h/{% if userId %}x{% endif %}", "https://h/a/../b", "https://u@{{ userId }}/"),
    ],
)
def test_scheme_and_host_are_the_operators(template: str) -> None:
    with pytest.raises(TemplateError, match=r"^here: "):
        compile_value(template, kind="url", where="here")


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("https://h/{{ properties.plan }}", "properties.plan is null"),
        ("https://h/{{ 'x' if nobody }}", "an expression of nobody is null"),
        ("https://h/{{ nobody | default(none) }}", "nobody is null"),
        ("https://h/{{ properties.up }}/x", "its path holds"),
        ("https://h/{{ properties.items }}", "is a list"),
        ("https://h/{{ properties.surrogate }}", "surrogates"),
    ],
)
def test_what_does_not_fit_into_a_url_is_an_error(template: str, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        render(template, "url")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        *(("{{ userId }}", "0123"), ("{{ properties.n }}", "3"), ("u-{{ userId }}", "u-0123"), (42, "42")),
        *(
            ("{{ nobody | default(none) }}", None),
            ("{{ nobody | default(alsoNobody) }}", None),
            ("fixed", "fixed"),
        ),
        *(("{{ nobody | default('') }}", None), ("{{ nobody | default(userId) }}", "0123")),
    ],
)
def test_an_id_is_text(template: Any, expected: str | None) -> None:
    assert render(template, "id") == expected


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ nobody }}", "nobody is null"),
        ("u-{{ nobody }}", "nobody is null"),
        ("{{ properties.vip }}", "properties.vip is true, not a text or a number"),
        ("{{ properties.items }}", "properties.items is a list, not a text or a number"),
        ("", "must not be empty"),
        (None, "is null"),
        (True, "is true"),
    ],
)
def test_what_is_no_id_is_an_error(template: Any, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        render(template, "id")


def test_a_header_is_text_without_line_breaks() -> None:
    assert render("Bearer {{ userId }} {{ event }}", "header") == "Bearer 0123 Größe & mehr"
    assert render(5, "header") == "5"
    for template, said in (
        ("{{ nobody }}", "nobody is null"),
        ("{{ properties.break }}", "line breaks"),
        ("{{ properties.surrogate }}", "surrogates"),
        ("a\nb", "line breaks"),
    ):
        with pytest.raises(TemplateError, match=said):
            render(template, "header")


def test_a_template_knows_the_names_and_steps_it_uses() -> None:
    template = compile_value(
        {
            "a": "{{ userId }}",
            "b": ["{{ steps.who.x }} {{ steps['and'] }}", "{% for i in traits.l %}{{ i }}{% endfor %}"],
        },
        kind="json",
        where="",
    )
    assert template.names == {"userId", "steps", "traits"}
    assert template.steps == {"who", "and"}


def test_without_a_place_the_message_stands_alone() -> None:
    with pytest.raises(TemplateError, match=r"^no filter"):
        compile_value("{{ a | b }}", kind="json", where="")


@pytest.mark.parametrize("template", ["", "{#", "{# a note #}"])
def test_a_url_of_nothing_is_an_error(template: str) -> None:
    with pytest.raises(TemplateError):
        compile_value(template, kind="url", where="here")
