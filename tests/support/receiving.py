"""The HTTP side as a process of its own on a private durable Valkey, without workers: for real clients."""

import json
import os
import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from receiver.core.interpreter import OUR_PYTHON
from receiver.core.message import StoredMessage
from receiver.core.reading import Store
from tests.support.processes import until
from tests.support.stack import REPOSITORY, Process
from tests.support.valkey import DURABLE, ValkeyServer

PAGE = 10_000


class Receiving:
    """Use it as a context manager; inside, it is ready."""

    def __init__(self, folder: Path, routes: str, environ: Mapping[str, str]) -> None:
        self._short = Path(tempfile.mkdtemp(prefix="hy-", dir="/tmp"))  # a socket's path must be short
        self.valkey = ValkeyServer(self._short, DURABLE)
        (folder / "routes.yaml").write_text(routes)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        ours = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY),
            "HOOKYARD_REDIS_URL": self.valkey.url,
        }
        command = [*OUR_PYTHON, "receiver.cli", "receiver", "--port", str(self.port)]
        self.receiver = Process("receiver", command, {**ours, **environ}, folder)
        self.store = Store.open(self.valkey.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            self.valkey.start()
            self.receiver.start()
            until(self.ready, what="a ready receiver")
        except BaseException:
            self._close(failed=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(failed=kind is not None)

    def ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310 - http
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def since(self, number: int) -> list[StoredMessage]:
        """The messages that were stored after the one of this number, oldest first."""
        return self.store.page(number + 1, self.store.last_number(), PAGE)

    def bodies(self, number: int) -> list[Any]:
        """The same as JSON."""
        return [json.loads(message.body) for message in self.since(number)]

    def _close(self, *, failed: bool) -> None:
        self.receiver.kill()
        self.store.close()
        self.valkey.kill()
        shutil.rmtree(self._short)
        if failed:
            print(f"--- receiver ---\n{self.receiver.tail()}")
