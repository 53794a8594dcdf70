"""Signs requests as standardwebhooks.com says, so that their receivers can verify them."""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from receiver.core.settings import Secret
from receiver.core.verify_options import webhook_key


def standard_webhooks(secrets: Iterable[Secret], *, name: str, at_ms: int, body: bytes) -> dict[str, str]:
    """The three headers. Each secret makes a signature; a receiver is content with one that it knows."""
    stamp = str(at_ms // 1000)
    signed = f"{name}.{stamp}.".encode() + body
    return {
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: Secret, signed: bytes) -> str:
    return b64encode(hmac.digest(webhook_key(secret.reveal()), signed, sha256)).decode()
