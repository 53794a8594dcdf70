"""routes.yaml from text to `Config`."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from receiver.core import backoff, units
from receiver.core.connections import ADDRESSES, Connection
from receiver.core.errors import ConfigError
from receiver.core.routes import Config, Route, address
from receiver.core.routes_file import json_schema, load, parse
from receiver.core.settings import Secret
from receiver.core.steps import KINDS
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.http import HttpSpec
from receiver.core.steps.segment import SegmentSpec
from receiver.core.verify_options import (
    Verify,
    VerifyBasic,
    VerifyBearer,
    VerifyHeader,
    VerifyHmac,
    VerifyNone,
    VerifySegment,
    VerifyStandardWebhooks,
)
from tests.support.vectors import verify_of

ENVIRON = {"SHOP_SECRET": "s1", "OLD_SECRET": "s0", "WRITE_KEY": "wk", "SPACED": "s2\n"} | {
    "PROFILE_TOKEN": "tok-1",
    "PUBLIC_TOKEN": "tok-2",
}

FULL = """
x-defaults: &defaults
  retry: [5s, 1m, 10m]
sources:
  shop:
    verify: {scheme: segment, secret_env: [SHOP_SECRET, OLD_SECRET]}
    paths: {shop: all, shop/crm: [orders, calls]}
    enabled: false
    max_age: 5h
    invalid: refuse
    rate_limit: 600/m
  app:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
connections:
  crm: {write_key_env: WRITE_KEY}
  eu: {write_key_env: WRITE_KEY, region: eu}
  own: {write_key_env: WRITE_KEY, region: {tracking: "http://127.0.0.1:9000/v1/"}}
  all:
    write_key_env: WRITE_KEY
    profile_token_env: PROFILE_TOKEN
    space_id: spa_1
    public_api_token_env: PUBLIC_TOKEN
    region: eu
    rate_limit: 500/s
  profiles:
    profile_token_env: PROFILE_TOKEN
    space_id: spa_1
    region: {profile: "http://127.0.0.1:9001"}
routes:
  orders:
    <<: *defaults
    sources: [shop]
    types: [track, identify]
    events: ["Order *", Signup]
    channels: [server, client]
    steps:
      - handler: workflows.orders:thank
        as: thanks
        timeout: 1m30s
      - http:
          method: PUT
          url: https://hooks.example.com/{{ userId }}
          headers: {X-Plan: "{{ steps.thanks.plan }}"}
          json: {id: "{{ properties.order_id }}", fixed: [1, true, null]}
          allow_private: true
    concurrency: 5
    queue: slow
    enabled: false
  calls:
    events: ["Order *"]
    steps:
      - segment: {connection: crm, call: track, event: Big, userId: "{{ userId }}", currency: EUR,
                  revenue: "{{ properties.revenue }}", properties: {tier: gold}}
      - segment: {connection: eu, call: identify, anonymousId: "{{ anonymousId }}", email: "{{ traits.x }}"}
        as: person
    retry: segment
  everything:
    steps: [{handler: "flows:all"}]
