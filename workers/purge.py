"""Deletes what is stored of users where it was ordered: in small steps, for a while at a time.

It concerns every message with exactly that userId that arrived before the order, from whatever source; only
orders stay, as the proof. Several supervisors may work the same order, and after a crash it begins again:
what is gone is neither found nor counted twice.
"""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice

import redis

from receiver.core import json_text, purges, scripts
from receiver.core.clock import Clock
from receiver.core.facts import users
from receiver.core.message import message_name
from receiver.core.purges import Order
from receiver.core.queue import Jobs
from receiver.core.reading import Store
from receiver.core.selection import user_of

log = logging.getLogger("hookyard.purge")

WHILE_S = 0.3
"""How long one call goes on: the rest of the sweep must not wait for a large user."""
STEP = 25
"""Messages deleted in one script call: some 2 ms inside Redis."""
ORDERS = 100
"""Orders looked up at a time."""


class Purger:
    """One supervisor's share of the orders."""

    def __init__(self, client: "redis.Redis", jobs: Jobs, clock: Clock) -> None:
        self._store = Store(client, jobs, clock)
        self._clock = clock
        self._steps: Iterator[int] | None = None

    def work(self) -> None:
        """Go on from where the last call stopped, for WHILE_S at most; after an error from the beginning.

        Raises Unavailable and redis' errors.
        """
        until = self._clock.monotonic() + WHILE_S
        steps, self._steps = self._steps or self._orders(), None
        while next(steps, None) is not None:
            if self._clock.monotonic() >= until:
                self._steps = steps
                return

    def _orders(self) -> Iterator[int]:
        """All that are not done; yields after each step."""
        while found := list(purges.pending(self._store.redis, ORDERS)):
            for order in found:
                yield from self._obey(order)

    def _obey(self, order: Order) -> Iterator[int]:
        user = self._user(int(order.id)) if order.user is None else order.user
        if user is not None:
            numbers = (number for number in self._store.each_of_user(user) if number < order.before)
            while some := list(islice(numbers, STEP)):
                made = purges.step(order.id, self._doomed(some, user), now_ms=self._clock.now_ms())
                yield scripts.run_now(self._store.redis, made)
        ended = scripts.run_now(self._store.redis, purges.finish(order.id))
        if ended.done:
            given = {"message_id": message_name(order.before)} if order.user is None else {"order": order.id}
            log.info("purged what was stored of a user", extra={**given, "messages": ended.messages})
        yield 0

    def _user(self, number: int) -> str | None:
        message = self._store.message(number)
        return None if message is None else user_of(message)

    def _doomed(self, numbers: Sequence[int], user: str) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Of these the user's own, with all users they are found by; and those that are gone already, of
        which an entry in the index is left."""
        found = {message.number: message for message in self._store.messages(numbers)}
        for number in numbers:
            message = found.get(number)
            if message is None:
                yield number, (user,)
            elif not message.orders_purge and user_of(message) == user:
                yield number, users(json_text.members(message.body))
