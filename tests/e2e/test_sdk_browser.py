"""analytics.js (@segment/analytics-next), unmodified, in Chromium: each message arrives once, complete, as a
browser's."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.e2e.tracked import ENVIRON, KEY, ROUTES, Arrivals, says
from tests.support.javascript import CHROMIUM, SDK, library, needs_chromium, needs_libraries
from tests.support.processes import until
from tests.support.site import Site
from tests.support.stack import Stack
from tests.support.unreliable import Fault, Unreliable

pytestmark = [pytest.mark.e2e, needs_chromium, needs_libraries]

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
LOAD = """async ([settings, options]) => {
  const [loaded] = await AnalyticsNext.AnalyticsBrowser.load(settings, options);
  window.analytics = loaded;
}"""
CALL = """async (calls) => {
  await Promise.all(calls.map(([method, ...said]) => window.analytics[method](...said)));
}"""
ODD = {"revenue": 19.99, "name": "Zoë 😀", "half": "\ud83d", "none": None, "list": [1, {"a": []}]}
CALLS = [
    ["alias", "u1", "a1"],
    ["identify", "u1", {"email": "ada@example.com", "odd": ODD}],
    ["track", "Order Completed", ODD, {"integrations": {"All": False}}],
    ["page", "Docs", "Start", {"more": ODD}],
    ["screen", "App", "Home"],
    ["group", "g1", {"plan": "gold"}],
]
SAID = [
    {"type": "alias", "userId": "u1", "previousId": "a1"},
    {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "odd": ODD}},
    {"type": "track", "event": "Order Completed", "properties": ODD, "integrations": {"All": False}},
    {"type": "page", "category": "Docs", "name": "Start", "properties": {"title": "Shop", "more": ODD}},
    {"type": "screen", "category": "App", "name": "Home"},
    {"type": "group", "groupId": "g1", "traits": {"plan": "gold"}},
]
SHORT_PATHS = ["/v1/a", "/v1/g", "/v1/i", "/v1/p", "/v1/s", "/v1/t"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("browser"), ROUTES, environ=ENVIRON) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A shop whose page has analytics.js."""
    script = library("analytics-next/dist/umd/index.js")
    with Site({"/": SDK / "page.html", "/analytics.js": script}) as started:
        yield started


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Unreliable]:
    with Unreliable(stack.url) as started:
        yield started


@pytest.fixture
def arrivals(stack: Stack, proxy: Unreliable) -> Arrivals:
    return Arrivals(stack, proxy)


@pytest.fixture
def page(browser: Browser, site: Site, proxy: Unreliable) -> Iterator[Page]:
    """The shop's page for somebody who was never there; it asks nobody but the shop and Hookyard."""
    asked: set[str] = set()
    with browser.new_context() as visitor:
        visitor.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        page = visitor.new_page()
        page.goto(site.url)
        yield page
    assert asked - {urlsplit(site.url).netloc, urlsplit(proxy.url).netloc} <= {""}


def load(page: Page, proxy: Unreliable, key: str = KEY, **segment: Any) -> None:
    """Load the library; `segment` are options of its Segment.io part."""
    options = {"integrations": {"Segment.io": segment}} if segment else {}
    page.evaluate(LOAD, [{"writeKey": key, "cdnURL": proxy.url}, options])


def posts(proxy: Unreliable) -> list[str]:
    return [request.path for request in proxy.seen if request.method == "POST"]


@pytest.mark.parametrize("said", ["nothing", "address", "fetch"])
def test_every_call_arrives(page: Page, proxy: Unreliable, arrivals: Arrivals, said: str) -> None:
    """With what our settings say, with the address as Segment documents it, and with all options of fetch."""
    fetch = {"credentials": "include", "keepalive": True, "headers": {"x-shop": "1"}}
    options: dict[str, dict[str, Any]] = {
        "nothing": {},
        "address": {"apiHost": f"{urlsplit(proxy.url).netloc}/v1", "protocol": "http"},
        "fetch": {"deliveryStrategy": {"config": fetch}},
    }
    load(page, proxy, **options[said])
    for call in CALLS:
        page.evaluate(CALL, [call])
    arrivals.assert_once("browser", len(CALLS))
    stored = arrivals.bodies()
    assert all(says(body, expected) for body, expected in zip(stored, SAID, strict=True))
    assert {body["context"]["library"]["name"] for body in stored} == {"analytics.js"}
    assert len({body["anonymousId"] for body in stored}) == 1
    assert sorted(posts(proxy)) == SHORT_PATHS
    assert {message.source for message in arrivals.stored()} == {"web"}