"""


def full() -> Config:
    return parse(FULL, file="routes.yaml", environ=ENVIRON)


def test_sources_and_their_paths() -> None:
    config = full()
    shop = config.sources["shop"]
    assert (shop.refuses_invalid, shop.rate_limit) == (True, 10.0)
    assert shop.verify == (VerifySegment(secrets=(Secret("s1"), Secret("s0"))),)
    assert not shop.enabled
    assert shop.max_age_s == 5 * 3600
    crm = config.path("shop/crm")
    assert crm is not None
    assert (crm.source, crm.path, crm.feeds) == (shop, "shop/crm", frozenset({"orders", "calls"}))
    app = config.path("app")
    assert app is not None
    assert (app.feeds, app.source.enabled) == (None, True)
    assert config.path("elsewhere") is None


VERIFY = [
    (
        {"scheme": "segment", "secret_env": "A", "batch": "whole"},
        VerifySegment(secrets=(Secret("a"),), batch="whole"),
    ),
    (
        {"scheme": "header", "name": "X-Token", "secret_env": ["A", "B"]},
        VerifyHeader(name="X-Token", secrets=(Secret("a"), Secret("b"))),
    ),
    (
        {"scheme": "basic", "username_env": "A"},
        VerifyBasic(usernames=(Secret("a"),), passwords=(Secret(""),)),
    ),
    (
        {"scheme": "basic", "username_env": "A", "password_env": ["B", "A"]},
        VerifyBasic(usernames=(Secret("a"),), passwords=(Secret("b"), Secret("a"))),
    ),
    ({"scheme": "bearer", "secret_env": "A"}, VerifyBearer(secrets=(Secret("a"),))),
    (
        {"scheme": "hmac", "header": "X-Mac", "secret_env": "A"},
        VerifyHmac(header="X-Mac", secrets=(Secret("a"),)),
    ),
    (
        {
            "scheme": "hmac",
            "header": "X-Mac",
            "secret_env": "A",
            "algorithm": "sha512",
            "encoding": "base64",
            "prefix": "v0=",
            "timestamp_header": "X-Time",
            "tolerance": "1m",
        },
        VerifyHmac(
            header="X-Mac",
            secrets=(Secret("a"),),
            algorithm="sha512",
            encoding="base64",
            prefix="v0=",
            timestamp_header="X-Time",
            signed="{timestamp}.{body}",
            tolerance_s=60.0,
        ),
    ),
    (
        {"scheme": "standard-webhooks", "secret_env": "KEY"},
        VerifyStandardWebhooks(secrets=(Secret("whsec_QUJD"),), tolerance_s=300.0),
    ),
    ({"scheme": "none"}, VerifyNone()),
]


@pytest.mark.parametrize(("keys", "made"), VERIFY)
def test_every_scheme_with_its_options(keys: dict[str, Any], made: Verify) -> None:
    assert verify_of(keys, {"A": "a", "B": "b", "KEY": "whsec_QUJD"}) == (made,)


def test_several_schemes_keep_their_order() -> None:
    keys = [{"scheme": "segment", "secret_env": "A"}, {"scheme": "bearer", "secret_env": "B"}]
    wanted = verify_of(keys, {"A": "a", "B": "b"})
    assert [options.scheme for options in wanted] == ["segment", "bearer"]


def test_sources_of_the_tracking_api() -> None:
    text = "sources: {web: {write_key_env: [KEY, OLD]}, both: {verify: {scheme: none}, write_key_env: APP}}"
    config = parse(text, file="f", environ={"KEY": "k1", "OLD": "k0", "APP": "k2"})
    web, both = config.sources["web"], config.sources["both"]
    assert (web.write_keys, both.write_keys) == ((Secret("k1"), Secret("k0")), (Secret("k2"),))
    assert (web.paths, both.paths) == ({}, {"both": None})
    assert list(config.paths) == ["both"]
    assert [(one.path, one.source, one.feeds) for one in config.ways_in()] == [
        ("both", both, None),
        ("/v1/web", web, None),
        ("/v1/both", both, None),
    ]
    assert config.path("/v1/web") == config.tracking["/v1/web"]
    assert [address(one.path) for one in config.ways_in()] == ["/hooks/both", "/v1", "/v1"]
    assert config.path("web") is None


def test_connections_know_their_addresses() -> None:
    connections = full().connections
    assert {name: one.tracking_url for name, one in connections.items()} == {
        "crm": "https://api.segment.io",
        "eu": "https://events.eu1.segmentapis.com",
        "own": "http://127.0.0.1:9000",
        "all": "https://events.eu1.segmentapis.com",
        "profiles": "",
    }
    assert (connections["crm"].profile_url, connections["crm"].public_url) == (
        "https://profiles.segment.com",
        "https://api.segmentapis.com",
    )
    assert (connections["eu"].profile_url, connections["eu"].public_url) == (
        "https://profiles.euw1.segment.com",
        "https://eu1.api.segmentapis.com",
    )
    assert connections["profiles"].profile_url == "http://127.0.0.1:9001"


def test_a_connection_has_the_credentials_it_was_given() -> None:
    connections = full().connections
    assert connections["all"] == Connection(
        name="all",
        write_key=Secret("wk"),
        profile_token=Secret("tok-1"),
        space_id="spa_1",
        public_api_token=Secret("tok-2"),
        tracking_url=ADDRESSES["eu"]["tracking"],
        profile_url=ADDRESSES["eu"]["profile"],
        public_url=ADDRESSES["eu"]["public"],
        rate_limit=500.0,
    )
    one = connections["profiles"]
    assert (one.write_key, one.profile_token, one.public_api_token) == (None, Secret("tok-1"), None)


def test_a_route_with_everything() -> None:
    route = full().routes["orders"]
    assert route.sources == frozenset({"shop"})
    assert route.types == frozenset({"track", "identify"})
    assert route.events == ("Order *", "Signup")
    assert route.channels == frozenset({"server", "client"})
    assert route.retry == (5.0, 60.0, 600.0)
    assert (route.concurrency, route.queue, route.enabled) == (5, "slow", False)
    handler, http = route.steps
    assert (handler.kind, handler.name, handler.timeout_s) == ("handler", "thanks", 90.0)
    assert handler.spec == HandlerSpec(target="workflows.orders:thank")
    assert (http.kind, http.name, http.timeout_s) == ("http", "http", 30.0)
    assert http.spec == HttpSpec(
        method="PUT",
        url="https://hooks.example.com/{{ userId }}",
        headers={"X-Plan": "{{ steps.thanks.plan }}"},
        json={"id": "{{ properties.order_id }}", "fixed": [1, True, None]},
        allow_private=True,
    )


def test_how_a_step_is_run() -> None:
    text = """
