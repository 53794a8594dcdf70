"""No request reaches this machine or its network, however the address is spelled or answered."""

import socket
from typing import Any

import pytest

from tests.support.destination import Destination
from tests.support.outbound import (
    output,
    post,
    with_tools,
)
from workers import addresses
from workers.errors import RequestRefused
from workers.outcome import Dead
from workers.toolbox import Toolbox


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "①②⑦.⓪.⓪.①", "0.0.0.0"),  # noqa: S104
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "localhost", "LOCALHOST"),
    ],
)
def test_no_spelling_of_this_machine_gets_through(host: str) -> None:
    with Destination() as destination:
        port = destination.url.rpartition(":")[2]
        outcome = post(f"http://{host}:{port}/", allow_private=False)
        assert destination.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code in ("address_refused", "invalid_request", "template_error")


def test_metadata_is_refused_even_where_private_addresses_are_allowed() -> None:
    outcome = post("http://169.254.169.254/latest/meta-data")
    assert isinstance(outcome, Dead)
    assert outcome.code == "address_refused"


def test_an_answer_that_changes_after_the_check_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the resolver's answer is let through, and still no socket opens for it."""
    monkeypatch.setattr(addresses.Gate, "check", _lenient_once())
    with Destination() as destination:
        port = int(destination.url.rpartition(":")[2])
        outcome = post(f"http://localhost:{port}/", allow_private=False)
        assert destination.requests == []
    assert isinstance(outcome, Dead)
    assert outcome.code == "address_refused"


def _lenient_once() -> Any:
    strict, calls = addresses.Gate.check, iter([True])

    def check(gate: addresses.Gate, address: str) -> None:
        if not next(calls, False):
            strict(gate, address)

    return check


def test_the_connection_goes_to_the_address_that_was_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []

    def look_up(host: str, port: int, family: int) -> list[Any]:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(addresses, "_look_up", look_up)
    with Destination() as destination:
        port = destination.url.rpartition(":")[2]
        output(post(f"http://shop.example.com:{port}/"))
        assert destination.requests[0].headers["host"] == f"shop.example.com:{port}"
    assert looked_up == ["shop.example.com"]


def test_a_guarded_request_does_not_use_a_private_ones_connection() -> None:
    async def work(tools: Toolbox) -> None:
        await tools.http.get(destination.url, allow_private=True)
        with pytest.raises(RequestRefused, match="not a public address"):
            await tools.http.get(destination.url)

    with Destination() as destination:
        with_tools(work)
        assert len(destination.requests) == 1
