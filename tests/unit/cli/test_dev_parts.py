"""Parts of `hookyard dev` that need no process: what is watched, said and shown."""

import hashlib
import hmac
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.cli import demo, reload, welcome
from receiver.cli.demo import SAMPLES, Sample, renewed, rows
from receiver.cli.outgoing import Answer, compact
from receiver.cli.screen import Screen
from receiver.core import json_text
from receiver.core.message import Attempt, Delivery, Status, Trigger
from receiver.core.routes import Config, Route, Source, SourcePath
from receiver.core.settings import Secret, Settings
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.http import HttpSpec
from receiver.core.verify_options import VerifyNone, VerifySegment


def config(*targets: str, secrets: tuple[Secret, ...] = (), enabled: bool = True) -> Config:
    steps = tuple(StepConfig(name=target, spec=HandlerSpec(target=target)) for target in targets)
    http = StepConfig(name="http", spec=HttpSpec(method="GET", url="http://x.example"))
    source = Source(
        name="shop",
        verify=(VerifySegment(secrets=secrets) if secrets else VerifyNone(),),
        paths={"shop": None},
        enabled=enabled,
    )
    return Config(
        sources={"shop": source},
        connections={},
        routes={"r": Route(name="r", steps=(*steps, http), retry=())},
        version="v",
        paths={"shop": SourcePath(source=source, path="shop")},
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_watched_is_what_handlers_load_and_what_stands_beside_them() -> None:
    for name in (
        "flows/__init__.py",
        "flows/sub/orders.py",
        "flows/data.csv",
        "single.py",
        "helper.py",
        "other/x.py",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    Path("routes.yaml").write_text("")
    force = in_force("flows.sub.orders:f", "single:g", "installed.package:h")
    expected = {"routes.yaml", "flows/__init__.py", "flows/sub/orders.py", "single.py", "helper.py"}
    assert {str(path) for path in reload.stamps(Path("routes.yaml"), force)} == expected
    loads = replace(force, files=frozenset({Path("other/x.py")}))
    assert {str(path) for path in reload.stamps(Path("routes.yaml"), loads)} == {*expected, "other/x.py"}


def in_force(*targets: str) -> reload.InForce:
    return reload.InForce(config=config(*targets), environ={})


def test_a_stamp_changes_with_the_file(folder: Path) -> None:
    routes = Path("routes.yaml")
    assert reload.stamps(routes, in_force()) == {}
    routes.write_text("a")
    first = reload.stamps(routes, in_force())
    os.utime(routes, ns=(1, 1))
    assert reload.stamps(routes, in_force()) != first


def test_the_welcome_says_where_to_post_and_with_which_write_key(capsys: pytest.CaptureFixture[str]) -> None:
    web = Source(name="web", verify=(), paths={}, write_keys=(Secret("wk-new"), Secret("wk-old")))
    found = replace(config(), tracking={"/v1/web": SourcePath(source=web, path="/v1/web")})
    welcome.greet(Screen.here(), found, Settings(), "http://127.0.0.1:8000")
    said = capsys.readouterr().out
    assert "http://127.0.0.1:8000/hooks/shop   (source shop" in said
    assert "http://127.0.0.1:8000/v1   (source web, for Segment's libraries: write key wk-new)" in said


def test_the_line_to_paste_is_signed_for_its_body() -> None:
    found = welcome.first_path(config(secrets=(Secret("k1"), Secret("k2"))))
    assert found is not None
    words = shlex.split(welcome.curl_line("http://127.0.0.1:8000", found))
    body = words[words.index("--data-binary") + 1].encode()
    signature = hmac.new(b"k1", body, hashlib.sha1).hexdigest()
    assert words[:3] == ["curl", "-i", "http://127.0.0.1:8000/hooks/shop"]
    assert f"X-Signature: {signature}" in words


def test_the_line_to_paste_for_an_open_source_is_unsigned() -> None:
    found = welcome.first_path(config())
    assert found is not None
    assert "X-Signature" not in welcome.curl_line("http://127.0.0.1:8000", found)


def test_disabled_sources_get_no_samples() -> None:
    assert welcome.first_path(config(enabled=False)) is None


def test_samples_are_a_dozen_compact_messages_of_all_kinds() -> None:
    lines = SAMPLES.read_bytes().splitlines()
    types = {bytes(json_text.members(line)["type"]) for line in lines}
    ids = {bytes(json_text.members(line)["messageId"]) for line in lines}
    assert len(ids) == len(lines) == 12
    assert types == {b'"page"', b'"identify"', b'"track"', b'"screen"', b'"alias"', b'"group"'}
    assert all(compact(line) == line for line in lines)


def test_a_sample_is_sent_as_if_it_happened_now() -> None:
    value = {"messageId": "m", "timestamp": "old", "type": "track"}
    assert renewed(value, 1_700_000_000_123) == {
        "messageId": "m-18bcfe5687b",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "type": "track",
    }


def sample(title: str, message_id: str, status: int = 200) -> Sample:
    answer = Answer(status=status, code="" if status == 200 else "overloaded", message="", milliseconds=1.0)
    return Sample(title=title, message_id=message_id, answer=answer)


def delivery(route: str, status: Status, **more: str) -> Delivery:
    history = (Attempt(number=1, trigger=Trigger.LIVE, code="ok", started_ms=1, duration_ms=7),)
    return Delivery(message=1, route=route, replay=0, status=status, history=history, **more)  # type: ignore[arg-type]


def test_the_table_tells_what_each_route_did() -> None:
    sent = [
        sample("track A", "a"),
        sample("page B", "b"),
        sample("track C", "c", status=503),
        sample("x", "lost"),
    ]
    both = [delivery("one", Status.DELIVERED), delivery("two", Status.DEAD, code="invalid", error="no id")]
    assert rows(sent, {"a": (1, both), "b": (2, [])}) == [
        ("track A", "msg_1", "one", "delivered", "7"),
        ("", "", "two", "dead: invalid: no id", "7"),
        ("page B", "msg_2", "(no route)", "kept", ""),
        ("track C", "", "", "refused: 503 overloaded ", ""),
        ("x", "?", "(no route)", "kept", ""),
    ]


def test_only_what_has_not_had_its_turn_is_waited_for() -> None:
    assert set(Status) - demo.OPEN == {Status.WAITING, Status.DELIVERED, Status.DROPPED, Status.DEAD}
