"""What a drain has in hand: deliveries that run, and results that wait to be settled."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from receiver.core import records
from receiver.core.store import Result, Work
from workers.lines import Lines

SETTLE_S = 0.02
"""How long a result may wait for others to be settled with it."""
MANY = 100
"""So many do not wait."""
LOOK_S = 1.0
STUBBORN = 8
PATIENCE_S = 5.0
"""How long a handler may take to end once it was cancelled: one that swallows that is left behind."""


class Flight:
    """One per drain. `due` is called when there are results that should be settled now."""

    def __init__(self, due: Callable[[], None]) -> None:
        self._due = due
        self._running: dict[asyncio.Task[None], Work] = {}
        self._ended: list[Result] = []
        self._timer: asyncio.TimerHandle | None = None
        self._lines: Lines
        self._urgent = False
        self._awaited: frozenset[int] = frozenset()
        self._cancelled: dict[asyncio.Task[None], float] = {}
        self._looked = 0.0
        self._left_behind: set[asyncio.Task[None]] = set()

    def __bool__(self) -> bool:
        return bool(self._running or self._ended)

    @property
    def running(self) -> int:
        """How many deliveries run."""
        return len(self._running)

    @property
    def worn(self) -> bool:
        """Handlers were given up and never ended: the process is worth replacing."""
        return len(self._left_behind) >= STUBBORN

    def use(self, lines: Lines) -> None:
        """Run what is started from now on by these. What still runs by others is of a store that is gone, and
        counts no more: a message of this one may have its number."""
        self._lines = lines
        self._awaited = lines.ordered
        self._ended.clear()

    def start(self, claimed: Iterable[Work]) -> None:
        """Run deliveries, all at once."""
        for work in claimed:
            task = asyncio.create_task(self._deliver(work, self._lines))
            self._running[task] = work
            task.add_done_callback(self._landed)

    async def _deliver(self, work: Work, lines: Lines) -> None:
        result = await lines.deliver(work)
        if lines is self._lines and asyncio.current_task() in self._running:
            self.add([result])

    def _landed(self, task: "asyncio.Task[None]") -> None:
        self._running.pop(task, None)
        self._cancelled.pop(task, None)
        self._left_behind.discard(task)

    def leave_stubborn(self, now: float) -> None:
        """Give up what was cancelled and does not end: its time is up, and its slot is for others. `now` is
        monotonic, in seconds."""
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        for task, work in list(self._running.items()):
            if not task.cancelling():
                self._cancelled.pop(task, None)
            elif now - self._cancelled.setdefault(task, now) > PATIENCE_S:
                del self._running[task]
                self._left_behind.add(task)
                self.add([self._lines.given_up(work)])

    def add(self, results: Iterable[Result]) -> None:
        """Have these settled."""
        for result in results:
            self._ended.append(result)
            self._urgent = self._urgent or self._is_awaited(result)
        self._call_in_time()

    def _is_awaited(self, result: Result) -> bool:
        return bool(self._awaited) and records.reference(result.ref).route in self._awaited

    def _call_in_time(self) -> None:
        if self._ended and (self._urgent or len(self._ended) >= MANY):
            self._due()
        elif self._ended and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLE_S, self._due)

    def results(self, most: int) -> list[Result]:
        """What is to be settled next; it stays in hand until it is `settled`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self._ended[:most]

    def settled(self, results: list[Result], *, urgent: bool, awaited: frozenset[int] = frozenset()) -> None:
        """Let go of these. `urgent`: what ends from now on does not wait for others. `awaited`: nor does what
        ends on these routes, because work waits for its slots."""
        del self._ended[: len(results)]
        self._awaited = self._lines.ordered | awaited
        self._urgent = urgent or any(map(self._is_awaited, self._ended))
        self._call_in_time()

    def references(self) -> Iterator[str]:
        """Of all it has in hand."""
        yield from (work.ref for work in self._running.values())
        yield from (result.ref for result in self._ended)

    def cancel(self) -> None:
        """End what runs; it comes back as results."""
        for task in self._running:
            task.cancel()

    async def landing(self, seconds: float) -> None:
        """Until one of those that run ends, or the time is up."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
