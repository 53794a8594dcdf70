"""YAML text as values that remember their lines, read without surprises: the ground under routes.yaml.

Stricter than YAML: a key stands once, keys are text, there are no tags, numbers are those of JSON (`0123`,
`1:30` and `NO` are text), and what aliases unfold to is bounded. Knows nothing of routes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from receiver.core.errors import ConfigError, Problem
from receiver.core.yaml_advice import explained

MAX_VALUES = 100_000
"""Most values a file may hold once its aliases are unfolded."""
MAX_DEPTH = 50

Path = tuple[str | int, ...]

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,300})(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(slots=True)
class Node:
    """A value, its line, and for a mapping the lines of its keys. What stands behind an alias is shared."""

    value: Any
    line: int
    key_lines: dict[str, int] = field(default_factory=dict)
    size: int = 1
    depth: int = 1
    is_garbled: bool = False
    """Whether it could not be read as meant, so that nothing more can be said about it."""

    def plain(self) -> Any:
        """The value without lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def line_of(self, path: Path) -> int | None:
        """The line where the value at `path` begins, or would have to be added; None if it is garbled."""
        node, line = self, self.line
        for key in path:
            if isinstance(node.value, dict) and isinstance(key, str) and key in node.value:
                line, node = node.key_lines[key], node.value[key]
            elif isinstance(node.value, list) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
                line = node.line
            else:
                break
            if node.is_garbled:
                return None
        return line


