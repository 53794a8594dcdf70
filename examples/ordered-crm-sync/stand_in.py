"""Plays a CRM that is busy at every third request: `python stand_in.py [PORT]`.

Each change it takes is printed, and added to changes.jsonl.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path

CHANGES = Path("changes.jsonl")
requests = count(1)


class StandIn(BaseHTTPRequestHandler):
    """PUT /contacts/ada."""

    def do_PUT(self) -> None:
        traits = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        contact = self.path.rpartition("/")[2]
        busy = next(requests) % 3 == 0
        print(f"{contact} version {traits['version']}: {'busy' if busy else 'taken'}", flush=True)
        if not busy:
            with CHANGES.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"contact": contact, **traits}) + "\n")
        self.send_response(503 if busy else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the changes are what matters."""


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 9002), StandIn).serve_forever()
