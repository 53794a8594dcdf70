"""Opens the receiver's socket: before anything else starts, so that a taken port is said at once."""

import errno
import socket

from receiver.core.errors import ConfigError, Problem


def bind(host: str, port: int) -> socket.socket:
    """A bound socket, not listening yet; port 0 takes a free one. Raises ConfigError (exit 2)."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise _refused(
            "HOOKYARD_HOST", f"{host!r} is no address of this machine: {error.strerror}"
        ) from error
    bound = socket.socket(family, kind, proto)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise _refused(*_reason(host, port, error)) from error
    return bound


def address(bound: socket.socket) -> str:
    """`http://host:port` as people reach it from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - shown, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(host: str, port: int, error: OSError) -> tuple[str, str]:
    if error.errno == errno.EADDRINUSE:
        return "HOOKYARD_PORT", (
            f"port {port} on {host} is taken by another program; stop it (`fuser {port}/tcp` names it)"
            f" or choose another port, for example --port {port + 1 if port < 65535 else 8001}"
        )
    if error.errno == errno.EACCES:
        return "HOOKYARD_PORT", f"port {port} needs more rights; choose one above 1023"
    return "HOOKYARD_HOST", f"cannot listen on {host}: {error.strerror}"


def _refused(key: str, message: str) -> ConfigError:
    return ConfigError([Problem("environment", None, key, message)])
