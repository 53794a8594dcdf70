"""The receiver's socket: what is wrong with an address is one sentence."""

import socket

import pytest

from receiver.cli.listen import address, bind
from receiver.core.errors import ConfigError


def test_a_free_port_is_bound() -> None:
    with bind("127.0.0.1", 0) as bound:
        assert address(bound) == f"http://127.0.0.1:{bound.getsockname()[1]}"


def test_all_addresses_are_reached_by_loopback() -> None:
    with bind("0.0.0.0", 0) as bound:  # noqa: S104 - for a moment, and nothing listens
        assert address(bound).startswith("http://127.0.0.1:")


def test_a_taken_port_names_the_way_out() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} .* is taken.*--port {port + 1}"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["no such host.invalid", "192.0.2.1", "\0"])
def test_a_wrong_address_is_said(host: str) -> None:
    with pytest.raises(ConfigError, match="HOOKYARD_HOST"):
        bind(host, 0)
