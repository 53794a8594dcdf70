"""Ties a child process to its parent, so that a parent killed with -9 leaves nothing running behind.

Linux only (`prctl`); elsewhere children outlive such a parent, and whoever starts next has to cope with them.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def tether(sent: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn` by which the child gets `sent` when its parent ends; None where unsupported.

    The kernel watches the *thread* that forks: call it from the main thread.
    """
    libc = _LIBC
    if libc is None:
        return None
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(sent))
        if os.getppid() != parent:
            os._exit(1)

    return arm
