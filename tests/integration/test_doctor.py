"""`hookyard doctor` on real servers, in good and bad health."""

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.cli.checks import CHECKS
from receiver.cli.doctor import examine
from receiver.cli.findings import Finding
from receiver.cli.main import run
from receiver.core.data_dir import DataDir
from receiver.core.settings import described
from tests.support.valkey import DURABLE, MakeServer

ROUTES = """
sources:
  shop:
    verify: {scheme: segment, secret_env: SHOP_SECRET}
routes: {}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_SECRET", "s3cret")
    (tmp_path / "routes.yaml").write_text(ROUTES)
    return tmp_path


def found(**environ: str) -> dict[str, Finding]:
    """Title → finding."""
    environ = {"SHOP_SECRET": "s3cret", **{f"HOOKYARD_{name}": value for name, value in environ.items()}}
    return {item.title: item for item in examine(environ)}


def levels(findings: dict[str, Finding]) -> set[str]:
    return {item.level for item in findings.values()}


def test_a_durable_server_with_a_limit_is_all_right(valkey_server: MakeServer) -> None:
    findings = found(REDIS_URL=valkey_server(**DURABLE, maxmemory="1gb").url)
    assert levels(findings) == {"ok"}
    assert any(title.startswith("Valkey ") for title in findings)
    assert {"persistence", "memory", "clocks", "routes.yaml"} <= findings.keys()


def test_weak_persistence_is_an_error_with_the_lines_to_change(valkey_server: MakeServer) -> None:
    url = valkey_server(appendfsync="everysec", appendonly="yes").url
    weak = found(REDIS_URL=url)["persistence"]
    assert weak.level == "error"
    assert "`appendfsync always`" in weak.detail
    assert found(REDIS_URL=url, DURABILITY="relaxed")["persistence"].level == "warning"


def test_memory_near_and_above_the_limit(valkey_server: MakeServer) -> None:
    server = valkey_server(**DURABLE)
    with server.client() as redis:
        used = int(redis.info("memory")["used_memory"])
        redis.config_set("maxmemory", int(used / 0.8))
        assert found(REDIS_URL=server.url)["memory"].level == "warning"
        redis.config_set("maxmemory", used)
        assert found(REDIS_URL=server.url)["memory"].level == "error"
        redis.config_set("maxmemory", 0)
        assert "no limit" in found(REDIS_URL=server.url)["memory"].detail


def test_nobody_at_the_address(tmp_path: Path) -> None:
    assert found(REDIS_URL=f"unix://{tmp_path}/none")["Redis does not answer"].level == "error"
    assert found(REDIS_URL="localhost:6379")["configuration"].level == "error"


def test_nothing_runs_here_is_a_warning_that_says_what_to_start() -> None:
    findings = found()
    assert findings["no Redis to look at"].level == "warning"
    assert "hookyard dev" in findings["no Redis to look at"].fix


def test_wrong_settings_are_all_named() -> None:
    problems = [item.detail for item in examine({"HOOKYARD_PORT": "x", "HOOKYARD_HOTS": "y"})]
    assert len(problems) == 2
    assert "HOOKYARD_HOST?" in " ".join(problems)


def test_a_broken_routes_file_does_not_hide_the_rest(project: Path, valkey_server: MakeServer) -> None:
    (project / "routes.yaml").write_text("sorces: {}\n")
    findings = found(REDIS_URL=valkey_server(**DURABLE).url)
    assert findings["configuration"].level == "error"
    assert findings["persistence"].level == "ok"


def test_a_source_that_is_not_verified_is_a_warning(project: Path) -> None:
    (project / "routes.yaml").write_text("sources:\n  open:\n    verify: {scheme: none}\n")
    warnings = [item.detail for item in examine({}) if item.level == "warning"]
    assert (
        "routes.yaml:3: sources.open.verify: scheme none: whoever knows the URL can send messages" in warnings
    )


def test_what_kubernetes_injects_is_said() -> None:
    findings = {item.title: item for item in examine({"HOOKYARD_PORT": "tcp://10.0.0.1:80"})}
    assert findings["HOOKYARD_PORT is ignored"].level == "warning"


def test_a_torn_append_only_file_is_found_and_fixed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = DataDir(project / ".hookyard")
    files.append_only.mkdir(parents=True)
    (files.append_only / "a.manifest").write_text("file a.1.incr.aof seq 1 type i\n")
    (files.append_only / "a.1.incr.aof").write_bytes(b"*1\r\n$4\r\nPING\r\n" + b"\0" * 50)
    assert found()["append-only file"].fix.startswith("hookyard doctor --fix")
    assert run(["doctor", "--fix"]) == 0
    assert "cut 50 bytes" in capsys.readouterr().out.replace("\n", "").replace("    ", "")
    assert "append-only file" not in found()


def test_json_tells_everything_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], valkey_server: MakeServer
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", valkey_server(**DURABLE).url)
    monkeypatch.setenv("HOOKYARD_ADMIN_TOKEN", "top-secret")
    monkeypatch.setenv("HOOKYARD_PORT", "9999")
    assert run(["doctor", "--json"]) == 0
    text = capsys.readouterr().out
    told: dict[str, Any] = json.loads(text)
    settings = {row["name"]: row for row in told["settings"]}
    assert list(settings) == [name for name, _, _ in described()]
    assert (settings["HOOKYARD_PORT"]["value"], settings["HOOKYARD_PORT"]["from"]) == ("9999", "environment")
    assert settings["HOOKYARD_HOST"]["from"] == "default"
    assert settings["HOOKYARD_ADMIN_TOKEN"]["value"] == "***"
    assert "top-secret" not in text
    assert {"level", "title", "detail", "fix"} == told["findings"][0].keys()


def test_an_error_exits_1_and_the_screen_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], valkey_server: MakeServer
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", valkey_server().url)
    assert run(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "✗ persistence" in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_every_check_stands_without_a_redis_and_without_a_config() -> None:
    assert len(CHECKS) == len({check.__name__ for check in CHECKS})
    assert "error" not in {item.level for item in examine({}) if item.title != "configuration"}
