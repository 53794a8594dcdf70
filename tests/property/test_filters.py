"""`match` and `explain` are two views of the same rules, and no message can make them raise."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from receiver.core.channel import Channel, derive
from receiver.core.filters import Facts, Matcher
from receiver.core.routes import Config, Route, Source, SourcePath
from receiver.core.verify_options import VerifyNone

SOURCES = ("one", "two")
TYPES = ("track", "identify", "page")
EVENTS = ("Order *", "Order Completed", "A", "[A-C]", "*")
CHANNELS = ("server", "browser", "mobile", "client", "unknown")
ROUTES = ("r0", "r1", "r2")


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


FACTS = st.builds(
    Facts,
    type=st.none() | st.sampled_from(TYPES) | st.text(max_size=5),
    event=st.none() | st.sampled_from(["Order Completed", "Order X", "A", "B"]) | st.text(max_size=5),
    channel=st.sampled_from(Channel),
    problems=st.sampled_from([(), ("id_required",), ("no_user_anon_id", "event_not_defined")]),
)


@settings(max_examples=60)
@given(configs(), st.lists(FACTS, min_size=1, max_size=5), st.sampled_from(SOURCES))
def test_match_and_explain_agree(config: Config, messages: list[Facts], source: str) -> None:
    matcher, path = Matcher(config), config.paths[source]
    for facts in messages:
        verdicts = matcher.explain(path, facts)
        expected = tuple(verdict.route for verdict in verdicts if verdict.matched)
        assert matcher.match(path, facts) == expected
        assert matcher.match(path, facts) == expected
        assert all(verdict.reason for verdict in verdicts)
        if not matcher.needs_channel(path):
            assert matcher.match(path, structs.replace(facts, channel=Channel.UNKNOWN)) == expected


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
