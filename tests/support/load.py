"""A bounded, steady flow of signed messages, without retries: what is answered 200 goes into the audit.

`with Load(stack, audit): …` sends while the block runs.
"""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from receiver.core.clock import SYSTEM
from tests.support.audit import Audit
from tests.support.sender import Sender
from tests.support.stack import SECRET, Stack

BATCH = 10


def body(message_id: str, event: str, properties: Mapping[str, Any]) -> bytes:
    """A track message."""
    fields = {
        "type": "track",
        "event": event,
        "messageId": message_id,
        "userId": "u1",
        "properties": properties,
    }
    return json.dumps(fields).encode()


class Client:
    """One connection that posts messages and tells the audit which were answered 200."""

    def __init__(self, stack: Stack, audit: Audit) -> None:
        self._url = f"{stack.url}/hooks/shop"
        self._audit = audit
        self._sender: Sender | None = None

    def post(self, event: str, *message_ids: str, **properties: Any) -> int:
        """Send one message, or several as a batch; the status, or 0 when there was no answer."""
        messages = [body(message_id, event, properties) for message_id in message_ids]
        sent_ms = SYSTEM.now_ms()
        try:
            if self._sender is None:
                self._sender = Sender(self._url, SECRET)
            whole = messages[0] if len(messages) == 1 else b"[" + b",".join(messages) + b"]"
            status = self._sender.send(whole, over=messages[0]).status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0
        if status == 200:
            for message_id in message_ids:
                self._audit.acknowledged(message_id, event, sent_ms)
        return status

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()
            self._sender = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Load:
    """Several connections, each sending at its share of `rate`; every tenth request is a batch."""

    def __init__(
        self,
        stack: Stack,
        audit: Audit,
        *,
        event: str = "Load",
        rate: float = 150,
        connections: int = 4,
        **properties: Any,
    ) -> None:
        """`rate`: requests a second."""
        self._stack, self._audit = stack, audit
        self._event, self._properties = event, properties
        self._pause_s = connections / rate
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(connections)]
        self.statuses: Counter[int] = Counter()
        """Answers by status; 0: none came."""
        self.slowest_s = 0.0
        """Longest wait for an answer."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        unexpected = set(self.statuses) - {0, 200, 503}
        assert not unexpected, f"unexpected answers: {self.statuses}"

    def _run(self, number: int) -> None:
        turn, due = 0, SYSTEM.monotonic()
        name = f"{self._event}-{id(self)}-{number}"
        with Client(self._stack, self._audit) as client:
            while not self._end.is_set():
                turn += 1
                ids = [f"{name}-{turn}-{at}" for at in range(BATCH if turn % 10 == 0 else 1)]
                began = SYSTEM.monotonic()
                status = client.post(self._event, *ids, **self._properties)
                now = SYSTEM.monotonic()
                with self._lock:
                    self.statuses[status] += 1
                    self.slowest_s = max(self.slowest_s, now - began)
                due = max(due + self._pause_s, now - 1)  # after an outage no flood to make up for it
                self._end.wait(max(0.0, due - now))
