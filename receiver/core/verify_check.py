"""What makes sense in `verify` beyond its shape; data of any shape, as in `receiver.core.routes_check`."""

from collections.abc import Mapping
from typing import Any

from receiver.core.environ_check import check_variables, check_webhook_keys
from receiver.core.findings import Findings
from receiver.core.yaml_nodes import Path


def check_verify(path: Path, verify: Any, environ: Mapping[str, str], findings: Findings) -> None:
    """Note what is wrong with one scheme, or with a list of them."""
    if not isinstance(verify, list):
        _check_one(path, verify, environ, findings)
        return
    for at, one in enumerate(verify):
        _check_one((*path, at), one, environ, findings)
    names = [one.get("scheme") if isinstance(one, dict) else None for one in verify]
    if "none" in names and len(names) > 1:
        findings.error((*path, names.index("none")), "scheme none adds nothing to others; remove it")
    if "basic" in names and "bearer" in names:
        findings.error(path, "a request has one Authorization: it cannot pass both basic and bearer")


def _check_one(path: Path, verify: Any, environ: Mapping[str, str], findings: Findings) -> None:
    if not isinstance(verify, dict):
        return
    for key, value in verify.items():
        if key.endswith("_env"):
            check_variables((*path, key), value, environ, findings)
    match verify.get("scheme"):
        case "none":
            findings.warn(path, "scheme none: whoever knows the URL can send messages")
        case "hmac":
            _check_timestamp(path, verify, findings)
        case "standard-webhooks":
            check_webhook_keys((*path, "secret_env"), verify.get("secret_env"), environ, findings)


def _check_timestamp(path: Path, verify: dict[str, Any], findings: Findings) -> None:
    signed = verify.get("signed")
    if "timestamp_header" in verify:
        if signed == "{body}":
            findings.warn(
                (*path, "signed"),
                "the signature does not cover the timestamp, so whoever repeats a request can renew it",
            )
        return
    if signed == "{timestamp}.{body}":
        findings.error((*path, "signed"), "needs timestamp_header: the header with the timestamp")
    if "tolerance" in verify:
        findings.error(
            (*path, "tolerance"), "needs timestamp_header: without one there is no time to compare"
        )
