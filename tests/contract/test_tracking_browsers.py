"""What browsers need of the tracking API: leave to call, settings to load, images to show."""

import base64
from urllib.parse import quote

import pytest

from receiver.core.errors import StoreUnavailable
from receiver.tracking.calls import CALLS, PIXELS
from receiver.tracking.limits import MAX_MESSAGE
from receiver.tracking.pixel import GIF
from tests.support.http_side import WRITE_KEY, HttpSide
from tests.support.tracking import SLASHES, TRACK, keyed, post, stored, text


@pytest.mark.parametrize("slash", SLASHES)
@pytest.mark.parametrize("path", [*CALLS, *PIXELS, "m", f"projects/{WRITE_KEY}/settings"])
def test_browsers_may_ask_first_on_every_path(path: str, slash: str) -> None:
    side = HttpSide()
    asked = {
        "origin": "https://shop.example.com",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-custom",
    }
    answer = side.send(b"", path=f"/v1/{path}{slash}", method="OPTIONS", headers=asked)
    assert 200 <= answer.status < 300
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert answer.headers["access-control-allow-methods"] == "POST, GET, OPTIONS"
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type", "x-retry-count", "x-custom"} <= allowed
    assert int(answer.headers["access-control-max-age"]) >= 7200
    assert side.recorder.messages == []


def test_odd_headers_asked_for_are_not_repeated() -> None:
    asked = {"origin": "null", "access-control-request-headers": "a\x00b"}
    answer = HttpSide().send(b"", path="/v1/t", method="OPTIONS", headers=asked)
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type, x-retry-count"


@pytest.mark.parametrize(("body", "status"), [(keyed(), 200), (b"{", 400), (text(TRACK), 400)])
def test_pages_of_other_sites_may_read_every_answer(body: bytes, status: int) -> None:
    answer = post(HttpSide(), "t", body, origin="https://shop.example.com")
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == "https://shop.example.com"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert answer.headers["vary"] == "Origin"


def test_who_is_no_browser_is_told_nothing_of_it() -> None:
    assert not any(name.startswith("access-") for name in post(HttpSide(), "t", keyed()).headers)


@pytest.mark.parametrize("slash", SLASHES)
@pytest.mark.parametrize(("origin", "protocol"), [("https://a.example", None), ("http://a.example", "http")])
def test_libraries_load_where_to_send(slash: str, origin: str, protocol: str | None) -> None:
    headers = {"origin": origin, "host": "hooks.example.com"}
    answer = HttpSide().send(
        b"", path=f"/v1/projects/{WRITE_KEY}/settings{slash}", method="GET", headers=headers
    )
    segment = {"apiKey": WRITE_KEY, "apiHost": "hooks.example.com/v1"}
    assert answer.status == 200
    assert answer.json() == {
        "integrations": {"Segment.io": segment if protocol is None else {**segment, "protocol": protocol}},
        "metrics": {"sampleRate": 0},
    }
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["access-control-allow-origin"] == origin


def test_settings_without_a_host_name_the_address() -> None:
    answer = HttpSide().send(b"", path=f"/v1/projects/{WRITE_KEY}/settings", method="GET", headers={})
    assert answer.json()["integrations"]["Segment.io"]["apiHost"] == "127.0.0.1:8000/v1"


@pytest.mark.parametrize("slash", SLASHES)
@pytest.mark.parametrize("path", PIXELS)
def test_a_pixel_is_a_message(path: str, slash: str) -> None:
    side = HttpSide()
    data = base64.b64encode(keyed({"userId": "u", "properties": {"a": 1}})).decode()
    answer = side.send(b"", path=f"/v1/{path}{slash}?data={quote(data)}", method="GET", headers={})
    assert (answer.status, answer.body) == (200, GIF)
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    (message,) = stored(side)
    assert (message["type"], message["userId"]) == (path.removeprefix("pixel/"), "u")
    assert (message["channel"], message["context"]["ip"]) == ("client", "192.0.2.1")
    assert message["properties"] == {"a": 1}


def test_a_pixel_in_parameters() -> None:
    side = HttpSide()
    query = f"writeKey={WRITE_KEY}&userId=u&event=Email%20Opened&properties.subject=Hi"
    assert side.send(b"", path=f"/v1/pixel/track?{query}", method="GET", headers={}).body == GIF
    (message,) = stored(side)
    assert (message["event"], message["properties"]) == ("Email Opened", {"subject": "Hi"})


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "invalid_write_key"),
        ("writeKey=wrong&userId=u", "invalid_write_key"),
        ("data=%%%", "malformed_json"),
        ("data=bm90IGpzb24", "malformed_json"),
        ("data=", "malformed_json"),
        ("data=W10", "not_a_message"),
        (f"writeKey={WRITE_KEY}&pad=" + "x" * MAX_MESSAGE, "payload_too_large"),
    ],
)
def test_a_pixel_is_an_image_whatever_is_wrong(query: str, reason: str) -> None:
    side = HttpSide()
    answer = side.send(b"", path=f"/v1/pixel/track?{query}", method="GET", headers={})
    assert (answer.status, answer.body) == (200, GIF)
    assert side.recorder.messages == []
    assert side.counted(f'hookyard_elements_refused_total{{reason="{reason}"}}') == 1


def test_a_pixel_is_an_image_while_the_store_is_away() -> None:
    side = HttpSide()
    side.recorder.error = StoreUnavailable("Redis does not answer")
    path = f"/v1/pixel/track?writeKey={WRITE_KEY}"
    assert side.send(b"", path=path, method="GET", headers={}).body == GIF
    assert side.counted('hookyard_elements_refused_total{reason="store_unavailable"}') == 1


def test_asking_for_the_head_of_a_pixel_is_no_message() -> None:
    side = HttpSide()
    path = f"/v1/pixel/track?writeKey={WRITE_KEY}"
    assert side.send(b"", path=path, method="HEAD", headers={}).status == 200
    assert side.recorder.messages == []
