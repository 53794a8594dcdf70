"""`Authorization: Basic`. Segment's partner subscriptions send the API key so, with no password.

What came is compared in its base64 form: nothing is decoded, and each pair of user name and password has
exactly one such form.
"""

import re
from base64 import b64encode
from functools import cache

from receiver.core.errors import SignatureError
from receiver.core.verify_options import VerifyBasic
from receiver.schemes.base import Coverage, Scheme, Unverified, is_one_of

HEADER = b"authorization"
_BASIC = re.compile(rb"(?i:basic) +([A-Za-z0-9+/]+=*)")


def verify(request: Unverified, options: VerifyBasic) -> Coverage:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_mismatch."""
    given = request.only(HEADER, "the sender must log in by Basic authentication")
    match = _BASIC.fullmatch(given)
    if match is None:
        raise SignatureError(
            "Authorization must be `Basic` and user name and password in base64.", code="signature_malformed"
        )
    if not is_one_of(match[1], _forms(options)):
        raise SignatureError("User name and password are none of this source's.")
    return Coverage.SENDER


def prove(body: bytes, options: VerifyBasic, at_ms: int) -> dict[str, str]:
    return {"Authorization": f"Basic {_forms(options)[0].decode()}"}


@cache
def _forms(options: VerifyBasic) -> tuple[bytes, ...]:
    return tuple(
        b64encode(f"{username.reveal()}:{password.reveal()}".encode())
        for username in options.usernames
        for password in options.passwords
    )


SCHEME = Scheme(verify=verify, prove=prove)