sources: {s: {verify: {scheme: none}}}
routes:
  r:
    steps:
      - handler: "a:b"
      - handler: "a:c"
        as: mail
        when: steps.handler.plan = 'pro'
        retry: [1s]
        on_error: continue
"""
    plain, mail = parse(text, file="f", environ={}).routes["r"].steps
    assert (plain.when, plain.retry, plain.goes_on) == (None, None, False)
    assert mail.when is not None
    assert mail.when({"steps": {"handler": {"plan": "pro"}}})
    assert (mail.retry, mail.goes_on) == ((1.0,), True)


def test_a_route_with_nothing_takes_everything() -> None:
    step = full().routes["everything"].steps[0]
    assert full().routes["everything"] == Route(
        name="everything", steps=(step,), retry=backoff.SCHEDULES["standard"]
    )


def test_events_alone_mean_track() -> None:
    assert full().routes["calls"].types == frozenset({"track"})


def test_the_fields_of_a_call_are_as_they_were_written() -> None:
    track, identify = (step.spec for step in full().routes["calls"].steps)
    assert track == SegmentSpec(
        connection="crm",
        call="track",
        fields={
            "userId": "{{ userId }}",
            "event": "Big",
            "properties": {"tier": "gold"},
            "revenue": "{{ properties.revenue }}",
            "currency": "EUR",
        },
    )
    assert identify == SegmentSpec(
        connection="eu",
        call="identify",
        fields={"anonymousId": "{{ anonymousId }}", "email": "{{ traits.x }}"},
    )


def test_the_version_tells_files_apart() -> None:
    assert full().version == full().version
    assert len(full().version) == 12
    assert parse(FULL + "# more\n", file="routes.yaml", environ=ENVIRON).version != full().version


def test_secrets_do_not_show() -> None:
    config = full()
    assert "s1" not in repr(config.sources)
    assert not any(secret in repr(config.connections) for secret in ("wk", "tok-"))


def test_a_variable_is_never_put_into_the_text() -> None:
    text = "routes: {r: {types: ['${HOME}$HOME'], steps: [{handler: 'a:b'}]}}"
    assert parse(text, file="f", environ={"HOME": "x"}).routes["r"].types == frozenset({"${HOME}$HOME"})


def test_a_file_is_read_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "routes.yaml"
    path.write_text("\ufeff" + FULL, encoding="utf-8")
    assert load(path, ENVIRON).version == full().version
    path.write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"routes\.yaml:1: a: unknown key; there are sources, connections"):
        load(path, ENVIRON)


@pytest.mark.parametrize("name", ["missing.yaml", "", "binary.yaml"])
def test_a_file_that_cannot_be_read_is_a_config_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / name, {})
    assert str(tmp_path) in str(caught.value)


def test_the_shipped_file_is_good() -> None:
    config = load(Path("routes.yaml"), {"SEGMENT_SECRET": "secret"})
    assert config.warnings == ()
    assert list(config.sources) == ["shop"]
    assert list(config.routes) == ["hello", "thank-order", "mobile", "flaky"]


def warnings_of(text: str, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    return [str(warning) for warning in parse(text, file="f", environ=environ).warnings]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f:1: there is no source, so nothing can come in"),
        (
            "sources:\n  s: {verify: {scheme: none}}\n",
            "f:2: sources.s.verify: scheme none: whoever knows the URL",
        ),
        (
            "sources:\n  s:\n    verify: {scheme: hmac, header: X, secret_env: SHOP_SECRET,\n"
            "      timestamp_header: T, signed: '{body}'}\n",
            "f:4: sources.s.verify.signed: the signature does not cover the timestamp",
        ),
        (
            "sources:\n  s:\n    verify: {scheme: segment, secret_env: SHOP_SECRET}\n    max_age: 5m\n",
            "f:4: sources.s.max_age: Segment tries again for about 4 hours",
        ),
        (
            "sources:\n  s:\n    verify: {scheme: segment, secret_env: [SHOP_SECRET, SPACED]}\n",
            "f:3: sources.s.verify.secret_env[1]: the value of SPACED begins or ends with white space",
        ),
        (
            "routes:\n  r:\n    types: [Track]\n    steps: [{handler: 'a:b'}]\n",
            "f:3: routes.r.types[0]: Segment sends no type Track; did you mean track?",
        ),
        (
            "sources:\n  s: {verify: {scheme: none}, paths: {s: [r]}}\n  t: {verify: {scheme: none}}\n"
            "routes: {r: {sources: [t], steps: [{handler: 'a:b'}]}}\n",
            "f:2: sources.s.paths.s[0]: the route r does not take messages of s: see its sources",
        ),
        (
            "routes:\n  r:\n    steps:\n      - http:\n          url: https://h/\n"
            "          json: {a: '{{ userid }}', b: '{{ custom }}'}\n",
            "f:6: routes.r.steps[0].http.json.a: messages rarely have a field userid; did you mean userId?",
        ),
        (
            "routes:\n  r:\n    steps:\n      - transform: [{set: {seen.at: 1}}, {rename: {name: page}}]\n"
            "      - http: {url: https://h/, json: ['{{ seen.at }}', '{{ page }}', '{{ email }}']}\n",
            "f:5: routes.r.steps[1].http.json[2]: messages rarely have a field email; "
            "did you mean properties.email or traits.email?",
        ),
        (
            "sources:\n  s: {verify: {scheme: none}, paths: {s: [r]}}\nroutes:\n"
            "  r: {steps: [{handler: 'a:b'}]}\n  lost: {steps: [{handler: 'a:b'}]}\n",
            "f:5: routes.lost: no message reaches it: no path of s feeds it",
        ),
        (
            "sources:\n  s: {verify: {scheme: none}, enabled: false}\n"
            "routes:\n  r: {sources: [s], steps: [{handler: 'a:b'}]}\n",
            "f:4: routes.r: only replays reach it: s has enabled: false",
        ),
        (
            "routes:\n  r:\n    steps:\n      - transform: [{set: {a: 1}}, {drop: true}]\n"
            "      - handler: 'a:b'\n",
            "f:5: routes.r.steps[1]: never runs: transform drops every message",
        ),
        (
            "connections: {crm: {write_key_env: WRITE_KEY}}\nroutes:\n  r:\n    steps:\n"
            "      - segment: {connection: crm, call: page, anonymousId: generate}\n",
            "f:5: routes.r.steps[0].segment.anonymousId: is the same for every message",
        ),
    ],
)
def test_what_probably_is_not_meant_is_a_warning(text: str, said: str) -> None:
    assert [warning for warning in warnings_of(text) if said in warning]


def test_fields_that_a_transform_sets_are_known_behind_it() -> None:
    transform = "{transform: [{set: {seen.at: 1}}, {rename: {name: page}}]}"
    http = "{http: {url: 'https://h/', json: ['{{ seen.at }}', '{{ page }}']}}"
    text = "sources: {s: {write_key_env: WRITE_KEY}}\nroutes: {r: {steps: [%s, %s]}}\n"
    assert warnings_of(text % (transform, http)) == []
    assert len(warnings_of(text % (http, transform))) == 2


def test_a_good_file_has_no_warnings() -> None:
    assert full().warnings == ()


@pytest.mark.parametrize("route", ["{types: [track]}", "{sources: [keyed]}", "{sources: [shop, keyed]}"])
def test_a_route_that_something_can_reach_is_not_warned_about(route: str) -> None:
    verify = "verify: {scheme: bearer, secret_env: WRITE_KEY}"
    text = (
        f"sources:\n  shop: {{{verify}, paths: {{shop: all, other: [x]}}}}\n"
        f"  keyed: {{{verify}, write_key_env: WRITE_KEY, paths: {{k: [x]}}}}\n"
        f"routes:\n  x: {{steps: [{{handler: 'a:b'}}]}}\n  r: {route[:-1]}, steps: [{{handler: 'a:b'}}]}}\n"
    )
    assert warnings_of(text) == []


def schema_nodes(node: Any) -> list[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    found = [one for child in inner for one in schema_nodes(child)]
    return [node, *found] if isinstance(node, dict) else found


@pytest.mark.parametrize(
    "text", ["20s", "1h30m", "500ms", "1.5s", "0s", "2w", "", "20", "-5s", "5 s", "1M", "s", "5s."]
)
def test_editors_know_what_a_duration_is(text: str) -> None:
    pattern = json_schema()["$defs"]["StepKeys"]["properties"]["timeout"]["pattern"]
    assert bool(re.search(pattern, text)) is _read_by(units.seconds, text)


@pytest.mark.parametrize("text", ["500/s", "0.5/m", "10/h", "", "500", "500/d", "-1/s", "5 / s"])
def test_editors_know_what_a_rate_is(text: str) -> None:
    pattern = json_schema()["$defs"]["RouteKeys"]["properties"]["rate_limit"]["pattern"]
    assert bool(re.search(pattern, text)) is _read_by(units.per_second, text)


def _read_by(read: Callable[[str], float], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def test_the_schema_explains_every_key_and_allows_no_other() -> None:
    schema = json_schema()
    objects = [node for node in schema_nodes(schema) if node.get("type") == "object" and "properties" in node]
    assert len(objects) >= 15
    for node in objects:
        assert node["additionalProperties"] is (node["title"] in ("AddressKeys", "CompanyKeys"))
        assert all(value.get("description") for value in node["properties"].values()), node["title"]
    assert not [node for node in schema_nodes(schema) if node.get("type") == "null"]
    assert schema["patternProperties"] == {"^x-": {}}
    assert set(schema["$defs"]["StepKeys"]["properties"]) == {
        *KINDS,
        *("as", "when", "timeout", "retry", "on_error"),
    }
