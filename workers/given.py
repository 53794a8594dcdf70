"""Starts processes of ours that read routes.yaml from standard input, as it was when it was found good."""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from typing import IO

from receiver.core.interpreter import OUR_PYTHON

Process = subprocess.Popen[bytes]

CHECKED = "every handler was imported"
"""The last words of `python -m workers check`: a module may end the process, even with 0, before them."""


def start(
    arguments: Sequence[str],
    text: str,
    *,
    before: Callable[[], None] | None = None,
    output: IO[bytes] | None = None,
) -> Process:
    """`python -m workers <arguments> --given`. `before` runs in the child; what it says goes to `output`.

    A file, not a pipe: nobody waits for the other side, however long the text is.
    """
    with tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        return subprocess.Popen(
            [*OUR_PYTHON, "workers", *arguments, "--given"],
            stdin=given,
            stdout=output,
            stderr=output,
            preexec_fn=before,
            start_new_session=True,
        )
