"""Settings come from the environment, complete or not at all."""

from pathlib import Path

import pytest

from receiver.core.errors import ConfigError
from receiver.core.settings import Secret, Settings, described, injected


def test_nothing_set_gives_the_defaults() -> None:
    settings = Settings.from_env({"PATH": "/bin"})
    assert (settings.host, settings.port, settings.routes) == ("127.0.0.1", 8000, Path("routes.yaml"))
    assert settings.redis_url is None
    assert settings.durability == "fsync"


def test_values_are_read_in_their_types() -> None:
    settings = Settings.from_env(
        {
            "HOOKYARD_PORT": "9000",
            "HOOKYARD_REDIS_URL": "redis://:secret@host/1",
            "HOOKYARD_MAX_BODY": "2MB",
            "HOOKYARD_MAX_OPEN": "1000",
            "HOOKYARD_DEDUP_WINDOW": "12h",
            "HOOKYARD_DURABILITY": "relaxed",
            "HOOKYARD_LOG_LEVEL": "debug",
        }
    )
    assert settings.port == 9000
    assert settings.redis_url == Secret("redis://:secret@host/1")
    assert (settings.max_body, settings.dedup_window) == (2_000_000, 43200.0)
    assert settings.max_open == 1000
    assert (settings.durability, settings.log_level) == ("relaxed", "DEBUG")


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"HOOKYARD_PORT": ""}).port == 8000


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "1e6", "9" * 5000])
def test_a_bound_is_a_number_above_0(value: str) -> None:
    with pytest.raises(ConfigError, match="HOOKYARD_MAX_OPEN"):
        Settings.from_env({"HOOKYARD_MAX_OPEN": value})


def test_all_problems_are_told_at_once_and_by_name() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({"HOOKYARD_PORT": "http", "HOOKYARD_MAX_BOYD": "1MB", "HOOKYARD_GRACE": "soon"})
    assert {problem.key for problem in caught.value.problems} == {
        "HOOKYARD_PORT",
        "HOOKYARD_MAX_BOYD",
        "HOOKYARD_GRACE",
    }
    assert "did you mean HOOKYARD_MAX_BODY?" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("HOOKYARD_PORT", "65536"), ("HOOKYARD_PORT", "-1"), ("HOOKYARD_DURABILITY", "always")),
        *(("HOOKYARD_LOG_LEVEL", "loud"), ("HOOKYARD_MAX_MESSAGE", "big"), ("HOOKYARD_RETENTION_AGE", "30")),
    ],
)
def test_values_that_make_no_sense_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Settings.from_env({name: value})


def test_what_kubernetes_injects_is_left_alone_and_told() -> None:
    environ = {
        "HOOKYARD_PORT": "tcp://10.0.0.1:8000",
        "HOOKYARD_SERVICE_HOST": "10.0.0.1",
        "HOOKYARD_PORT_8000_TCP_ADDR": "10.0.0.1",
        "HOOKYARD_GRACE": "5s",
    }
    settings = Settings.from_env(environ)
    assert (settings.port, settings.grace) == (8000, 5.0)
    assert injected(environ) == ["HOOKYARD_PORT", "HOOKYARD_PORT_8000_TCP_ADDR", "HOOKYARD_SERVICE_HOST"]


def test_a_secret_does_not_show_itself() -> None:
    settings = Settings.from_env({"HOOKYARD_ADMIN_TOKEN": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in f"{settings.admin_token}"
    assert settings.admin_token is not None
    assert settings.admin_token.reveal() == "hunter2"


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_every_default_that_is_shown_is_one_that_can_be_written() -> None:
    for name, default, meaning in described():
        assert meaning
        assert Settings.from_env({name: default}) == Settings()
