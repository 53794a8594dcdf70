"""The channel is derived, because Segment's own field cannot be relied upon."""

from typing import Any

import pytest

from receiver.core.channel import Channel, accepted, derive


@pytest.mark.parametrize(
    ("raw", "context", "expected"),
    [
        *(
            ("server", {}, "server"),
            ("browser", None, "browser"),
            ("mobile", [], "mobile"),
            ("client", {}, "client"),
        ),
        *((None, {"channel": "browser"}, "browser"), ("", {"channel": "server"}, "server")),
        *(("server", {"channel": "browser"}, "server"), (7, {"channel": "mobile"}, "mobile")),
        *((None, {}, "unknown"), (None, None, "unknown"), (None, [], "unknown"), (None, "x", "unknown")),
        *(("web", {}, "unknown"), ("Server", {}, "unknown"), (None, {"channel": {"a": 1}}, "unknown")),
    ],
)
def test_the_message_says_it_else_its_context(raw: Any, context: Any, expected: str) -> None:
    assert derive(raw, context) == expected


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"library": {"name": "analytics.js", "version": "next-1.84.3"}}, "browser"),
        *(
            ({"library": {"name": f"analytics-{name}"}}, "mobile")
            for name in ("ios", "android", "swift", "kotlin")
        ),
        ({"library": {"name": "@segment/analytics-react-native"}}, "mobile"),
        ({"library": {"name": "analytics_flutter"}}, "mobile"),
        ({"device": {"type": "android"}}, "mobile"),
        ({"device": {"type": "iOS"}}, "mobile"),
        ({"os": {"name": "iPadOS"}}, "mobile"),
        ({"os": {"name": "Mac OS X"}}, "client"),
        ({"library": {"name": "analytics-node"}}, "client"),
        ({"library": {"name": "unknown"}, "device": None, "os": []}, "client"),
        ({"library": "analytics.js", "device": "android", "os": {"name": 7}}, "client"),
        ({}, "client"),
    ],
)
def test_client_is_refined_where_the_context_tells(context: Any, expected: str) -> None:
    assert derive("client", context) == expected


def test_analytics_js_on_a_phone_is_a_browser() -> None:
    context = {"library": {"name": "analytics.js"}, "os": {"name": "Android"}, "device": {"type": "mobile"}}
    assert derive("client", context) is Channel.BROWSER


def test_only_client_is_refined() -> None:
    assert derive("server", {"os": {"name": "iOS"}}) is Channel.SERVER


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (["client"], {"client", "browser", "mobile"}),
        (["server", "unknown"], {"server", "unknown"}),
        (["browser"], {"browser"}),
    ],
)
def test_client_takes_browsers_and_phones_too(channels: list[str], expected: set[str]) -> None:
    assert accepted(channels) == expected
