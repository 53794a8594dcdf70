import asyncio
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers import addresses
from workers.addresses import METADATA, ForbiddenAddress, Gate, Resolver, forbidden

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.1.1", "0.0.0.0", "0.1.2.3", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1",  # noqa: S104
    "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1",
    "100::1", "2001::1", "3fff::1",
    "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:10.0.0.1",
    "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::8.8.8.8",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.15.0.1", "172.32.0.1", "100.63.255.255", "100.128.0.1",
    "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip
ODD = ["127.1", "0x7f.0.0.1", "2130706433", "017700000001", "localhost", "", "1.2.3.4.5", "::g", "127.0.0.1 "]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_inside_is_refused_unless_allowed(address: str) -> None:
    assert "not a public address" in (forbidden(address, allow_private=False) or "")
    assert forbidden(address, allow_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_not(address: str) -> None:
    assert forbidden(address, allow_private=False) is None


@pytest.mark.parametrize("address", ODD)
@pytest.mark.parametrize("allow_private", [True, False])
def test_what_the_system_would_have_to_interpret_is_refused(address: str, allow_private: bool) -> None:
    assert "is not an address" in (forbidden(address, allow_private=allow_private) or "")


@pytest.mark.parametrize(
    "address", [*sorted(map(str, METADATA)), "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]
)
@pytest.mark.parametrize("allow_private", [True, False])
def test_metadata_addresses_are_always_refused(address: str, allow_private: bool) -> None:
    assert "metadata" in (forbidden(address, allow_private=allow_private) or "")


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="192.168.0.0/16"))
def test_no_embedding_makes_a_private_address_public(inner: IPv4Address | IPv6Address) -> None:
    bits = int(inner)
    for prefix, shift in ((0, 0), (0xFFFF << 32, 0), (0x64FF9B << 96, 0), (0x2002 << 112, 80)):
        assert forbidden(str(IPv6Address(prefix | bits << shift)), allow_private=False) is not None


@given(st.ip_addresses(v=4))
def test_every_address_is_judged(address: IPv4Address | IPv6Address) -> None:
    inside = any(
        address in IPv4Network(net) for net in ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16")
    )
    assert not inside or forbidden(str(address), allow_private=False) is not None


def test_no_socket_is_opened_for_a_forbidden_address() -> None:
    gate = Gate(allow_private=False)
    with pytest.raises(ForbiddenAddress):
        gate.open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)))
    gate.open_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))).close()


def _resolve(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    def look_up(host: str, port: int, family: int) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answer, port)) for answer in answers]

    monkeypatch.setattr(addresses, "_look_up", look_up)

    async def main() -> list[str]:
        resolver = Resolver(Gate(allow_private=False))
        try:
            return [result["host"] for result in await resolver.resolve("shop.example.com", 443)]
        finally:
            await resolver.close()

    return asyncio.run(main())


def test_of_several_addresses_only_the_allowed_ones_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _resolve(monkeypatch, "10.0.0.1", "93.184.216.34", "127.0.0.1") == ["93.184.216.34"]


def test_a_host_with_only_forbidden_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ForbiddenAddress, match=r"10\.0\.0\.1"):
        _resolve(monkeypatch, "10.0.0.1", "127.0.0.1")
