"""What every test gets: a clean environment, and the fixtures of `tests.support`."""

import os

import pytest
from hypothesis import settings

settings.register_profile("hookyard", deadline=None, max_examples=50)  # a busy machine is no finding
settings.load_profile("hookyard")

pytest_plugins = ["tests.support.recorder", "tests.support.valkey", "tests.support.yard"]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HOOKYARD_")]:
        monkeypatch.delenv(name)
