"""The wheel as people get it: built from the tree, installed elsewhere, used in an empty folder.

And of the image what can be tried without Docker.
"""

import json
import os
import re
import subprocess
import sys
import threading
import venv
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]


def _run(*command: str | Path, cwd: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Without PYTHONPATH and the like: only what is installed counts."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean | environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT)
    built = _run(*command, cwd=out)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = out.glob("hookyard-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment with the wheel in it; libraries are borrowed from this one."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    (site,) = place.glob("lib/python*/site-packages")
    borrowed = next(path for path in sys.path if path.endswith("site-packages"))
    # What stands in site-packages itself is found before what a .pth file adds, such as our editable tree.
    (site / "borrowed.pth").write_text(borrowed + "\n")
    command = (sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install")
    done = _run(*command, "--no-deps", "--no-index", "--quiet", wheel, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "bin"


def test_wheel_holds_both_packages_with_all_their_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
        metadata = opened.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    held = {name for name in names if ".dist-info/" not in name}
    wanted = {
        str(path.relative_to(ROOT))
        for package in ("receiver", "workers")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == wanted
    for name in ("receiver/py.typed", "workers/py.typed", "receiver/cli/samples.jsonl"):
        assert name in held
    for folder, suffix in (("receiver/core/lua/", ".lua"), ("receiver/core/dictionaries/", ".zdict")):
        assert any(name.startswith(folder) and name.endswith(suffix) for name in held)
    assert "Requires-Python: >=3.11" in metadata
    assert "License-Expression: Apache-2.0" in metadata


def test_the_installed_command_works_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    shown = _run(installed / "hookyard", "--help", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "doctor" in shown.stdout

    where = "import receiver, workers; print(receiver.__file__, workers.__file__)"
    places = _run(installed / "python", "-c", where, cwd=tmp_path).stdout.split()
    assert [Path(place).is_relative_to(installed.parent) for place in places] == [True, True]

    schema = _run(installed / "hookyard", "schema", cwd=tmp_path)
    assert schema.returncode == 0, schema.stderr
    assert json.loads(schema.stdout)["title"] == "Hookyard's routes.yaml"

    version = _run(installed / "hookyard", "--version", cwd=tmp_path)
    assert re.search(r"\d+\.\d+\.\d+", version.stdout)


def test_the_installed_command_checks_routes_with_handlers_of_the_folder(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "flows.py").write_text("def thank(message):\n    return None\n")
    routes = "sources:\n  shop:\n    verify: {scheme: segment, secret_env: SHOP}\n"
    routes += "routes:\n  one:\n    steps:\n      - handler: flows:thank\n"
    (tmp_path / "routes.yaml").write_text(routes)
    good = _run(installed / "hookyard", "check", cwd=tmp_path, SHOP="secret")
    assert good.returncode == 0, good.stdout + good.stderr
    unset = _run(installed / "hookyard", "check", cwd=tmp_path)
    assert unset.returncode == 2
    assert "SHOP" in unset.stderr


def test_the_installed_scripts_and_dictionaries_are_readable(installed: Path, tmp_path: Path) -> None:
    code = (
        "from receiver.core import compress, scripts; scripts.load('accept');"
        ' print(compress.decompress(compress.compress(b\'{"type": "track"}\')).decode())'
    )
    answer = _run(installed / "python", "-c", code, cwd=tmp_path)
    assert answer.stdout.strip() == '{"type": "track"}', answer.stderr


class _Livez(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def livez() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Livez)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_health_check_of_the_image(
    livez: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line in the Dockerfile, as Docker would run it: 0 when /livez answers 200, else not 0."""
    written = (ROOT / "Dockerfile").read_text()
    found = re.search(r"HEALTHCHECK .*?CMD (\[.*?\])\nCMD", written, re.DOTALL)
    assert found is not None
    python, *rest = msgspec.json.decode(found[1], type=list[str])
    assert python == "python"
    port = str(livez.server_address[1])
    assert _run(sys.executable, *rest, cwd=tmp_path, HOOKYARD_PORT=port).returncode == 0
    monkeypatch.setattr(_Livez, "status", 503)
    assert _run(sys.executable, *rest, cwd=tmp_path, HOOKYARD_PORT=port).returncode != 0


def test_the_image_gets_what_it_copies_and_nothing_else() -> None:
    written = (ROOT / "Dockerfile").read_text()
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", written, re.MULTILINE)
        for name in line.split()[:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)