def key_path(path: Sequence[str | int]) -> str:
    """`("routes", "a", "steps", 0)` → `routes.a.steps[0]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".")


def read(text: str, *, file: str) -> tuple[Node, list[Problem]]:
    """The top-level mapping, and what is wrong without being in the way of reading on.

    Raises ConfigError where nothing can be read any more.
    """
    reader = _Reader(file)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            reader.take(event)
    except MarkedYAMLError as error:
        reader.give_up(*explained(error, text.splitlines()))
    except YAMLError as error:
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        reader.give_up(line, "the file holds a character that YAML does not allow")
    root = reader.root or Node({}, 1)
    if root.value is None:
        root = Node({}, 1)
    if not isinstance(root.value, dict):
        reader.give_up(root.line, "the file must be a mapping with the keys sources, connections and routes")
    return root, reader.problems


class _Frame:
    """A mapping or list that is still open."""

    def __init__(self, node: Node, *, is_key: bool) -> None:
        self.node = node
        self.is_key = is_key
        self.key: str | None = None
        self.key_line = 0
        self.has_key = False
        self.merged: list[Node] = []

    @property
    def expects_key(self) -> bool:
        return isinstance(self.node.value, dict) and not self.has_key


class _Reader:
    """Builds nodes from ruamel's events. Its own composer knows neither our limits nor `!` before a blank."""

    def __init__(self, file: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._file = file
        self._frames: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Event) -> None:
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, CollectionStartEvent):
            self._open(event)
        elif isinstance(event, CollectionEndEvent):
            self._close()
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self.give_up(_line(event), "there must be one document only; remove the line ---")

    def give_up(self, line: int, message: str) -> NoReturn:
        self._problem(line, message)
        raise ConfigError(self.problems)

    def _problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(self._file, line, key_path(self._path()), message))

    def _path(self) -> list[str | int]:
        path: list[str | int] = []
        for frame in self._frames:
            if isinstance(frame.node.value, list):
                path.append(len(frame.node.value))
            elif frame.key is not None:
                path.append(frame.key)
        return path

    def _node(self, value: Any, event: Any) -> Node:
        is_tagged = event.tag is not None and event.tag != _TEXT_TAG
        if is_tagged:
            self._problem(_line(event), "`!` begins a tag in YAML; if it belongs to the text, quote it")
        return Node(value, _line(event), is_garbled=is_tagged)

    def _scalar(self, event: Any) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame is not None and frame.expects_key:
            self._key(frame, event)
            return
        plain = event.style is None and event.tag is None
        value = _resolved(event.value) if plain else _paired(event.value)
        self._add(self._node(value, event), event.anchor)

    def _key(self, frame: _Frame, event: Any) -> None:
        key, line = event.value, _line(event)
        frame.key, frame.key_line, frame.has_key = key, line, True
        if key in frame.node.key_lines:
            first = frame.node.key_lines[key]
            self._problem(line, f"the key stands twice; the first one is on line {first}")
        elif key != "<<" or event.style is not None:
            frame.node.key_lines[key] = line

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            self.give_up(
                _line(event), f"`*{event.anchor}` refers to nothing; if it belongs to the text, quote it"
            )
        elif any(frame.node is node for frame in self._frames):
            self.give_up(_line(event), f"`*{event.anchor}` refers to itself")
        elif self._frames[-1].expects_key:
            self.give_up(_line(event), "an alias cannot be a key")
        else:
            self._add(node, None)

    def _open(self, event: Any) -> None:
        is_key = bool(self._frames) and self._frames[-1].expects_key
        if is_key:
            advice = "a key must be text; if this is a template such as {{ userId }}, quote it"
            self._problem(_line(event), advice)
            self._frames[-1].node.is_garbled = True
        node = self._node({} if isinstance(event, MappingStartEvent) else [], event)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._frames.append(_Frame(node, is_key=is_key))
        if len(self._frames) > MAX_DEPTH:
            del self._frames[1:]
            self.give_up(_line(event), f"the file is nested more than {MAX_DEPTH} levels deep")

    def _close(self) -> None:
        frame = self._frames.pop()
        self._merge(frame)
        children = list(frame.node.value.values() if isinstance(frame.node.value, dict) else frame.node.value)
        frame.node.size = 1 + sum(child.size for child in children)
        frame.node.depth = 1 + max((child.depth for child in children), default=0)
        if frame.node.size > MAX_VALUES or frame.node.depth > MAX_DEPTH:
            self.give_up(
                frame.node.line, f"its aliases unfold to more than {MAX_VALUES} values or {MAX_DEPTH} levels"
            )
        if frame.is_key:
            self._frames[-1].key, self._frames[-1].has_key = None, True
        else:
            self._add(frame.node, None)

    def _merge(self, frame: _Frame) -> None:
        """`<<: *defaults`: keys of another mapping, where the mapping has none of its own."""
        for node in frame.merged:
            for key, value in node.value.items():
                if key not in frame.node.value:
                    frame.node.value[key] = value
                    frame.node.key_lines[key] = node.key_lines[key]

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._frames:
            self.root = node
            return
        frame = self._frames[-1]
        if isinstance(frame.node.value, list):
            frame.node.value.append(node)
            return
        if frame.key == "<<" and "<<" not in frame.node.key_lines:
            self._note_merge(frame, node)
        elif frame.key is not None:
            frame.node.value.setdefault(frame.key, node)
        frame.key, frame.has_key = None, False

    def _note_merge(self, frame: _Frame, node: Node) -> None:
        nodes = node.value if isinstance(node.value, list) else [node]
        if not all(isinstance(one.value, dict) for one in nodes):
            self._problem(frame.key_line, "`<<` takes mappings only, as in `<<: *defaults`")
            return
        frame.merged += nodes


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _paired(value: str) -> str:
    """JSON writes an emoji as two escapes, `"\\ud83d\\ude00"`: one character, which YAML does not know."""
    if not _SURROGATE.search(value):
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _resolved(value: str) -> Any:
    """An unquoted scalar: null, true, false, a number of JSON, or text."""
    lower = value if value in _WORDS else value.lower()
    if lower in _WORDS and value in (lower, lower.capitalize(), lower.upper()):
        return _WORDS[lower]
    match = _NUMBER.fullmatch(value)
    if match is None:
        return value
    if match[2] is None and match[3] is None:
        return int(value)
    number = float(value)
    return value if number in (float("inf"), float("-inf")) else number
