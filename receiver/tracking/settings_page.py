"""What libraries in browsers and phones load before they send: where to send, and with which key.

A page that cannot load it sends nothing; one that finds no `Segment.io` in it sends to Segment; and without
`sampleRate` 0 it also sends numbers about itself (segment.md 3.6).
"""

import json
from collections.abc import Mapping

from starlette.types import Scope

from receiver.tracking.calls import PREFIX

HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


def body_of(scope: Scope, key: str) -> bytes:
    """The settings of the source with this write key, for whoever asked."""
    headers: Mapping[bytes, bytes] = dict(scope["headers"])
    segment = {"apiKey": key, "apiHost": _host(scope, headers) + PREFIX.rstrip("/")}
    # Libraries use https unless told otherwise. A page that came by https must, whatever a proxy made of
    # the request, so only a page that did not is told to use http.
    if scope["scheme"] == "http" and headers.get(b"origin", b"").startswith(b"http://"):
        segment["protocol"] = "http"
    return json.dumps({"integrations": {"Segment.io": segment}, "metrics": {"sampleRate": 0}}).encode()


def _host(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """The host by which it was asked: the same will take its messages."""
    named = headers.get(b"host", b"").decode("latin-1")
    if named or not scope.get("server"):
        return named
    host, port = scope["server"]
    return f"{host}:{port}"
