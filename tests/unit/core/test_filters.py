"""Which routes take a message, and why the others do not."""

import pytest

from receiver.core import filters
from receiver.core.channel import Channel
from receiver.core.filters import Facts, Matcher
from receiver.core.routes import Config, SourcePath
from receiver.core.routes_file import parse

ROUTES = """
sources:
  shop:
    verify: {scheme: none}
    paths: {shop: all, shop/crm: [everything, orders]}
  app: {verify: {scheme: none}}
  off: {verify: {scheme: none}, enabled: false}
routes:
  everything: {steps: [{handler: "a:b"}]}
  orders: {events: ["Order *"], steps: [{handler: "a:b"}]}
  completed: {events: ["Order Completed", Signup], steps: [{handler: "a:b"}]}
  people: {types: [identify, track], events: [Login], steps: [{handler: "a:b"}]}
  clients: {channels: [client], steps: [{handler: "a:b"}]}
  unknowns: {channels: [unknown, server], types: [page], steps: [{handler: "a:b"}]}
  of-app: {sources: [app], steps: [{handler: "a:b"}]}
  switched-off: {enabled: false, steps: [{handler: "a:b"}]}
  odd-groups: {types: [group], invalid: true, steps: [{handler: "a:b"}]}
"""


@pytest.fixture(scope="module")
def config() -> Config:
    return parse(ROUTES, file="routes.yaml", environ={})


def at(config: Config, path: str) -> SourcePath:
    found = config.path(path)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "facts", "expected"),
    [
        ("shop", Facts(type="track", event="Order Completed"), ["everything", "orders", "completed"]),
        ("shop", Facts(type="track", event="Order Refunded"), ["everything", "orders"]),
        ("shop", Facts(type="track", event="Signup"), ["everything", "completed"]),
        ("shop", Facts(type="track", event="Login"), ["everything", "people"]),
        ("shop", Facts(type="track"), ["everything"]),
        ("shop", Facts(type="identify"), ["everything", "people"]),
        ("shop", Facts(type="identify", event="Order Completed"), ["everything", "people"]),
        ("shop", Facts(type=None), ["everything"]),
        ("shop", Facts(type="TRACK", event="Login"), ["everything"]),
        ("shop", Facts(type="page", channel=Channel.MOBILE), ["everything", "clients"]),
        ("shop", Facts(type="page", channel=Channel.SERVER), ["everything", "unknowns"]),
        ("shop", Facts(type="page"), ["everything", "unknowns"]),
        ("shop/crm", Facts(type="track", event="Order Completed"), ["everything", "orders"]),
        (
            "app",
            Facts(type="track", event="Login", channel=Channel.CLIENT),
            ["everything", "people", "clients", "of-app"],
        ),
        ("off", Facts(type="track", event="Login"), []),
        ("shop", Facts(type="group"), ["everything", "odd-groups"]),
        ("shop", Facts(type="group", problems=("id_required",)), ["odd-groups"]),
        ("shop", Facts(type="page", problems=("name_not_string",)), []),
    ],
)
def test_routes_take_what_their_conditions_say(
    config: Config, path: str, facts: Facts, expected: list[str]
) -> None:
    matcher = Matcher(config)
    assert list(matcher.match(at(config, path), facts, {})) == expected
    assert list(matcher.match(at(config, path), facts, {})) == expected, "the same when it is remembered"


def test_the_context_is_needed_only_where_a_route_filters_on_channels(config: Config) -> None:
    matcher = Matcher(config)
    assert matcher.needs_channel(at(config, "shop"))
    assert not matcher.needs_channel(at(config, "shop/crm"))
    assert not matcher.needs_channel(at(config, "off"))


@pytest.mark.parametrize(
    ("path", "facts", "route", "reason"),
    [
        ("shop", Facts(type="page"), "everything", "every condition holds"),
        ("shop", Facts(type="page"), "orders", "its type is page; the route takes track only"),
        ("shop", Facts(type=None), "people", "it has no type; the route takes identify, track only"),
        (
            "shop",
            Facts(type="track", event="Login"),
            "orders",
            "its event 'Login' fits no pattern; the route takes 'Order *' only",
        ),
        ("shop", Facts(type="track"), "orders", "it has no event name; the route takes 'Order *' only"),
        (
            "shop",
            Facts(type="page", channel=Channel.SERVER),
            "clients",
            "its channel is server; the route takes client only",
        ),
        (
            "shop",
            Facts(type="group", problems=("id_required",)),
            "everything",
            "it is invalid, id_required (a group call without groupId, or an alias call without userId); "
            "the route does not ask for such (invalid: true)",
        ),
        ("shop", Facts(type="group", problems=("id_required",)), "odd-groups", "every condition holds"),
        ("shop", Facts(type="page"), "of-app", "it came from shop; the route takes app only"),
        ("shop/crm", Facts(type="page"), "clients", "the path shop/crm feeds everything, orders only"),
        ("shop", Facts(type="page"), "switched-off", "the route is switched off (enabled: false)"),
        (
            "off",
            Facts(type="page"),
            "everything",
            "the source off is switched off (enabled: false): its messages are kept but feed no route",
        ),
    ],
)
def test_explain_gives_the_condition_that_failed(
    config: Config, path: str, facts: Facts, route: str, reason: str
) -> None:
    verdicts = {verdict.route: verdict for verdict in Matcher(config).explain(at(config, path), facts, {})}
    assert list(verdicts) == list(config.routes)
    assert verdicts[route].reason == reason
    assert verdicts[route].matched == (reason == "every condition holds")


def test_the_memo_is_bounded_in_number_and_length(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "REMEMBERED", 10)
    matcher, path = Matcher(config), at(config, "shop")
    for number in range(100):
        assert matcher.match(path, Facts(type="track", event=f"Order {number}"), {}) == (
            "everything",
            "orders",
        )
        assert len(matcher._memo) <= 10
    before = dict(matcher._memo)
    assert matcher.match(path, Facts(type="track", event="Order " + "x" * 100_000), {}) == (
        "everything",
        "orders",
    )
    assert matcher.match(path, Facts(type="x" * 100_000), {}) == ("everything",)
    assert matcher._memo == before


def test_a_name_with_wildcards_beside_plain_ones_counts_once() -> None:
    text = (
        "sources: {s: {verify: {scheme: none}}}\n"
        "routes: {r: {events: [A, 'A*', A], steps: [{handler: 'a:b'}]}}\n"
    )
    config = parse(text, file="f", environ={})
    assert Matcher(config).match(at(config, "s"), Facts(type="track", event="A"), {}) == ("r",)
