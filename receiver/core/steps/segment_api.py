"""`call: api` of the segment step in routes.yaml: any request to one of the connection's APIs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import Field

from receiver.core.connection_use import check_use
from receiver.core.connections import CREDENTIALS, Api
from receiver.core.findings import Findings
from receiver.core.routes_types import HeaderName, Keys, Name, Template
from receiver.core.steps.base import Place, Spec, leaves
from receiver.core.steps.http import Method
from receiver.core.steps.http_parts import check_headers
from receiver.core.yaml_nodes import Path

ORIGIN = "https://connection"
"""Stands before a path to make a URL of it, whose rules its template keeps: values are percent-encoded, and
none can lead elsewhere. The connection's address takes its place."""


class ApiKeys(Keys):
    """Make an API call: any request to one of the connection's APIs. Its answer is the output.

    2xx is success; 408, 429, 5xx but 501 and 505, and lost connections are tried again; others make a dead
    letter.
    """

    connection: Name = Field(description="Name of the connection.")
    call: Literal["api"] = Field(description="Kind of call.")
    api: Api = Field(
        "tracking", description="Which of the connection's APIs: its address and its credential."
    )
    method: Method = Field("POST", description="HTTP method.")
    path: str = Field(
        description="Path below the API's address, such as `/v1/group`; a template whose values are "
        "percent-encoded, and null is an error."
    )
    headers: dict[HeaderName, str] = Field(
        {},
        description="Headers, templates; null is an error. The connection's credential is added unless there "
        "is an `authorization` here.",
    )
    query: dict[str, Template] = Field(
        {}, description="What follows the `?`: templates. Null is left out, and a list repeats its name."
    )
    json_: Template = Field(None, alias="json", description="Body, any structure of templates, sent as JSON.")
    body: Template = Field(
        None, description="In place of `json`: the body as it is, a text or one template that makes it."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSpec(Spec):
    """One request. All are templates but `connection`, `api` and `method`."""

    kind: ClassVar[str] = "segment"
    connection: str
    path: str
    api: Api = "tracking"
    method: Method = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    body: Any = None


def check(path: Path, step: Mapping[str, Any], data: Mapping[str, Any], findings: Findings) -> None:
    """Its connection, where its path leads, and that it has one body at most."""
    check_headers(path, step, findings)
    headers = step.get("headers")
    own = {str(name).lower() for name in headers} if isinstance(headers, dict) else set()
    api = step.get("api", "tracking")
    if api in CREDENTIALS:
        needed = None if "authorization" in own else api
        check_use((*path, "connection"), step.get("connection"), needed, data, findings)
    place = step.get("path")
    if isinstance(place, str) and (not place.startswith("/") or place.startswith("//")):
        findings.error(
            (*path, "path"),
            "begins with one `/`: it follows the address of the connection, and never leaves it",
        )
    elif isinstance(place, str) and ("?" in place or "#" in place):
        findings.error((*path, "path"), "is only the path; what follows a `?` belongs into `query`")
    if step.get("json") is not None and step.get("body") is not None:
        findings.error((*path, "body"), "stands beside json; keep one of them")


def templates(path: Path, step: Mapping[str, Any]) -> Iterator[Place]:
    """Those of the path, the headers, the query and the body."""
    place = step.get("path")
    if isinstance(place, str) and place.startswith("/"):
        yield (*path, "path"), ORIGIN + place, "url"
    headers = step.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, str):
            yield (*path, "headers", name), value, "header"
    for key in ("query", "json", "body"):
        yield from leaves((*path, key), step.get(key))


def build(keys: ApiKeys) -> ApiSpec:
    """The record of an API call."""
    return ApiSpec(
        connection=keys.connection,
        api=keys.api,
        method=keys.method,
        path=keys.path,
        headers=keys.headers,
        query=keys.query,
        json=keys.json_,
        body=keys.body,
    )
