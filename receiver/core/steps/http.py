"""The http step in routes.yaml: one outbound request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from receiver.core.findings import Findings
from receiver.core.routes_types import HeaderName, Keys, MayBeLeftOut, Template
from receiver.core.settings import Secret
from receiver.core.steps import http_parts as parts
from receiver.core.steps.base import Place, Spec, leaves
from receiver.core.verify_build import secrets
from receiver.core.yaml_nodes import Path

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
BODIES = ("json", "form", "raw")


class HttpKeys(Keys):
    """One outbound HTTP request. 2xx is success; 408, 429, 5xx and lost connections are tried again.

    Other answers make a dead letter, and 410 (gone) pauses the route as well. `expect` says otherwise what is
    success.
    """

    method: Method = Field("POST", description="HTTP method.")
    url: str = Field(
        description="Address; a template whose scheme and host are written out. Values put into it are "
        "percent-encoded, and null is an error."
    )
    headers: dict[HeaderName, str] = Field(
        {}, description="Headers; their values are templates, and null is an error."
    )
    json_: Template = Field(
        None,
        alias="json",
        description="Body, any structure of templates, sent as JSON. Left out: the message as it came in, "
        "and with GET and DELETE no body.",
    )
    form: MayBeLeftOut[dict[str, Template]] = Field(
        None,
        description="Body as an HTML form sends it: fields and templates. Null leaves a field out, a list "
        "repeats it.",
    )
    raw: MayBeLeftOut[str] = Field(
        None,
        description="Body as text, a template. Its `Content-Type` is `text/plain` unless `headers` say so.",
    )
    auth: MayBeLeftOut[parts.AuthKeys] = Field(None, description="Who we are to the destination.")
    sign: MayBeLeftOut[parts.SignKeys] = Field(None, description="How the request is signed.")
    expect: MayBeLeftOut[Annotated[list[parts.Status], Field(min_length=1)]] = Field(
        None,
        description="The statuses that count as success, such as `[2xx, 409]`. Of the others 408, 429 and "
        "5xx are tried again, and the rest makes a dead letter. Left out: 2xx.",
    )
    output: parts.Output = Field(
        "auto",
        description="What the output has as `body`: `auto` JSON where the answer is JSON, else text; `json` "
        "an answer that is none makes a dead letter; `text`; `none` nothing.",
    )
    allow_private: bool = Field(
        False, description="`true`: the address may be private, loopback or link-local; refused otherwise."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec(Spec):
    """Send one HTTP request. `url`, the values of `headers`, and the bodies are templates."""

    kind: ClassVar[str] = "http"
    method: Method
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    """None, as are the other bodies: the message itself, or no body where the method has none."""
    form: Mapping[str, Any] | None = None
    raw: str | None = None
    auth: tuple[str, Secret] | None = None
    """Name and value of a header."""
    sign: tuple[Secret, ...] = ()
    """Secrets of Standard Webhooks, each of which signs."""
    expect: tuple[range, ...] = (range(200, 300),)
    """Statuses that are a success."""
    output: parts.Output = "auto"
    allow_private: bool = False


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """One body at most, one way to say who we are, no header twice."""
    if not isinstance(step, dict):
        return
    bodies = [body for body in BODIES if step.get(body) is not None]
    if len(bodies) > 1:
        findings.error(path, f"a request has one body; keep one of {', '.join(bodies)}")
    parts.check_headers(path, step, findings)
    parts.check_auth(path, step, findings)
    parts.check_sign(path, step, findings)


def templates(path: Path, step: Any) -> Iterator[Place]:
    """Those of the address, the headers and the bodies; the variables with secrets."""
    if not isinstance(step, dict):
        return
    if isinstance(step.get("url"), str):
        yield (*path, "url"), step["url"], "url"
    headers = step.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, str):
            yield (*path, "headers", name), value, "header"
    for body in BODIES:
        yield from leaves((*path, body), step.get(body))
    yield from parts.variables(path, step)


def build(keys: HttpKeys, environ: Mapping[str, str]) -> HttpSpec:
    """The record of an http step."""
    return HttpSpec(
        method=keys.method,
        url=keys.url,
        headers=keys.headers,
        json=keys.json_,
        form=keys.form,
        raw=keys.raw,
        auth=None if keys.auth is None else parts.auth_header(keys.auth, environ),
        sign=() if keys.sign is None else secrets(keys.sign.secret_env, environ),
        expect=tuple(map(parts.statuses, keys.expect or ["2xx"])),
        output=keys.output,
        allow_private=keys.allow_private,
    )
