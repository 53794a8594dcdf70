"""Node, Chromium, and Segment's libraries for them, where this machine has them."""

import shutil
from pathlib import Path

import pytest

SDK = Path(__file__).parent.parent / "e2e" / "sdk"
"""Programs for Node, and the libraries that `make e2e` installs beside them."""
LIBRARIES = SDK / "node_modules" / "@segment"
NODE = shutil.which("node") or ""
CHROMIUM = next(
    filter(
        None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
    ),
    "",
)

needs_node = pytest.mark.skipif(not NODE, reason="node is not installed")
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="neither chromium nor google-chrome is installed")
needs_libraries = pytest.mark.skipif(
    not LIBRARIES.exists() and not shutil.which("npm"),
    reason="npm is not installed, which would install Segment's libraries",
)


def library(path: str) -> Path:
    """A file of an installed library. AssertionError where `make e2e` was not called first."""
    found = LIBRARIES / path
    assert found.exists(), f"{found} is missing: `make e2e` installs it, and `npm ci` in {SDK}"
    return found
