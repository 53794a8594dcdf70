"""A routes.yaml that is changed in every way files are changed, under somebody who follows it."""

import logging
import os
from pathlib import Path

import pytest

from receiver.core.errors import ConfigError
from receiver.core.following import Following
from receiver.core.routes_file import Loaded, loaded

OPEN = (
    "sources: {{shop: {{verify: {{scheme: none}}}}}}\nroutes:\n  {name}: {{steps: [handler: m.n:{name}]}}\n"
)
FIRST, SECOND = OPEN.format(name="first"), OPEN.format(name="second")


def following(path: Path, environ: dict[str, str] | None = None) -> Following:
    environ = environ or {}
    found = Following(path, environ, loaded(path, environ))
    assert found.look() is found.look() is None
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "routes.yaml"
    path.write_text(FIRST)
    return path


def names(found: Loaded | ConfigError | None) -> list[str]:
    assert isinstance(found, Loaded)
    return list(found.config.routes)


def replace(path: Path, text: str) -> None:
    """As editors and `mv` do it."""
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def test_a_change_is_answered_once_and_only_when_it_stood_still(path: Path) -> None:
    follower = following(path)
    path.write_text(SECOND[:-4])
    assert follower.look() is None
    path.write_text(SECOND)
    assert follower.look() is None
    assert names(follower.look()) == ["second"]
    assert follower.look() is None


def test_a_file_renamed_over_it_counts_even_with_the_same_size_and_time(path: Path) -> None:
    follower = following(path)
    stat = path.stat()
    replace(path, FIRST.replace("first", "other"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    follower.look()
    assert names(follower.look()) == ["other"]


def test_the_symlinks_of_a_config_map(tmp_path: Path) -> None:
    """Kubernetes: routes.yaml → ..data/routes.yaml, ..data → a folder; another ..data is renamed over it."""
    for folder, text in (("..one", FIRST), ("..two", SECOND)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "routes.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "routes.yaml").symlink_to("..data/routes.yaml")
    follower = following(tmp_path / "routes.yaml")
    (tmp_path / "..data_tmp").symlink_to("..two")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    follower.look()
    assert names(follower.look()) == ["second"]


def test_a_file_that_is_away_for_a_moment_is_nothing(path: Path) -> None:
    follower = following(path)
    path.unlink()
    assert follower.look() is None
    path.write_text(FIRST)
    assert [follower.look() for _ in range(3)] == [None] * 3
    assert not follower.refused


def test_one_that_stays_away_is_refused_until_it_is_back(path: Path) -> None:
    follower = following(path)
    path.unlink()
    follower.look()
    found = follower.look()
    assert isinstance(found, ConfigError)
    follower.refuse(found.problems)
    assert follower.refused == f"{path}: there is no such file"
    assert follower.look() is None
    path.write_text(FIRST)
    assert [follower.look() for _ in range(2)] == [None] * 2
    assert follower.refused == ""


def test_what_is_wrong_is_said_once_with_file_and_line(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    follower = following(path)
    path.write_text(FIRST.replace("steps", "stepz"))
    follower.look()
    found = follower.look()
    assert isinstance(found, ConfigError)
    with caplog.at_level(logging.ERROR):
        follower.refuse(found.problems)
    assert follower.refused.startswith(f"{path}:3: routes.first")
    assert list(follower.in_force.config.routes) == ["first"]
    (line,) = caplog.records
    assert line.problems[0].startswith(f"{path}:3:")  # type: ignore[attr-defined]
    assert follower.look() is None


def test_the_next_good_one_is_taken_up(path: Path) -> None:
    follower = following(path)
    path.write_text("nothing: {}")
    follower.look()
    found = follower.look()
    assert isinstance(found, ConfigError)
    follower.refuse(found.problems)
    path.write_text(SECOND)
    follower.look()
    found = follower.look()
    assert isinstance(found, Loaded)
    follower.take_up(found)
    assert (list(follower.in_force.config.routes), follower.refused) == (["second"], "")


def test_a_secret_must_be_in_the_environment(path: Path) -> None:
    follower = following(path, {"ONE": "1"})
    path.write_text(FIRST.replace("scheme: none", "scheme: segment, secret_env: TWO"))
    found = follower.read()
    assert isinstance(found, ConfigError)
    assert "TWO" in str(found.problems[0])


def test_told_to_it_reads_what_did_not_change(path: Path) -> None:
    assert names(following(path).read()) == ["first"]
