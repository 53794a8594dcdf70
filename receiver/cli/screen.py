"""What `hookyard dev` shows: its own sentences, and the lines of its children, each with the child's name."""

import json
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from receiver.cli.console import console, plain

WIDTH = 8
"""Of the longest child's name."""
COLOURS = {"receiver": "cyan", "workers": "magenta", "valkey": "blue"}
LEVELS = {"warning": "yellow", "error": "red", "critical": "red"}
HIDDEN = frozenset({"time", "level", "logger", "message", "traceback"})
"""Fields of a JSON log line that are shown in another way or not at all."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Prints to the terminal; used from one thread."""

    out: Console

    @classmethod
    def here(cls) -> "Screen":
        return cls(console())

    def tell(self, text: str = "", style: str = "") -> None:
        """A sentence of our own, never cut or folded: it may be a line to paste."""
        self.out.print(Text(text, style=style), soft_wrap=True)

    def line(self, name: str, line: str) -> None:
        """One line of a child."""
        mark = Text(f"{name:>{WIDTH}} │ ", style=COLOURS.get(name, ""))
        self.out.print(mark.append(readable(line)), soft_wrap=True)


def readable(line: str) -> Text:
    """A log line for people: JSON ones are taken apart, others are shown as they are."""
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict) or "message" not in found:
        return Text(plain(line))
    level = str(found.get("level", ""))
    shown = f"{level}: {found['message']}" if level in LEVELS else found["message"]
    text = Text().append(plain(shown), style=LEVELS.get(level, ""))
    for name, value in found.items():
        if name not in HIDDEN:
            text.append(plain(f" {name}={value}"), style="dim")
    for row in str(found.get("traceback", "")).splitlines():
        text.append(f"\n{'':>{WIDTH}} │   {plain(row)}", style="dim")
    return text
