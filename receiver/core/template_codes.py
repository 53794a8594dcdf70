"""Filters that write a text in another form: hashes for those who must not see it, base64."""

import base64 as b64
import hashlib
from binascii import Error as NotBase64

ALGORITHMS = ("sha256", "sha512", "sha1", "md5")


def hashed(value: str, algorithm: str = "sha256") -> str:
    """The digest of the text's UTF-8 as hexadecimal digits."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"`hash` knows {', '.join(ALGORITHMS)}, not {algorithm}")
    return hashlib.new(algorithm, value.encode(), usedforsecurity=False).hexdigest()


def hashed_email(value: str) -> str:
    """SHA-256 of an e-mail address, trimmed and in lower case first, as advertising platforms match it."""
    return hashed(value.strip().lower())


def base64(value: str) -> str:
    """The text's UTF-8 in base64."""
    return b64.b64encode(value.encode()).decode()


def base64_decoded(value: str) -> str:
    """The text behind base64, of either alphabet and with or without padding."""
    try:
        padded = value.strip().replace("-", "+").replace("_", "/")
        return b64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
    except (NotBase64, UnicodeDecodeError):
        raise ValueError("`base64_decode`: it is no base64 of a text") from None
