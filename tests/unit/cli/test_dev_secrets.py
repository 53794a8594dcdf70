"""Random secrets for sources that have none."""

import stat
from pathlib import Path

import pytest

from receiver.cli.dev_secrets import kept, make_missing, with_kept
from receiver.core import routes_file

ROUTES = """
sources:
  shop:
    verify: {scheme: segment, secret_env: [SHOP_SECRET, SHOP_SECRET_OLD]}
  app:
    verify: {scheme: segment, secret_env: APP_SECRET}
  open:
    verify: {scheme: none}
    write_key_env: OPEN_WRITE_KEY
routes: {}
"""


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)
    return file


def test_only_unset_ones_are_made_and_only_once(routes: Path, tmp_path: Path) -> None:
    data_dir = tmp_path / ".hookyard"
    assert make_missing(routes, {"APP_SECRET": "mine", "OPEN_WRITE_KEY": "k"}, data_dir) == [
        "SHOP_SECRET",
        "SHOP_SECRET_OLD",
    ]
    first = kept(data_dir)
    assert set(first) == {"SHOP_SECRET", "SHOP_SECRET_OLD"}
    assert min(len(value) for value in first.values()) >= 32
    assert make_missing(routes, {"APP_SECRET": "mine"}, data_dir) == ["OPEN_WRITE_KEY"]
    assert make_missing(routes, {}, data_dir) == ["APP_SECRET"]
    assert kept(data_dir).items() >= first.items()


def test_every_variable_of_a_list_of_schemes_is_made_and_fits_it(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(
        "sources:\n  s:\n    verify:\n      - {scheme: standard-webhooks, secret_env: [KEY]}\n"
        "      - {scheme: basic, username_env: USER, password_env: PASSWORD}\n"
    )
    assert make_missing(file, {}, tmp_path) == ["KEY", "USER", "PASSWORD"]
    assert routes_file.load(file, kept(tmp_path)).warnings == ()


def test_the_file_is_the_owners_alone(routes: Path, tmp_path: Path) -> None:
    make_missing(routes, {}, tmp_path / ".hookyard")
    assert stat.S_IMODE((tmp_path / ".hookyard/dev-secrets.json").stat().st_mode) == 0o600


def test_the_environment_wins_unless_it_is_empty(routes: Path, tmp_path: Path) -> None:
    make_missing(routes, {}, tmp_path)
    environ = with_kept({"APP_SECRET": "mine", "SHOP_SECRET": "", "HOME": "/h"}, tmp_path)
    assert environ["APP_SECRET"] == "mine"
    assert environ["SHOP_SECRET"] == kept(tmp_path)["SHOP_SECRET"]
    assert environ["HOME"] == "/h"


@pytest.mark.parametrize(
    "text", ["", "[]", "sources: 1", "sources: {a: 1}", "sources: {a: {verify: []}}", "a: [", "\0"]
)
def test_a_broken_file_names_no_secrets(text: str, tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(text)
    assert make_missing(file, {}, tmp_path) == []


def test_a_broken_secrets_file_is_no_crash(tmp_path: Path) -> None:
    for text in ("", "[1]", "{"):
        (tmp_path / "dev-secrets.json").write_text(text)
        assert kept(tmp_path) == {}
