"""Notes what is refused, off the way of messages; `receiver.opening` writes the notes down once a second.

A flood of one kind must not push all others out of the list, nor cost a call each: of one source and code
there is one note in `APART_S`, with the number of the others.
"""

from receiver.core.clock import SYSTEM, Clock
from receiver.core.refusals import SAMPLE, Refusal

APART_S = 10.0
MOST = 100
"""Most kinds held in memory: configured names times codes, but paths of unknown senders too."""

_Kind = tuple[str, str]


class Refusals:
    """What one process refused and has not written down yet."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._clock = clock
        self._held: dict[_Kind, Refusal] = {}
        self._written: dict[_Kind, float] = {}

    def note(self, source: str, code: str, *, size: int, sample: bytes = b"", count: int = 1) -> None:
        """One or more of a kind, the last of them so large and with this beginning."""
        before = self._held.get((source, code))
        if before is None and len(self._held) >= MOST:
            return
        self._held[source, code] = Refusal(
            at_ms=self._clock.now_ms(),
            source=source,
            code=code,
            count=count + (before.count if before is not None else 0),
            size=size,
            sample=sample[:SAMPLE].decode(errors="replace"),
        )

    def take(self, *, all_of_them: bool = False) -> list[Refusal]:
        """What is to be written now, oldest first; it is held no longer."""
        now = self._clock.monotonic()
        self._written = {kind: at for kind, at in self._written.items() if now - at < APART_S}
        kinds = [kind for kind in self._held if all_of_them or kind not in self._written]
        self._written.update(dict.fromkeys(kinds, now))
        return sorted((self._held.pop(kind) for kind in kinds), key=lambda one: one.at_ms)
