"""Plays the Profile API and a mail service on this machine: `python stand_in.py [PORT]`.

What is mailed is printed, and added to mails.jsonl.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PEOPLE = {
    "ada": {"first_name": "Ada", "plan": "pro"},
    "bob": {"first_name": "Bob", "plan": "internal"},
}
MAILS = Path("mails.jsonl")


class StandIn(BaseHTTPRequestHandler):
    """GET …/profiles/user_id:ada/traits, POST /mails."""

    def do_GET(self) -> None:
        user = self.path.partition("/profiles/user_id:")[2].partition("/")[0]
        if user in PEOPLE:
            self._answer(200, {"traits": PEOPLE[user], "cursor": {"has_more": False}})
        else:
            self._answer(404, {"error": {"code": "not_found", "message": "the profile was not found"}})

    def do_POST(self) -> None:
        mail = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(mail, flush=True)
        with MAILS.open("a", encoding="utf-8") as file:
            file.write(mail + "\n")
        self._answer(202, {"queued": True})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: the mails are what matters."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 9001), StandIn).serve_forever()
