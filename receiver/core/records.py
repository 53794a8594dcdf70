"""How things are written in Redis: compact text, decodable for ever. Pure functions, no I/O.

log entry      b = compressed body, i = source|path|flags|route numbers[|number of the one with the same id];
               behind the flags, after a `=`, may stand a customer's settings: a JSON object in base64
delivery       status|attempts|base|code|finished (ms after arrival)|duration (ms)|step, trailing empties left
               out; of one that worked at once a number, which Redis keeps small: finished * 65536 + duration
attempts blob  JSON: the last attempts, and the outputs of the steps that are done while the delivery is open
reference      <number>:<route>:<replay or 0>
"""

import base64
import json
from hashlib import blake2b
from typing import Any

import msgspec

from receiver.core import compress
from receiver.core.keys import BLOCK
from receiver.core.message import Attempt, Delivery, Status, StoredMessage, Trigger

ID_BYTES = 8
USER_BYTES = 5
SLOT_BYTES = 3
"""The first bytes of a digest choose its hash in the index and are not written there again."""
HISTORY = 10
"""Attempts kept of one delivery."""

LETTERS = {
    Status.QUEUED: "q",
    Status.WAITING: "w",
    Status.DELIVERED: "d",
    Status.DROPPED: "p",
    Status.DEAD: "x",
}
STATUSES = {letter: status for status, letter in LETTERS.items()}
OVERTAKEN = "o"
"""Settles a delivery that waits for a retry, and lets the others of its ordering key go first."""
HELD = "h"
"""Settles a delivery that waits because its host is down: no attempt counts."""
GIVE_BACK = "b"
"""Settles a claim as if it had not been: back to the front of the backlog, no attempt counted."""


class Reference(msgspec.Struct, frozen=True):
    """Which delivery: one message on one route, and one replay (0: live)."""

    number: int
    route: int
    replay: int

    def __str__(self) -> str:
        return f"{self.number}:{self.route}:{self.replay}"

    @property
    def field(self) -> str:
        """Its name in the hashes of its block; `field` in common.lua makes the same."""
        place = self.route * BLOCK + self.number % BLOCK
        return f"{place}:{self.replay}" if self.replay else str(place)


def reference(text: str) -> Reference:
    """`"17:3:0"` → Reference(17, 3, 0)."""
    number, route, replay = text.split(":")
    return Reference(int(number), int(route), int(replay))


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The stored state of a delivery."""

    status: Status
    attempts: int
    base: int = 0
    """Attempts spent before the present round; a redriven dead letter starts a new round."""
    code: str = ""
    finished_ms: int | None = None
    """After the message's arrival."""
    duration_ms: int | None = None
    step: str = ""


