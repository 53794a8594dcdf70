"""Conditions in FQL among the other filters of routes."""

from collections.abc import Mapping

import pytest

from receiver.core.content import Content
from receiver.core.errors import ConfigError
from receiver.core.facts import facts
from receiver.core.filters import Matcher, Verdict
from receiver.core.json_text import Fields, members
from receiver.core.message import StoredMessage
from receiver.core.routes import Config, SourcePath
from receiver.core.routes_file import parse
from receiver.core.today import Today

ROUTES = """
sources: {s: {verify: {scheme: none}}}
routes:
  all: {steps: [{handler: "a:b"}]}
  big: {types: [track], where: properties.revenue >= 100, steps: [{handler: "a:b"}]}
  big-orders:
    where: type = 'track' and event = 'Order Completed' and properties.revenue >= 100
    steps: [{handler: "a:b"}]
  big-again: {types: [track], where: properties.revenue >= 100, steps: [{handler: "a:b"}]}
  people: {where: type = 'identify' or traits.plan = 'pro', steps: [{handler: "a:b"}]}
  no-test: {where: '!contains( event, "test" )', steps: [{handler: "a:b"}]}
  odd: {invalid: true, where: type = 5, steps: [{handler: "a:b"}]}
"""
BIG = b'{"type":"track","userId":"u","event":"Order Completed","properties":{"revenue":100.0}}'


@pytest.fixture(scope="module")
def config() -> Config:
    return parse(ROUTES, file="routes.yaml", environ={})


def way(config: Config) -> SourcePath:
    return config.paths["s"]


def taken(matcher: Matcher, config: Config, body: bytes) -> list[str]:
    fields = members(body)
    return list(matcher.match(way(config), facts(fields, with_channel=False), fields))


def explained(config: Config, body: bytes) -> Mapping[str, Verdict]:
    fields = members(body)
    verdicts = Matcher(config).explain(way(config), facts(fields, with_channel=True), fields)
    return {verdict.route: verdict for verdict in verdicts}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (BIG, ["all", "big", "big-orders", "big-again", "no-test"]),
        (BIG.replace(b"100.0", b"99"), ["all", "no-test"]),
        (BIG.replace(b"100.0", b"1e400"), ["all", "big", "big-orders", "big-again", "no-test"]),
        (BIG.replace(b"100.0", b"true"), ["all", "no-test"]),
        (BIG.replace(b"Completed", b"test"), ["all", "big", "big-again"]),
        (BIG.replace(b"Completed", rb"test \ud83d"), ["all", "big", "big-again"]),
        (b'{"type":"identify","userId":"u"}', ["all", "people", "no-test"]),
        (b'{"type":"page","userId":"u","name":"x","traits":{"plan":"pro"}}', ["all", "people", "no-test"]),
        (b'{"type":5,"userId":"u"}', ["all", "no-test", "odd"]),
    ],
)
def test_routes_take_what_is_true(config: Config, body: bytes, expected: list[str]) -> None:
    matcher = Matcher(config)
    assert taken(matcher, config, body) == expected
    assert taken(matcher, config, body) == expected, "the same when part of it is remembered"
    stored = StoredMessage(number=1, received_ms=0, body=body, source="s", path="s", covered=False, routes=())
    assert list(Today(config).routes(stored)) == expected
    assert [name for name, verdict in explained(config, body).items() if verdict.matched] == expected


class Counted:
    """How often each field is looked at."""

    def __init__(self, fields: Fields) -> None:
        self.asked: list[str] = []
        self._fields = fields

    def get(self, name: str) -> object:
        self.asked.append(name)
        return self._fields.get(name)


def test_a_field_is_parsed_once_and_only_when_asked_for() -> None:
    fields = Counted(members(BIG))
    content = Content(fields)  # type: ignore[arg-type] # only `get` is called
    assert fields.asked == []
    for _ in range(3):
        assert content.get("properties") == {"revenue": 100.0}
        assert content.get("missing") is None
    assert fields.asked == ["properties", "missing"]


def test_what_type_and_event_decide_needs_no_field(config: Config) -> None:
    matcher = Matcher(config)
    body = b'{"type":"alias","userId":"u","previousId":"p","event":"x"}'
    said = facts(members(body), with_channel=False)
    unread = {"properties": b"not even JSON", "traits": b'{"plan":"pro"}'}
    found = matcher.match(way(config), said, {name: members(b'{"a":1}')["a"] for name in unread})
    assert list(found) == ["all", "no-test"]


def test_what_cannot_be_read_is_not_taken() -> None:
    text = ROUTES + "  inverted: {where: '!( properties.secret )', steps: [{handler: 'a:b'}]}\n"
    config = parse(text, file="f", environ={})
    body = b'{"type":"page","userId":"u","name":"x","properties":{"a":"\xff"}}'
    assert "inverted" not in taken(Matcher(config), config, body)
    verdict = explained(config, body)["inverted"]
    assert not verdict.matched
    assert "where cannot be asked" in verdict.reason


def test_explain_names_the_conditions_that_are_not_true_and_what_they_saw(config: Config) -> None:
    found = explained(config, BIG.replace(b"100.0", b"19.99").replace(b"Completed", b"Refunded"))
    assert found["big"].reason == "where: properties.revenue >= 100 is not true (properties.revenue is 19.99)"
    assert found["big-orders"].reason == (
        "where: event = 'Order Completed' is not true (event is \"Order Refunded\"); "
        "properties.revenue >= 100 is not true (properties.revenue is 19.99)"
    )
    assert [one.held for one in found["big-orders"].where] == [True, False, False]
    assert found["people"].reason == (
        "where: type = 'identify' is not true (type is \"track\"); "
        "traits.plan = 'pro' is not true (traits.plan is null)"
    )
    assert found["no-test"].where[0].held


def test_a_statement_that_is_none_is_refused_with_its_line_and_a_caret() -> None:
    text = ROUTES + "  wrong: {where: type == 'track', steps: [{handler: 'a:b'}]}\n"
    with pytest.raises(ConfigError) as raised:
        parse(text, file="routes.yaml", environ={})
    assert str(raised.value) == (
        "routes.yaml:13: routes.wrong.where: FQL writes = for == (at character 6)\n"
        "    type == 'track'\n"
        "         ^"
    )


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ("where: type = track", "track is read as a field of the message; a text stands in quotes"),
        ("where: steps.a = 1", "no step has run when routes are chosen; use when of a later step"),
        ("types: [page], where: type = 'track'", "no message can pass: it asks for track, types for page"),
        ("events: [A], where: \"type in ['page', 'group']\"", "it asks for group or page, types for track"),
        ("where: type = 'track' and type = 'page'", "no message can pass: no message has two types"),
    ],
)
def test_what_is_probably_not_meant_is_warned_about(keys: str, warning: str) -> None:
    text = ROUTES + f"  wrong: {{{keys}, steps: [{{handler: 'a:b'}}]}}\n"
    warnings = parse(text, file="routes.yaml", environ={}).warnings
    assert str(warnings[-1]).startswith("routes.yaml:13: routes.wrong.where: ")
    assert warning in str(warnings[-1])


def test_types_and_where_that_fit_are_not_warned_about() -> None:
    keys = "types: [page, track], where: type = 'track' and properties.a = 1"
    text = ROUTES + f"  right: {{{keys}, steps: [{{handler: 'a:b'}}]}}\n"
    assert [one for one in parse(text, file="f", environ={}).warnings if "right" in one.key] == []
