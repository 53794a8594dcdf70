"""The worker processes of one queue, as the supervisor keeps them: how many, and when one may start."""

import logging
from dataclasses import dataclass, field

from workers.given import Process

log = logging.getLogger("hookyard.supervisor")

MOST_BACK_OFF_S = 5.0
QUICK_S = 5.0
"""A worker that ends sooner than this after its start makes the pause before the next one longer."""
FEW = 3
"""So many in a row may end well so soon."""


@dataclass(slots=True)
class Child:
    """One worker process."""

    queue: str
    name: str
    process: Process
    started: float
    leaving: bool = False
    """It works by a configuration that is not in force any more, and ends as soon as it can."""


@dataclass(slots=True)
class Place:
    """What a queue is owed: how many workers, and when the next one may start."""

    wanted: int
    back_off_s: float = 0.0
    not_before: float = 0.0
    children: list[Child] = field(default_factory=list)
    quick: int = 0
    """How many in a row ended soon after their start."""

    def wait_after(self, child: Child, now: float, *, failed: bool) -> None:
        """Decide when the next one may start, after one that ended by itself."""
        if now - child.started >= QUICK_S:
            self.back_off_s, self.quick = 0.0, 0
            return
        self.quick += 1
        # Ended well so soon: its drain was not wanted any more. Few are, and it is no failure.
        if self.wanted and self.quick > FEW and not failed:
            log.warning("workers of %s end at once, with 0: does a handler end its process?", child.queue)
            failed = True
        self.back_off_s = min(MOST_BACK_OFF_S, self.back_off_s * 2 or 0.2) if failed else 0.5
        self.not_before = now + self.back_off_s
