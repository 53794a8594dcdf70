"""The parts of an http step: who we are to the destination, what it may answer, how the request is signed."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from receiver.core.findings import Findings
from receiver.core.routes_types import HeaderName, Keys, MayBeLeftOut, Variable, Variables
from receiver.core.settings import Secret
from receiver.core.steps.base import Place
from receiver.core.yaml_nodes import Path

Output = Literal["auto", "json", "text", "none"]
AUTHS = ("basic", "bearer", "header")
WEBHOOK_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
FRAMING_HEADERS = frozenset(
    {"connection", "content-length", "transfer-encoding", "upgrade", "expect", "te", "trailer"}
)
"""They say how a request is framed, which is the client's business: it refuses to send others."""

_STATUSES = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.ASCII)


def statuses(written: object) -> range:
    """`204`, `2xx` or `200-299` as a range. Raises ValueError with a sentence that says what is expected."""
    match = _STATUSES.fullmatch(str(written)) if type(written) in (str, int) else None
    if match is None or (match[3] and match[3] < match[2]):
        shown = f"{written} is no status; " if isinstance(written, str | int | float) else ""
        raise ValueError(f"{shown}write 204, 2xx or 200-299")
    if match[1]:
        return range(int(match[1]) * 100, int(match[1]) * 100 + 100)
    return range(int(match[2]), int(match[3] or match[2]) + 1)


def _status(value: object) -> object:
    statuses(value)
    return value


Status = Annotated[
    Any,
    AfterValidator(_status),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}], "examples": [204, "2xx", "200-299"]}),
]


class BasicAuthKeys(Keys):
    """User and password."""

    user: str = Field(description="Name of the user, as it is.")
    password_env: Variable = Field(description="Environment variable with the password.")


class BearerAuthKeys(Keys):
    """A token."""

    token_env: Variable = Field(description="Environment variable with the token.")


class HeaderAuthKeys(Keys):
    """A header with a secret value."""

    name: HeaderName = Field(description="Name of the header.")
    value_env: Variable = Field(description="Environment variable with its value.")


class AuthKeys(Keys):
    """Who we are to the destination: one of several ways."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [way]} for way in AUTHS]})

    basic: MayBeLeftOut[BasicAuthKeys] = Field(None, description="`Authorization: Basic`.")
    bearer: MayBeLeftOut[BearerAuthKeys] = Field(None, description="`Authorization: Bearer`.")
    header: MayBeLeftOut[HeaderAuthKeys] = Field(None, description="Any header, such as `X-Api-Key`.")


class SignKeys(Keys):
    """How the request is signed, so that the destination can tell that it is from here."""

    scheme: Literal["standard-webhooks"] = Field(
        description="[Standard Webhooks](https://www.standardwebhooks.com): the headers `webhook-id`, "
        "`webhook-timestamp` and `webhook-signature`."
    )
    secret_env: Variables = Field(
        description="Environment variable with the secret: `whsec_` and base64. With a list, of the new and "
        "the old one, there is a signature by each, so that it can be changed without a gap."
    )


def auth_header(keys: AuthKeys, environ: Mapping[str, str]) -> tuple[str, Secret]:
    """Name and value of the header that says who we are."""
    if keys.basic is not None:
        pair = f"{keys.basic.user}:{environ[keys.basic.password_env]}"
        return "Authorization", Secret(f"Basic {b64encode(pair.encode()).decode()}")
    if keys.bearer is not None:
        return "Authorization", Secret(f"Bearer {environ[keys.bearer.token_env]}")
    if keys.header is not None:
        return keys.header.name, Secret(environ[keys.header.value_env])
    raise ValueError("auth without a way")


def check_auth(path: Path, step: Mapping[str, Any], findings: Findings) -> None:
    """One way, and no header that stands twice."""
    auth = step.get("auth")
    if not isinstance(auth, dict):
        return
    ways = [way for way in AUTHS if way in auth]
    if len(ways) > 1:
        findings.error((*path, "auth"), f"keep one of {', '.join(ways)}")
    elif not auth:
        findings.error((*path, "auth"), f"needs one of {', '.join(AUTHS)}")
    header = auth.get("header")
    name = header.get("name") if isinstance(header, dict) else "Authorization"
    _check_twice(path, step, [name], "auth sets this header", findings)

    if isinstance(name, str) and name.lower() in FRAMING_HEADERS:
        findings.error((*path, "auth", "header", "name"), "the client itself sets this header; use another")
    basic = auth.get("basic")
    user = basic.get("user") if isinstance(basic, dict) else None
    if isinstance(user, str):
        _check_user((*path, "auth", "basic", "user"), user, findings)


def _check_user(path: Path, user: str, findings: Findings) -> None:
    if ":" in user:
        findings.error(path, "a user name cannot hold `:`, behind which the password begins")
    elif "{{" in user:
        findings.error(path, "is no template: it is sent as it is")


def check_headers(path: Path, step: Mapping[str, Any], findings: Findings) -> None:
    """None that the client sets itself."""
    headers = step.get("headers")
    for name in headers if isinstance(headers, dict) else ():
        if isinstance(name, str) and name.lower() in FRAMING_HEADERS:
            findings.error((*path, "headers", name), "the client itself sets this header; remove it")


def check_sign(path: Path, step: Mapping[str, Any], findings: Findings) -> None:
    """No header that stands twice."""
    if "sign" in step:
        _check_twice(path, step, WEBHOOK_HEADERS, "sign sets this header", findings)


def variables(path: Path, step: Mapping[str, Any]) -> Iterator[Place]:
    """The environment variables that are named, and what their values must be."""
    auth, sign = step.get("auth"), step.get("sign")
    for way, key in (("basic", "password_env"), ("bearer", "token_env"), ("header", "value_env")):
        keys = auth.get(way) if isinstance(auth, dict) else None
        if isinstance(keys, dict):
            yield (*path, "auth", way, key), keys.get(key), "env" if way == "basic" else "header_env"
    if isinstance(sign, dict):
        yield (*path, "sign", "secret_env"), sign.get("secret_env"), "webhook_env"


def _check_twice(path: Path, step: Mapping[str, Any], names: Any, why: str, findings: Findings) -> None:
    taken = {name.lower() for name in names if isinstance(name, str)}
    headers = step.get("headers")
    for name in headers if isinstance(headers, dict) else ():
        if isinstance(name, str) and name.lower() in taken:
            findings.error((*path, "headers", name), f"{why}; remove it")
