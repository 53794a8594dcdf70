"""Which addresses a request may connect to: nothing inside, unless routes.yaml says so.

Checked twice. The resolver leaves out what is forbidden, so that the reason can be told; the socket factory
looks at the very address about to be connected to, so that no spelling of a host, no cache and no second DNS
answer can get around it.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Google, Azure, Oracle, OpenStack, DigitalOcean
        "169.254.170.2",  # AWS ECS
        "169.254.170.23",  # AWS EKS
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",  # Google
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server: a public-looking address
        "192.0.0.192",  # Oracle
    )
)
"""Where clouds hand out credentials: refused even where private addresses are allowed."""

INSIDE = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "240.0.0.0/4",
        "64:ff9b:1::/48",  # a network's own NAT64
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
"""Ranges that not every version of `ipaddress` counts as not global."""

EMBEDDING: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::/96"), 0),
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
"""IPv6 ranges that carry an IPv4 address, and how far it stands from the right, in bits."""

RESOLVER_THREADS = 32
"""A dead DNS server holds a thread for many seconds a host; the others must not wait for it."""

AddrInfo = tuple[Any, ...]


class ForbiddenAddress(OSError):
    """A connection that must not be made."""


def forbidden(text: str, *, allow_private: bool) -> str | None:
    """Why `text`, an address as the system writes it, may not be connected to; None: it may."""
    try:
        address = ip_address(text)
    except ValueError:
        return f"{text} is not an address"
    for one in (address, *_embedded(address)):
        if one in METADATA:
            return f"{text} is a cloud metadata address"
        if not allow_private and not _public(one):
            return f"{text} is not a public address (allow_private: true would admit it)"
    return None


def _public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and _embedded(address):
        return True  # judged by the address it carries
    if address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global:
        return False
    return not any(address in network for network in INSIDE)


def _embedded(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    bits = int(address)
    return [IPv4Address(bits >> shift & 0xFFFFFFFF) for network, shift in EMBEDDING if address in network]


class Gate:
    """The rule of one connector: as its socket factory, and for its resolver."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private

    def check(self, address: str) -> None:
        """Raises ForbiddenAddress."""
        reason = forbidden(address, allow_private=self._allow_private)
        if reason is not None:
            raise ForbiddenAddress(reason)

    def open_socket(self, info: AddrInfo) -> socket.socket:
        """A socket for exactly the address that is connected to next; raises ForbiddenAddress."""
        family, kind, protocol, _, address = info
        self.check(address[0])
        return socket.socket(family=family, type=kind, proto=protocol)


class Resolver(AbstractResolver):
    """Looks hosts up in threads of its own and answers allowed addresses only."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, "hookyard-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises ForbiddenAddress when every address of the host is forbidden, OSError when it has none."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _look_up, host, port, family)
        results, refusals = [], []
        for kind, _, protocol, _, address in found:
            try:
                self._gate.check(str(address[0]))
            except ForbiddenAddress as refusal:
                refusals.append(refusal)
                continue
            results.append(
                ResolveResult(
                    hostname=host,
                    host=str(address[0]),
                    port=port,
                    family=kind,
                    proto=protocol,
                    flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                )
            )
        if refusals and not results:
            raise refusals[0]
        return results

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> list[Any]:
    return socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
