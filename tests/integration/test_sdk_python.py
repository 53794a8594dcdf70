"""segment-analytics-python, unmodified, sends to a real receiver: every message arrives once and complete."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import until
from tests.support.receiving import Receiving
from tests.support.stack import REPOSITORY
from tests.support.unreliable import Fault, Unreliable

KEY = "the-write-key"
ROUTES = """
sources:
  app: {write_key_env: APP_WRITE_KEY}
routes:
  all: {steps: [{handler: "workers.handlers.hello:greet"}]}
"""
TYPES = ["identify", "track", "page", "screen", "group", "alias"]
OLD = "segment-analytics-python>=2.3,<2.4"


@pytest.fixture(scope="module")
def receiving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiving]:
    with Receiving(tmp_path_factory.mktemp("sdk"), ROUTES, {"APP_WRITE_KEY": KEY}) as started:
        yield started


@pytest.fixture
def proxy(receiving: Receiving) -> Iterator[Unreliable]:
    with Unreliable(receiving.url) as started:
        yield started


@pytest.fixture(scope="session")
def old_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the version before, which sends its key and takes its answers in another way."""
    folder = tmp_path_factory.mktemp("sdk23")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries", "1", "--timeout", "15"]
    command = [*pip, "install", "--quiet", "--target", str(folder), OLD]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"pip cannot install {OLD} here: {error}")
    return folder


def started(
    host: str, library: Path | None = None, key: str = KEY, **options: Any
) -> "subprocess.Popen[str]":
    path = os.pathsep.join(str(part) for part in (library, REPOSITORY) if part)
    given = json.dumps({"upload_interval": 0.1, **options})
    command = [sys.executable, "-m", "tests.support.sdk_python", host, key, given]
    return subprocess.Popen(
        command, env={"PATH": os.environ["PATH"], "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )


def ended(process: "subprocess.Popen[str]") -> Any:
    """What the program printed."""
    try:
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    return json.loads(printed)


def run(host: str, library: Path | None = None, **options: Any) -> Any:
    return ended(started(host, library, **options))


def assert_arrived(sent: list[Any], stored: list[Any]) -> None:
    """Each once, with all it said, and with what Segment adds."""
    by_id = {message["messageId"]: message for message in stored}
    assert len(stored) == len(by_id) == len(sent)
    for message in sent:
        found = by_id[message["messageId"]]
        assert (
            found.items() >= {name: value for name, value in message.items() if name != "timestamp"}.items()
        )
        assert found["originalTimestamp"] == message["timestamp"]
        assert found.keys() >= {"timestamp", "sentAt", "receivedAt"}
        assert found["channel"] == "server"
        assert "writeKey" not in found


@pytest.mark.parametrize("gzip", [False, True])
def test_every_call_arrives(receiving: Receiving, proxy: Unreliable, gzip: bool) -> None:
    before = receiving.store.last_number()
    said = run(proxy.url, gzip=gzip)
    stored = receiving.bodies(before)
    assert said["errors"] == []
    assert_arrived(said["sent"], stored)
    assert [message["type"] for message in stored] == TYPES
    assert stored[0]["context"]["library"] == {"name": "analytics-python", "version": said["version"]}
    assert "ip" not in stored[0]["context"]
    assert stored[1]["context"]["ip"] == "198.51.100.7"
    # Sender and receiver share a clock, so the correction is by a moment only.
    assert stored[1]["originalTimestamp"] == "2024-06-10T06:15:00.250+00:00"
    assert re.fullmatch(r"2024-06-10T06:15:0\d\.\d{3}Z", stored[1]["timestamp"])
    assert [request.headers.get("content-encoding") for request in proxy.seen] == ["gzip" if gzip else None]
    assert {message.source for message in receiving.since(before)} == {"app"}


def test_many_go_in_batches(receiving: Receiving, proxy: Unreliable) -> None:
    before = receiving.store.last_number()
    said = run(proxy.url, tracks=250, upload_interval=1, upload_size=100)
    assert_arrived(said["sent"], receiving.bodies(before))
    assert [request.path for request in proxy.seen] == ["/v1/batch"] * 3


@pytest.mark.parametrize("faults", [["later"], ["refused"], ["lost", "cut", "refused"]])
def test_what_failed_is_sent_again_and_arrives_once(
    receiving: Receiving, proxy: Unreliable, faults: list[Fault]
) -> None:
    before = receiving.store.last_number()
    proxy.faults.extend(faults)
    said = run(proxy.url, tracks=20)
    assert said["errors"] == []
    assert_arrived(said["sent"], receiving.bodies(before))
    assert not proxy.faults
    stored = sum(fault in ("lost", "cut") for fault in faults)
    repeats = Counter(message.repeats for message in receiving.store.messages(range(before + 1, before + 27)))
    assert repeats == {stored: 26}


def test_nothing_is_lost_while_redis_is_away(receiving: Receiving, proxy: Unreliable) -> None:
    """The receiver's own 503, with its own Retry-After."""
    before = receiving.store.last_number()
    receiving.valkey.kill()
    process = started(proxy.url, tracks=5)
    until(lambda: any(request.status == 503 for request in proxy.seen), what="a 503")
    receiving.valkey.start()
    said = ended(process)
    assert said["errors"] == []
    assert_arrived(said["sent"], receiving.bodies(before))


def test_a_wrong_key_is_said_and_not_tried_again(receiving: Receiving, proxy: Unreliable) -> None:
    before = receiving.store.last_number()
    said = run(proxy.url, key="wrong")
    assert ["invalid_write_key" in error for error in said["errors"]] == [True]
    assert len(proxy.seen) == 1
    assert receiving.bodies(before) == []


def test_one_by_one(receiving: Receiving, proxy: Unreliable) -> None:
    before = receiving.store.last_number()
    said = run(proxy.url, upload_size=1)
    assert_arrived(said["sent"], receiving.bodies(before))
    assert len(proxy.seen) == len(TYPES)


def test_the_version_before(receiving: Receiving, proxy: Unreliable, old_library: Path) -> None:
    """It takes a 200 only for success, and sends again what is refused without a code."""
    before = receiving.store.last_number()
    proxy.faults.extend(["refused", "lost"])
    said = run(proxy.url, old_library, gzip=True, tracks=120)
    assert said["version"].startswith("2.3.")
    assert said["errors"] == []
    assert_arrived(said["sent"], receiving.bodies(before))
    assert "authorization" not in proxy.seen[0].headers

    proxy.seen.clear()
    said = run(proxy.url, old_library, key="wrong")
    assert ["invalid_write_key" in error for error in said["errors"]] == [True]
    assert len(proxy.seen) == 1
