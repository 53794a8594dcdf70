"""What to say about text that is no YAML: the parser's words, and the likely cure."""

from ruamel.yaml.error import MarkedYAMLError


def explained(error: MarkedYAMLError, lines: list[str]) -> tuple[int, str]:
    """Line and message of a syntax error, and what usually cures it."""
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark is not None]
    line = marks[0].line + 1 if marks else 1
    nearby = " ".join(lines[mark.line] for mark in marks if mark.line < len(lines))
    said = " ".join(part for part in (error.context, error.problem) if part)
    return line, f"{said}{_cure(said, nearby)}"


def _cure(said: str, nearby: str) -> str:
    if "{{" in nearby or "{%" in nearby:
        return "; a value with a template in it must be quoted: quote it"
    if "alias" in said or "tag" in said:
        return "; if the `*` or `!` belongs to the text, quote it"
    if "'\\t'" in said:
        return "; indent with spaces, not with tabs"
    if "cannot start any token" in said:
        return "; if the character belongs to the text, quote it"
    if "mapping values are not allowed" in said:
        return "; if the text holds a colon, quote it, else look at the indentation"
    return ""
