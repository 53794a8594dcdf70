"""Which stored messages: the filters that lists, replays and dry runs share."""

from functools import lru_cache

import msgspec

from receiver.core import globs, json_text
from receiver.core.content import Content
from receiver.core.errors import MalformedMessage
from receiver.core.exact_json import NotJson
from receiver.core.facts import facts, message_id, owner, users
from receiver.core.fql import Predicate, compile_fql
from receiver.core.json_text import Fields
from receiver.core.message import StoredMessage


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Empty fields narrow nothing. Times are milliseconds since 1970: since ≤ arrival < until."""

    since_ms: int | None = None
    until_ms: int | None = None
    numbers: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    """Globs; they narrow track messages only, and alone imply track."""
    sources: tuple[str, ...] = ()
    user: str | None = None
    """userId or anonymousId."""
    invalid: bool = False
    """Only those that Segment would reject."""
    where: str | None = None
    """What must be true of a message, in FQL."""

    def takes(self, message: StoredMessage) -> bool:
        """Whether a message belongs to it. A body that cannot be read has no type, event or user."""
        if self.since_ms is not None and message.received_ms < self.since_ms:
            return False
        if self.until_ms is not None and message.received_ms >= self.until_ms:
            return False
        if self.numbers and message.number not in self.numbers:
            return False
        if self.sources and message.source not in self.sources:
            return False
        about_content = self.types or self.events or self.user or self.invalid or self.where
        return not about_content or self._takes_content(message.body)

    def _takes_content(self, body: bytes) -> bool:
        try:
            fields = json_text.members(body)
        except MalformedMessage:
            return False
        found = facts(fields, with_channel=False)
        if self.types and found.type not in self.types:
            return False
        if self.events and found.type == "track":
            if not any(globs.compile_glob(pattern).match(found.event or "") for pattern in self.events):
                return False
        elif self.events and not self.types:
            return False
        if self.invalid and not found.problems:
            return False
        if self.user is not None and self.user not in users(fields):
            return False
        return self.where is None or _holds(_compiled(self.where), fields)


@lru_cache(maxsize=16)
def _compiled(where: str) -> Predicate:
    """A selection is asked of many messages, and goes by text from process to process."""
    return compile_fql(where)


def _holds(where: Predicate, fields: Fields) -> bool:
    """What cannot be read is not selected."""
    try:
        return where(Content(fields))
    except NotJson:
        return False


def identity(body: bytes) -> str | None:
    """The messageId of a stored body."""
    try:
        return message_id(json_text.members(body))
    except MalformedMessage:
        return None


def user_of(message: StoredMessage) -> str | None:
    """The userId of a stored message."""
    try:
        return owner(json_text.members(message.body))
    except MalformedMessage:
        return None
