"""A clock that goes when it is told to."""


class FakeClock:
    """Stands at 2026-07-30 until `forward`."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now_ms(self) -> int:
        return 1_785_369_600_000 + round(self._seconds * 1000)

    def monotonic(self) -> float:
        return self._seconds

    def forward(self, seconds: float) -> None:
        self._seconds += seconds
