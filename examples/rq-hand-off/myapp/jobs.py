"""Jobs of an RQ app that knows nothing of Hookyard: plain functions with plain arguments."""

from pathlib import Path

from rq import get_current_job

DONE = Path("done.txt")


def confirm(user: str, *, order: str, total: float) -> str:
    return _note(f"confirm {order} to {user}: {total}")


def index(message: dict[str, object]) -> str:
    return _note(f"index {message['userId']}: {message['traits']}")


def _note(line: str) -> str:
    job = get_current_job()
    whence = job.meta["hookyard"]["message"] if job else "nowhere"
    with DONE.open("a", encoding="utf-8") as file:
        file.write(f"{line} ({whence})\n")
    return line
