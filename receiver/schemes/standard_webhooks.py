"""The signature of standardwebhooks.com: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`.

The header may hold several signatures, of several keys or versions; one that fits is enough. They are
compared as text, because several base64 texts stand for the same bytes.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256

from receiver.core.errors import SignatureError
from receiver.core.settings import Secret
from receiver.core.verify_options import VerifyStandardWebhooks, webhook_key
from receiver.schemes.base import Coverage, Scheme, Unverified, is_one_of, require_now
from receiver.schemes.digests import Keyed

ID, TIMESTAMP, SIGNATURE = b"webhook-id", b"webhook-timestamp", b"webhook-signature"
_SECONDS = re.compile(rb"[0-9]{1,11}")
_ADVICE = "the sender must sign as Standard Webhooks says"


def verify(request: Unverified, options: VerifyStandardWebhooks) -> Coverage:
    """Codes of the SignatureError: signature_missing, signature_malformed, signature_stale,
    signature_mismatch."""
    name, stamp, given = (request.only(header, _ADVICE) for header in (ID, TIMESTAMP, SIGNATURE))
    if not _SECONDS.fullmatch(stamp):
        raise SignatureError("Webhook-Timestamp must be seconds since 1970.", code="signature_malformed")
    require_now(int(stamp), request, options.tolerance_s, "Webhook-Timestamp")
    signatures = [one for one in given.split() if one.startswith(b"v1,")]
    if not signatures:
        raise SignatureError(
            "Webhook-Signature must hold a signature that begins with v1,", code="signature_malformed"
        )
    for secret in options.secrets:
        if is_one_of(_signed(secret, name, stamp, request.body), signatures):
            return Coverage.ALL
    raise SignatureError(
        "Webhook-Signature does not match the body: check the secret, and that nothing on the way changes "
        "the body."
    )


def prove(body: bytes, options: VerifyStandardWebhooks, at_ms: int) -> dict[str, str]:
    name, stamp = f"msg_{sha256(body).hexdigest()[:24]}", str(at_ms // 1000)
    signature = _signed(options.secrets[0], name.encode(), stamp.encode(), body)
    return {
        "Webhook-Id": name,
        "Webhook-Timestamp": stamp,
        "Webhook-Signature": signature.decode(),
    }


def _signed(secret: Secret, name: bytes, stamp: bytes, body: bytes) -> bytes:
    return b"v1," + b64encode(_keyed(secret).digest(name, b".", stamp, b".", body))


@cache
def _keyed(secret: Secret) -> Keyed:
    return Keyed(webhook_key(secret.reveal()), "sha256")


SCHEME = Scheme(verify=verify, prove=prove)
