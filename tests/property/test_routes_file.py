"""Any text is a config or a list of problems with places, never anything else."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from receiver.core.errors import ConfigError
from receiver.core.routes import Config
from receiver.core.routes_file import parse

WORDS = st.sampled_from(
    [
        *(
            "sources",
            "routes",
            "connections",
            "shop",
            "verify",
            "scheme",
            "segment",
            "none",
            "secret_env",
            "paths",
        ),
        *(
            "steps",
            "handler",
            "http",
            "segment",
            "url",
            "json",
            "as",
            "timeout",
            "events",
            "types",
            "retry",
            "all",
        ),
        *(
            "track",
            "a:b",
            "https://h/{{ x }}",
            "{{ steps.x }}",
            "{{",
            "SECRET",
            "5s",
            "x-a",
            "<<",
            "enabled",
            "<text>",
            "[key]",
            "<list>",
        ),
        *(
            "<hmac>",
            "header",
            "basic",
            "bearer",
            "hmac",
            "standard-webhooks",
            "name",
            "batch",
            "signed",
            "tolerance",
            "timestamp_header",
            "username_env",
        ),
    ]
)
VALUES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)
STEP = st.dictionaries(
    st.sampled_from(["handler", "http", "segment", "as", "timeout", "x"]), VALUES, max_size=4
)
ROUTE = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("sources", "types", "events", "channels", "retry", "queue", "concurrency"), VALUES),
        "steps": st.lists(STEP, max_size=3),
    },
)
SOURCE = st.fixed_dictionaries({}, optional={"verify": VALUES, "paths": VALUES, "enabled": VALUES})
FILE = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.dictionaries(WORDS, SOURCE | VALUES),
        "routes": st.dictionaries(WORDS, ROUTE | VALUES),
    },
)


def outcome(text: str) -> Config | ConfigError:
    try:
        return parse(text, file="f", environ={"SECRET": "x"})
    except ConfigError as error:
        refused = error
    assert refused.problems
    assert all(problem.line is not None and problem.message for problem in refused.problems)
    return refused


@given(FILE | VALUES)
@example({"sources": {"s": {"verify": {"scheme": "segment", "secret_env": ["SECRET", ["SECRET"]]}}}})
@example(
    {
        "<text>": 1,
        "sources": {"<text>": {"verify": {"x": 1}}},
        "routes": {"<list>": {"steps": [{"http": {"x": 1}}]}},
    }
)
@example({"routes": {"r": {"steps": [{"segment": {"call": ["track"], "connection": {}}}]}}})
def test_any_structure(data: Any) -> None:
    """JSON is YAML, so that any structure can be written down."""
    outcome(json.dumps(data, ensure_ascii=False))


@given(st.text("ab:-[]{}&*!|>'\"%@`#?,\n \t<x1", max_size=60) | st.text(max_size=40))
def test_any_text(text: str) -> None:
    outcome(text)


@given(st.text(max_size=10))
def test_a_text_in_quotes_stays_as_it_is(text: str) -> None:
    config = outcome(f"routes: {{r: {{types: [{json.dumps(text)}], steps: [{{handler: 'a:b'}}]}}}}")
    assert isinstance(config, Config)
    assert config.routes["r"].types == frozenset({text})
