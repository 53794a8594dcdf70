"""Stands in for the tool: what it gets is added to kept.jsonl."""

import json
from pathlib import Path

from workers.api import Message

KEPT = Path("kept.jsonl")


def keep(message: Message) -> None:
    with KEPT.open("a", encoding="utf-8") as file:
        file.write(json.dumps(message.data) + "\n")
