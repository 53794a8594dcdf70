"""A web site on loopback with a few fixed pages."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.support.served import Served

_TYPES = {".html": "text/html", ".js": "text/javascript"}


class Site(Served):
    """Serves files."""

    def __init__(self, pages: Mapping[str, Path]) -> None:
        """`pages`: path → file."""
        self.pages = pages
        super().__init__(type("_Bound", (_Handler,), {"site": self}))


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        file = self.site.pages.get(self.path.partition("?")[0])
        if file is None:
            self.send_error(404)
            return
        body = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", _TYPES[file.suffix])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test says what matters."""
