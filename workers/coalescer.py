"""Many callers, few requests: what is sent at about the same time travels together.

Each caller gets its own outcome. Knows nothing of Segment or HTTP: `post` sends a batch and says what became
of it.

Idle, a batch leaves at the end of the loop's turn; while one travels, the next waits for it, for `WAIT_S`, or
until it is full, whichever comes first.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from workers.outcome import Outcome, Retry

WAIT_S = 0.02
FLIGHTS = 8
"""Batches in flight at a time."""
SPLIT_BUDGET = 64
"""Requests spent on finding the bad items of one batch. Ten bad ones of a hundred take about 60."""
CLOSING_S = 5.0


class Answer(msgspec.Struct, frozen=True):
    """What became of a batch."""

    outcome: Outcome
    blame: bool = False
    """The whole batch was refused, perhaps for the sake of one item: worth sending in halves."""


Waiting = tuple[bytes, asyncio.Future[Outcome]]
Post = Callable[[list[bytes]], Awaitable[Answer]]


class Coalescer:
    """Lives in one event loop. Items are counted with one byte each for the comma between them."""

    def __init__(self, post: Post, *, max_items: int, max_bytes: int) -> None:
        self._post = post
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._due: asyncio.Handle | None = None
        self._at_once = False
        self._flights: dict[asyncio.Task[None], list[Waiting]] = {}
        self._closed = False

    async def send(self, item: bytes) -> Outcome:
        """Send `item` with whatever else goes now. If the caller is cancelled while it waits, it stays."""
        if self._closed:
            return _stopping()
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._bytes += len(item) + 1
        self._plan()
        return await future

    async def close(self) -> None:
        """What waits is answered Retry; what travels may arrive, if somebody still waits for it."""
        self._closed = True
        self._unplan()
        _settle(self._waiting, _stopping())
        self._waiting.clear()
        flights = list(self._flights)
        wanted = [one for one in flights if any(not future.done() for _, future in self._flights[one])]
        if wanted:
            await asyncio.wait(wanted, timeout=CLOSING_S)
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _plan(self) -> None:
        """See to it that the waiting items leave in time."""
        loop = asyncio.get_running_loop()
        full = len(self._waiting) >= self._max_items or self._bytes >= self._max_bytes
        if full:
            self._depart()
        elif not self._flights and not self._at_once:
            self._unplan()
            self._at_once = True
            self._due = loop.call_soon(self._depart)
        elif self._due is None:
            self._due = loop.call_later(WAIT_S, self._depart)

    def _unplan(self) -> None:
        self._at_once = False
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _depart(self) -> None:
        self._unplan()
        while self._waiting and len(self._flights) < FLIGHTS:
            if batch := self._board():
                flight = asyncio.get_running_loop().create_task(self._fly(batch))
                self._flights[flight] = batch
                flight.add_done_callback(self._landed)

    def _board(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size = 0
        while self._waiting and len(batch) < self._max_items:
            item, future = self._waiting[0]
            if batch and size + len(item) + 1 > self._max_bytes:
                break
            self._waiting.popleft()
            self._bytes -= len(item) + 1
            if not future.done():
                batch.append((item, future))
                size += len(item) + 1
        return batch

    def _landed(self, flight: asyncio.Task[None]) -> None:
        del self._flights[flight]
        if self._waiting and not self._closed:
            self._depart()

    async def _fly(self, batch: list[Waiting]) -> None:
        todo, budget = [batch], SPLIT_BUDGET
        try:
            while todo:
                part = todo.pop()
                answer = await self._ask(part)
                budget -= 1
                if answer.blame and len(part) > 1 and budget > 0:
                    middle = len(part) // 2
                    todo += [part[middle:], part[:middle]]
                    continue
                _settle(part, _unblamed() if answer.blame and len(part) > 1 else answer.outcome)
        except asyncio.CancelledError:
            _settle(batch, _stopping())
            raise

    async def _ask(self, part: list[Waiting]) -> Answer:
        try:
            return await self._post([item for item, _ in part])
        except Exception as error:  # noqa: BLE001 - a bug must not leave the callers waiting for ever
            return Answer(Retry("batch_error", f"{type(error).__name__}: {error}"))


def _settle(items: Iterable[Waiting], outcome: Outcome) -> None:
    for _, future in items:
        if not future.done():
            future.set_result(outcome)


def _stopping() -> Retry:
    return Retry("stopping", "the worker stops")


def _unblamed() -> Retry:
    return Retry("batch_refused", "refused together with others; the next attempt sends it anew")
