"""What is wrong with a statement, and where."""

LONGEST_LINE = 72
"""Most characters of a statement beside a caret, so that the two lines fit a terminal."""
_CUT = "…"


class FqlError(ValueError):
    """The statement is no FQL."""

    def __init__(self, reason: str, statement: str, position: int) -> None:
        super().__init__(f"{reason} (at character {position + 1})")
        self.reason = reason
        self.statement = statement
        self.position = position
        """The character, counted from 0; the statement's length where something is missing at its end."""

    def caret(self) -> str:
        """Two lines: the statement's line that is wrong, shortened around the place, and a caret below."""
        start = self.statement.rfind("\n", 0, self.position) + 1
        line = self.statement[start:].partition("\n")[0]
        at = self.position - start
        cut = max(0, at - LONGEST_LINE * 2 // 3)
        before, after = line[cut:at], line[at : cut + LONGEST_LINE]
        shown = (_CUT if cut else "") + before + after + (_CUT if cut + LONGEST_LINE < len(line) else "")
        plain = "".join(char if char.isprintable() else " " for char in shown)
        return f"{plain}\n{' ' * (len(before) + bool(cut))}^"
