"""`match` and `explain` are two views of the same rules, and no message can make them raise."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.channel import Channel, derive
from receiver.core.facts import facts
from receiver.core.filters import Matcher
from receiver.core.fql import compile_fql
from receiver.core.json_text import members
from receiver.core.routes import Config, Route, Source, SourcePath
from receiver.core.verify_options import VerifyNone

SOURCES = ("one", "two")
TYPES = ("track", "identify", "page")
EVENTS = ("Order *", "Order Completed", "A", "[A-C]", "*")
CHANNELS = ("server", "browser", "mobile", "client", "unknown")
ROUTES = ("r0", "r1", "r2")
WHERES = (
    "type = 'track'",
    "event = 'A' or type = 5",
    "event in ['A', 'Order Completed', '5'] and 'track' = type",
    "event = '\ud83d' or event = '\\\\ud83d'",
    "( type = 'page' or type = 'identify' ) and properties.a = 1",
    "type = 'track' and event != '\ud83d' and properties.a > 1",
    "!( type = 'page' and properties.a = null ) or event = 'Order Completed'",
    "( type = 'track' or properties.a = 1 ) = true",
    "match( event, '\\\\*' ) or event = '5'",
)


def some(values: tuple[str, ...]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(st.sampled_from(values), min_size=1)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    routes = {}
    for name in ROUTES:
        events = draw(some(EVENTS))
        types = draw(some(TYPES))
        if events is not None:
            types = frozenset({"track", *(types or ())})
        routes[name] = Route(
            name=name,
            sources=draw(some(SOURCES)),
            types=types,
            events=None if events is None else tuple(sorted(events)),
            channels=draw(some(CHANNELS)),
            where=draw(st.none() | st.sampled_from(WHERES).map(compile_fql)),
            steps=(),
            retry=(),
            invalid=draw(st.booleans()),
            enabled=draw(st.booleans()),
        )
    sources = {
        name: Source(
            name=name,
            verify=(VerifyNone(),),
            paths={name: draw(some(ROUTES))},
            enabled=draw(st.booleans()),
        )
        for name in SOURCES
    }
    paths = {name: SourcePath(source=one, path=name, feeds=one.paths[name]) for name, one in sources.items()}
    return Config(sources=sources, connections={}, routes=routes, version="v", paths=paths)


MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.none() | st.sampled_from(TYPES) | st.text(max_size=5) | st.just(5),
        "event": st.sampled_from(["Order Completed", "A", "5", "\ud83d", "\\ud83d"])
        | st.text(max_size=5)
        | st.just(5),
        "channel": st.sampled_from(CHANNELS),
        "userId": st.just("u"),
        "properties": st.fixed_dictionaries({"a": st.sampled_from([1, 2, None, float("inf")])}),
    },
)


@settings(max_examples=40, deadline=None)
@given(configs(), st.lists(MESSAGES, min_size=1, max_size=5), st.sampled_from(SOURCES))
def test_match_and_explain_agree(config: Config, messages: list[dict[str, Any]], source: str) -> None:
    matcher, path = Matcher(config), config.paths[source]
    for message in messages:
        fields = members(json.dumps(message).replace("Infinity", "1e400").encode())
        said = facts(fields, with_channel=True)
        verdicts = matcher.explain(path, said, fields)
        expected = tuple(verdict.route for verdict in verdicts if verdict.matched)
        assert matcher.match(path, said, fields) == expected
        assert matcher.match(path, said, fields) == expected
        assert all(verdict.reason for verdict in verdicts)
        if not matcher.needs_channel(path):
            assert matcher.match(path, facts(fields, with_channel=False), fields) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "channel": JSON,
        "library": JSON,
        "device": JSON | st.fixed_dictionaries({"type": JSON}),
        "os": JSON,
    },
)


@given(JSON, JSON | CONTEXTS)
def test_any_json_has_a_channel(raw: Any, context: Any) -> None:
    assert derive(raw, context) in Channel