def test_many_go_in_batches(page: Page, proxy: Unreliable, arrivals: Arrivals) -> None:
    load(page, proxy, deliveryStrategy={"strategy": "batching", "config": {"size": 10, "timeout": 200}})
    page.evaluate(CALL, [["track", f"Event {number}", ODD] for number in range(25)])
    arrivals.wait_for(25)
    arrivals.assert_once("browser", 25)
    assert len(posts(proxy)) < 25
    assert set(posts(proxy)) == {"/v1/b"}


@pytest.mark.parametrize("faults", [["refused"], ["lost"], ["cut"]])
@pytest.mark.parametrize("strategy", ["standard", "batching"])
def test_what_failed_is_sent_again_and_arrives_once(
    page: Page, proxy: Unreliable, arrivals: Arrivals, faults: list[Fault], strategy: str
) -> None:
    load(page, proxy, deliveryStrategy={"strategy": strategy, "config": {"size": 3, "timeout": 300}})
    proxy.faults.extend(faults)
    page.evaluate(CALL, CALLS[:3])
    until(lambda: len(posts(proxy)) == (4 if strategy == "standard" else 2), what="another attempt")
    arrivals.wait_for(3)
    arrivals.assert_once("browser", 3)


@pytest.mark.parametrize("page_is_left", [False, True])
def test_nothing_is_lost_while_redis_is_away(
    stack: Stack, page: Page, site: Site, proxy: Unreliable, arrivals: Arrivals, page_is_left: bool
) -> None:
    """The receiver's own 503. The library keeps what it could not send for the next page."""
    load(page, proxy)
    stack.valkey.kill()
    page.evaluate(CALL, CALLS)
    assert {request.reached for request in proxy.seen if request.method == "POST"} == {503}
    if page_is_left:
        page.goto(site.url)
    stack.valkey.start()
    if page_is_left:
        load(page, proxy)
    arrivals.wait_for(len(CALLS))
    arrivals.assert_once("browser", len(CALLS))


def test_what_waits_in_a_batch_is_sent_when_the_page_is_left(
    page: Page, proxy: Unreliable, arrivals: Arrivals
) -> None:
    load(page, proxy, deliveryStrategy={"strategy": "batching", "config": {"timeout": 60_000}})
    page.evaluate(CALL, CALLS)
    assert posts(proxy) == []
    page.goto("about:blank")
    arrivals.wait_for(len(CALLS))
    arrivals.assert_once("browser", len(CALLS))


def test_the_library_reports_nothing_about_itself(page: Page, site: Site, proxy: Unreliable) -> None:
    """Unless the settings say so, it does every half minute, and to Segment."""
    page.clock.install()
    page.goto(site.url)
    load(page, proxy)
    page.evaluate(CALL, CALLS[:1])
    page.clock.run_for(120_000)
    assert posts(proxy) == ["/v1/a"]


def test_a_wrong_key_loads_nothing(page: Page, proxy: Unreliable, arrivals: Arrivals) -> None:
    with pytest.raises(Error, match="invalid_write_key"):
        load(page, proxy, key="wrong")
    assert posts(proxy) == []
    assert arrivals.stored() == []


def test_a_pixel_is_an_image(page: Page, proxy: Unreliable, arrivals: Arrivals) -> None:
    data = {"writeKey": KEY, "userId": "u1", "event": "Opened", "messageId": "pixel-1"}
    address = f"{proxy.url}/v1/pixel/track"
    show = """([address, data]) => new Promise((loaded, failed) => {
      const image = new Image();
      image.onload = () => loaded([image.width, image.height]);
      image.onerror = failed;
      image.src = address + "?data=" + encodeURIComponent(btoa(data));
    })"""
    assert page.evaluate(show, [address, json.dumps(data)]) == [1, 1]
    (body,) = arrivals.bodies()
    assert says(body, {"type": "track", "userId": "u1", "event": "Opened", "channel": "client"})
