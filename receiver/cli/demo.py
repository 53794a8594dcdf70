"""`hookyard dev --demo`: sends sample messages through the real endpoint and shows what each route did."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from receiver.cli import outgoing
from receiver.cli.console import table
from receiver.cli.screen import Screen
from receiver.cli.welcome import first_path
from receiver.core.clock import SYSTEM, iso
from receiver.core.message import Delivery, Status, message_name
from receiver.core.reading import Store
from receiver.core.routes import Config
from receiver.core.verify_options import Verify

SAMPLES = Path(__file__).with_name("samples.jsonl")
SETTLE_SECONDS = 15.0
LOOK_SECONDS = 0.05
OPEN = frozenset({Status.QUEUED, Status.RUNNING, Status.HELD})
"""Held: the workers are not up yet. One that waits for a retry has had its turn, and is worth showing."""
TIMES = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message that was sent."""

    title: str
    message_id: str
    answer: outgoing.Answer


async def show(screen: Screen, config: Config, base: str, store_url: str) -> None:
    """Send the samples to the first source, wait until every delivery had its turn, print a table."""
    chosen = first_path(config)
    if chosen is None:
        screen.tell("No sample messages: routes.yaml has no source that is enabled.", "yellow")
        return
    url = f"{base}/hooks/{chosen.path}"
    sent = await asyncio.to_thread(post, url, chosen.source.verify)
    store = Store.open(store_url)
    try:
        outcome = await _settled(store, [one for one in sent if one.answer.accepted])
    finally:
        store.close()
    screen.tell(f"Sent {len(sent)} sample messages to {url}. What the routes did:")
    screen.out.print(table(("message", "id", "route", "outcome", "ms"), rows(sent, outcome), right=("ms",)))
    screen.tell()


def post(url: str, verify: Sequence[Verify]) -> list[Sample]:
    """Send every sample as a message of its own, with ids and times of now."""
    sent = []
    with outgoing.Sender(url) as sender:
        for line in SAMPLES.read_bytes().splitlines():
            value = renewed(json.loads(line), SYSTEM.now_ms())
            body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
            answer = sender.post(outgoing.request(body, verify))
            title = " ".join(str(value[name]) for name in ("type", "event", "name") if value.get(name))
            sent.append(Sample(title=title, message_id=str(value["messageId"]), answer=answer))
    return sent


def renewed(value: Mapping[str, object], now_ms: int) -> dict[str, object]:
    """The sample as if it happened now: a second demo must not be a row of repeats."""
    times = {name: iso(now_ms) for name in TIMES if name in value}
    return {**value, **times, "messageId": f"{value['messageId']}-{now_ms:x}"}


Outcome = dict[str, tuple[int, list[Delivery]]]
"""messageId → number in the store, deliveries."""


async def _settled(store: Store, sent: list[Sample]) -> Outcome:
    """Look until no delivery is open any more, or the time is up."""
    deadline = SYSTEM.monotonic() + SETTLE_SECONDS
    while True:
        outcome = await asyncio.to_thread(_look, store, sent)
        still_open = any(one.status in OPEN for _, deliveries in outcome.values() for one in deliveries)
        if not still_open or SYSTEM.monotonic() > deadline:
            return outcome
        await asyncio.sleep(LOOK_SECONDS)


def _look(store: Store, sent: list[Sample]) -> Outcome:
    found = {}
    for one in sent:
        for number in store.find(one.message_id):
            found[one.message_id] = (number, store.deliveries(number))
    return found


def rows(sent: list[Sample], outcome: Outcome) -> list[tuple[str, str, str, str, str]]:
    """One line a delivery; a message of several routes is named on its first line only."""
    made = []
    for one in sent:
        if not one.answer.accepted:
            refused = f"refused: {one.answer.status} {one.answer.code} {one.answer.message}"
            made.append((one.title, "", "", refused, ""))
            continue
        number, deliveries = outcome.get(one.message_id, (0, []))
        name = message_name(number) if number else "?"
        if not deliveries:
            made.append((one.title, name, "(no route)", "kept", ""))
        for at, delivery in enumerate(deliveries):
            title, shown = ("", "") if at else (one.title, name)
            made.append((title, shown, delivery.route, _words(delivery), _milliseconds(delivery)))
    return made


def _words(delivery: Delivery) -> str:
    said = [str(delivery.status)]
    if delivery.status is not Status.DELIVERED:
        said += [part for part in (delivery.code, delivery.error) if part]
    return ": ".join(said)


def _milliseconds(delivery: Delivery) -> str:
    return str(delivery.history[-1].duration_ms) if delivery.history else ""
