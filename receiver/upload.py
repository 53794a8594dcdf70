"""What is left of a body that nobody wants, on a connection that closes after the answer.

Closing while the sender still sends resets the connection, and the sender then never sees why it was refused.
On a connection that stays open the server throws the rest away by itself.
"""

import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.types import Receive, Scope

DISCARD_S = 15.0
"""How long a refused sender may go on sending before it is cut off."""


class Upload:
    """Stands in for `receive` and knows whether the body is complete."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._complete = False

    async def __call__(self) -> MutableMapping[str, Any]:
        event = await self._receive()
        self._complete = not event.get("more_body", False)
        return event

    async def discard(self) -> None:
        """Read the rest and keep nothing of it."""
        try:
            async with asyncio.timeout(DISCARD_S):
                while not self._complete:
                    await self()
        except TimeoutError:
            return


def will_close(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether the connection ends with this request while its body may still be on the way."""
    connection = headers.get(b"connection")
    if (connection is None or b"close" not in connection.lower()) and scope.get("http_version") != "1.0":
        return False
    # Whoever waits for `100 Continue` has not begun to send, and is not to be told to.
    return b"expect" not in headers
