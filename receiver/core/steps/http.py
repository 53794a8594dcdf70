"""The http step in routes.yaml: one outbound request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import Field

from receiver.core.findings import Findings
from receiver.core.routes_types import HeaderName, Keys, Template
from receiver.core.steps.base import Place, Spec, leaves
from receiver.core.yaml_nodes import Path

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class HttpKeys(Keys):
    """One outbound HTTP request. 2xx is success; 408, 429, 5xx and lost connections are tried again.

    Other answers make a dead letter, and 410 (gone) pauses the route as well.
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
    allow_private: bool = Field(
        False, description="`true`: the address may be private, loopback or link-local; refused otherwise."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec(Spec):
    """Send one HTTP request. `url`, the values of `headers` and `json` are templates."""

    kind: ClassVar[str] = "http"
    method: Method
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    """None: the message itself, or no body where the method has none."""
    allow_private: bool = False


def check(path: Path, step: Any, data: Mapping[str, Any], findings: Findings) -> None:
    """Its shape and its templates say all there is to check."""


def templates(path: Path, step: Any) -> Iterator[Place]:
    """Those of the address, the headers and the body."""
    if not isinstance(step, dict):
        return
    if isinstance(step.get("url"), str):
        yield (*path, "url"), step["url"], "url"
    headers = step.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, str):
            yield (*path, "headers", name), value, "header"
    yield from leaves((*path, "json"), step.get("json"))


def build(keys: HttpKeys) -> HttpSpec:
    """The record of an http step."""
    return HttpSpec(
        method=keys.method,
        url=keys.url,
        headers=keys.headers,
        json=keys.json_,
        allow_private=keys.allow_private,
    )
