"""Waits for a replay to end, with a progress bar; Ctrl-C leaves it running."""

from collections import deque
from collections.abc import Iterator

import click
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from receiver.cli.console import console, print_json
from receiver.cli.replays import replay_json
from receiver.core import replays, units
from receiver.core.clock import SYSTEM, pause
from receiver.core.reading import Store

LOOK_S = 0.25
HINT_S = 2.0
"""Without any progress for so long, look for the reason."""
REST_S = 10.0
"""Without any progress for so long, and nothing to do but to wait for retries: stop waiting."""
SPEED_S = 10.0
"""The rate shown is that of the last so many seconds."""


class Watched:
    """What one replay did between two looks."""

    def __init__(self, store: Store, replay_id: int) -> None:
        self._store = store
        self.now = _progress(store, replay_id)
        self._past: deque[tuple[float, int]] = deque([(SYSTEM.monotonic(), self.now.settled)])
        self._moved = self._past[0][0]
        self._place = (self.now.cursor, self.now.settled)

    def look(self) -> None:
        self.now = _progress(self._store, self.now.id)
        now, place = SYSTEM.monotonic(), (self.now.cursor, self.now.settled)
        if place != self._place:
            self._place, self._moved = place, now
        self._past.append((now, self.now.settled))
        while now - self._past[0][0] > SPEED_S:
            self._past.popleft()

    @property
    def still_s(self) -> float:
        """For how long nothing has moved."""
        return SYSTEM.monotonic() - self._moved

    @property
    def rate(self) -> float:
        """Deliveries a second that came to an end."""
        (then, before), (now, after) = self._past[0], self._past[-1]
        return (after - before) / (now - then) if now > then else 0.0

    @property
    def total(self) -> int:
        """Deliveries: estimated until all messages have been looked at."""
        return round(self.now.deliveries / self.now.share) if self.now.share else 0

    def words(self) -> str:
        """Done, total, rate, time left."""
        if not self.total:
            return "looking"
        about = "" if self.now.share == 1 else "about "
        said = f"{self.now.settled} of {about}{self.total}"
        if self.rate:
            left = units.human_seconds(max(1.0, (self.total - self.now.settled) / self.rate))
            said += f", {self.rate:.{0 if self.rate >= 10 else 1}f}/s, {left} left"
        return f"{said}, {self.now.dead} dead" if self.now.dead else said

    def only_retries(self) -> bool:
        """Whether all that is open waits for a later attempt."""
        if self.now.state != "done" or self.still_s < REST_S:
            return False
        return replays.at_rest(self._store.redis, self.now.id, self._routes())

    def hints(self) -> Iterator[str]:
        """Why nothing moves."""
        if self.now.state == "paused":
            yield f"replay {self.now.id} is paused: hookyard replays resume {self.now.id}"
        if not self._store.jobs.workers():
            yield "no worker runs: start `hookyard workers`"
        for state in self._store.routes():
            if state.replaying and state.paused:
                yield f"route {state.name} is paused ({state.paused}): hookyard routes resume {state.name}"

    def _routes(self) -> list[int]:
        numbers = self._store.route_numbers()
        return [numbers[name] for name in self.now.plan.routes or numbers if name in numbers]


def watch(store: Store, replay_id: int, *, as_json: bool) -> int:
    """Wait for the end, print it, answer the exit code."""
    watched = Watched(store, replay_id)
    try:
        _wait(watched)
    except KeyboardInterrupt:
        tell_detached(replay_id)
        return 130
    now = watched.now
    if as_json:
        print_json(replay_json(now))
    else:
        click.echo(_summary(now))
        if now.dead:
            click.echo("Why: hookyard dead", err=True)
    return 1 if now.dead or now.state == "cancelled" else 0


def _wait(watched: Watched) -> None:
    told: set[str] = set()
    with _bar() as bar:
        task = bar.add_task(f"Replay {watched.now.id}", total=None, said="")
        while not watched.now.over and not watched.only_retries():
            _show(bar, task, watched)
            if watched.still_s >= HINT_S:
                for hint in set(watched.hints()) - told:
                    told.add(hint)
                    bar.console.print(f"It waits: {hint}", soft_wrap=True)
            pause(LOOK_S)
            watched.look()


def _bar() -> Progress:
    out = console(stderr=True)
    parts = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[said]}"))
    return Progress(*parts, console=out, transient=True, disable=not out.is_terminal, redirect_stdout=False)


def _show(bar: Progress, task: TaskID, watched: Watched) -> None:
    bar.update(task, total=watched.total or None, completed=watched.now.settled, said=watched.words())


def tell_detached(replay_id: int) -> None:
    """That it goes on, and how to steer it."""
    click.echo(f"Replay {replay_id} goes on by itself. hookyard replays shows how far it is,", err=True)
    click.echo(f"hookyard replays pause {replay_id} or cancel {replay_id} stops it.", err=True)


def _summary(now: replays.Progress) -> str:
    counts = [f"{now.delivered} delivered", f"{now.dropped} dropped", f"{now.dead} dead"]
    waiting = now.deliveries - now.settled
    if now.state == "cancelled":
        return f"Replay {now.id} was cancelled: {', '.join(counts)}."
    if now.matched and not now.deliveries:
        return f"{_messages(now.matched)}, and no route takes any of them today; --route NAME names one."
    if waiting > 0:
        counts.append(f"{waiting} wait for a retry")
    return f"Replayed {_messages(now.matched)}: {', '.join(counts)}."


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _progress(store: Store, replay_id: int) -> replays.Progress:
    """Raises ReplayError when the store does not know it (any more)."""
    found = replays.progress(store.redis, replay_id)
    if found is None:
        raise replays.ReplayError(f"There is no replay {replay_id}.")
    return found
