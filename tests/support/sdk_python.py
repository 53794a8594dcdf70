"""A program that uses segment-analytics-python, of whatever version is on its path. Prints what it sent.

Run as `python -m tests.support.sdk_python HOST WRITE_KEY OPTIONS`, where OPTIONS is JSON: `tracks` (how many
beside the six calls), and whatever `Client` takes.
"""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from segment.analytics.client import Client
from segment.analytics.version import VERSION

ODD = {"revenue": 19.99, "big": 2**70, "name": "Zoë 😀", "none": None, "list": [1, {"a": []}]}


def main(host: str, key: str, options: dict[str, Any]) -> None:
    """Make the calls, flush, and leave."""
    errors: list[str] = []
    tracks = options.pop("tracks", 0)
    client = Client(key, host=host, on_error=lambda error, batch: errors.append(str(error)), **options)
    past = datetime(2024, 6, 10, 6, 15, 0, 250_000, tzinfo=UTC)
    made = [
        client.identify("u1", {"email": "ada@example.com", "odd": ODD}),
        client.track("u1", "Order Completed", ODD, context={"ip": "198.51.100.7"}, timestamp=past),
        client.page("u1", "Docs", "Start", {"url": "https://example.com/"}),
        client.screen(None, "App", "Home", {"a": 1}, anonymous_id="a1", integrations={"All": False}),
        client.group("u1", "g1", {"plan": "gold"}),
        client.alias("a1", "u1"),
        *(client.track("u2", f"Event {number}", {"number": number}) for number in range(tracks)),
    ]
    client.shutdown()
    json.dump({"version": VERSION, "sent": [message for _, message in made], "errors": errors}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
