"""The body of a request, read under a byte cap that holds before and after decompression.

Whatever the sender does (lies about the length, streams for ever, sends a decompression bomb), one request
holds at most twice the cap in memory.
"""

import asyncio
import zlib
from collections.abc import Mapping

from starlette.types import Receive

from receiver.core.errors import BodyTooLarge, MalformedMessage, UnsupportedEncoding
from receiver.load import Share

_GZIP = (zlib.MAX_WBITS | 16,)
_DEFLATE = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
"""RFC 9110 means the zlib format; some senders leave its header away."""
_WINDOWS: Mapping[bytes, tuple[int, ...]] = {
    b"": (),
    b"identity": (),
    b"gzip": _GZIP,
    b"x-gzip": _GZIP,
    b"deflate": _DEFLATE,
}


class ClientGone(Exception):
    """The sender closed the connection before its request was complete: there is nobody to answer."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limit: int, share: Share) -> bytes:
    """The whole body, decompressed. `limit` is in bytes; what is held is taken from `share`, which also
    limits the time.

    Raises BodyTooLarge, BodyTimeout, UnsupportedEncoding, MalformedMessage, Overloaded or ClientGone.
    """
    windows = _windows(headers.get(b"content-encoding", b""))
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    more = True
    try:
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                raise ClientGone
            chunk = event.get("body", b"")
            more = event.get("more_body", False)
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            share.take(len(chunk), more)
            chunks.append(chunk)
    except asyncio.CancelledError:
        share.cancelled()
        raise
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if not windows or not body:
        return body
    plain = _inflated(body, windows, limit)
    share.take(len(plain))
    return plain


def _windows(encoding: bytes) -> tuple[int, ...]:
    """How to decompress: the window sizes to try; none when there is nothing to do."""
    if not encoding:
        return ()
    windows = _WINDOWS.get(encoding.strip().lower())
    if windows is None:
        raise UnsupportedEncoding(
            f"Content-Encoding {encoding.decode('latin-1')!r}: use gzip, deflate or identity."
        )
    return windows


def _inflated(body: bytes, windows: tuple[int, ...], limit: int) -> bytes:
    problem = ""
    for window in windows:
        inflater = zlib.decompressobj(window)
        try:
            plain = inflater.decompress(body, limit + 1)
        except zlib.error as error:
            problem = problem or str(error)
            continue
        if len(plain) > limit:
            raise _too_large(limit)
        if inflater.eof and not inflater.unused_data:
            return plain
        problem = problem or ("data after its end" if inflater.eof else "it ends too early")
    raise MalformedMessage(f"The body is not what its Content-Encoding says: {problem}.", code="bad_encoding")


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {limit} bytes, as sent or decompressed (HOOKYARD_MAX_BODY)."
    )