class Progress(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an open delivery carries from attempt to attempt."""

    history: list[Attempt] = msgspec.field(default_factory=list)
    outputs: dict[str, Any] = msgspec.field(default_factory=dict)
    did: dict[str, str] = msgspec.field(default_factory=dict)
    """What steps did since the last attempt in the history, before the delivery was held."""


_progress_decoder = msgspec.json.Decoder(Progress)
_encoder = msgspec.json.Encoder()


def pack_record(record: Record) -> str:
    if record.status is Status.DELIVERED and (record.attempts, record.base, record.code) == (1, 0, ""):
        return str((record.finished_ms or 0) << 16 | min(record.duration_ms or 0, 0xFFFF))
    fields = (
        LETTERS[record.status],
        str(record.attempts),
        str(record.base or ""),
        record.code,
        "" if record.finished_ms is None else str(record.finished_ms),
        "" if record.duration_ms is None else str(record.duration_ms),
        record.step,
    )
    return "|".join(fields).rstrip("|")


def unpack_record(text: str) -> Record:
    """Reads what any version wrote: missing fields are empty, further ones ignored."""
    if text.isdigit():
        number = int(text)
        return Record(
            status=Status.DELIVERED, attempts=1, finished_ms=number >> 16, duration_ms=number & 0xFFFF
        )
    fields = (text.split("|") + [""] * 7)[:7]
    return Record(
        status=STATUSES[fields[0]],
        attempts=int(fields[1] or 0),
        base=int(fields[2] or 0),
        code=fields[3],
        finished_ms=int(fields[4]) if fields[4] else None,
        duration_ms=int(fields[5]) if fields[5] else None,
        step=fields[6],
    )


def pack_progress(progress: Progress) -> str:
    try:
        return _encoder.encode(progress).decode()
    except UnicodeEncodeError:  # a lone surrogate, which JavaScript sends and a handler may hand on
        return json.dumps(msgspec.to_builtins(progress))


def unpack_progress(blob: str) -> Progress:
    if not blob:
        return Progress()
    try:
        return _progress_decoder.decode(blob)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(blob), Progress)


def pack_info(
    source: str, path: str, *, covered: bool, orders_purge: bool = False, settings: str = ""
) -> str:
    """The text beside a body, to which the route numbers are appended."""
    flags = ("" if covered else "u") + ("d" if orders_purge else "") + (f"={settings}" if settings else "")
    return f"{source}|{'' if path == source else path}|{flags}|"


def unpack_entry(
    entry_id: str, body: bytes, info: str, names: dict[int, str], repeats: int = 0
) -> StoredMessage:
    """A log entry as a message. `names`: route number → name."""
    number, received_ms = entry_id.split("-")
    source, path, about, routes, *same = info.split("|")
    flags = about.partition("=")[0]
    return StoredMessage(
        number=int(number),
        received_ms=int(received_ms),
        body=compress.decompress(body),
        source=source,
        path=path or source,
        covered="u" not in flags,
        routes=tuple(names.get(int(route), f"#{route}") for route in routes.split(",") if route),
        same_id_as=int(same[0]) if same else None,
        repeats=repeats,
        orders_purge="d" in flags,
    )


def customer_settings(info: str) -> dict[str, Any]:
    """The settings of a partner subscription's customer that came with a message; {} if none did."""
    text = info.split("|")[2].partition("=")[2].rstrip("=")
    if not text:
        return {}
    settings: dict[str, Any] = json.loads(base64.b64decode(text + "=" * (-len(text) % 4)))
    return settings


def identity(source: str, path: str, message_id: str) -> bytes:
    """Digest of the deduplication key; a false repeat would have to share the content digest as well."""
    return blake2b(
        f"{source}\0{path}\0{message_id}".encode("utf-8", "surrogatepass"), digest_size=ID_BYTES
    ).digest()


def user_digest(user: str) -> bytes:
    """Digest of a userId or anonymousId, 5 bytes: enough to find, the reader compares the whole id."""
    return blake2b(user.encode("utf-8", "surrogatepass"), digest_size=USER_BYTES).digest()


def delivery(ref: Reference, route: str, received_ms: int, row: tuple[str, str, bool, int, str]) -> Delivery:
    """A delivery as people see it. `row`: record, attempts blob, running, due ms, why its route is held."""
    text, blob, running, due_ms, held = row
    record = unpack_record(text) if text else Record(status=Status.QUEUED, attempts=0)
    progress = unpack_progress(blob)
    status = record.status
    if running:
        status = Status.RUNNING
    elif status is Status.WAITING and not due_ms:
        status = Status.QUEUED
    if status is Status.QUEUED and held:
        status = Status.HELD
    finished = None if record.finished_ms is None else received_ms + record.finished_ms
    last = progress.history[-1] if progress.history else None
    return Delivery(
        message=ref.number,
        route=route,
        replay=ref.replay,
        status=status,
        attempts=record.attempts,
        code=record.code or ("ok" if status is Status.DELIVERED else ""),
        error=held if status is Status.HELD else (last.error if last else ""),
        step=record.step,
        due_ms=due_ms or None,
        finished_ms=finished,
        history=tuple(progress.history) or _only_attempt(ref, record, finished),
    )


def _only_attempt(ref: Reference, record: Record, finished: int | None) -> tuple[Attempt, ...]:
    """A delivery that worked at once keeps no history: its record says it all."""
    if record.attempts != 1 or finished is None:
        return ()
    duration = record.duration_ms or 0
    return (
        Attempt(
            number=1,
            trigger=Trigger.REPLAY if ref.replay else Trigger.LIVE,
            code=record.code or "ok",
            started_ms=finished - duration,
            duration_ms=duration,
        ),
    )
