"""The http step: one request per attempt. What the answers mean is in `workers.response.failure`.

Every request carries ids, so that the destination can recognise a repeat.
"""

from typing import Any, cast

from receiver.core import clock
from receiver.core.sandbox import TemplateError
from receiver.core.steps.base import StepConfig
from receiver.core.steps.http import HttpSpec
from receiver.core.steps.http_parts import Output
from receiver.core.templates import compile_value
from workers.api import Context, Message, Response
from workers.bodies import JSON, body_of
from workers.errors import PermanentError, RetryError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Outcome
from workers.response import failure
from workers.signing import standard_webhooks
from workers.steps.base import Step
from workers.toolbox import Toolbox

BODILESS = ("GET", "DELETE")
"""Methods that send the message only when a body says what of it."""
SHOWN_HEADERS = ("content-type", "etag", "last-modified", "location", "x-request-id")


class HttpStep:
    """Sends the message's exact bytes, or the body that routes.yaml says."""

    def __init__(self, config: StepConfig, spec: HttpSpec, tools: Toolbox) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._http = tools.http
        self._spec = spec
        self._url = compile_value(spec.url, kind="url", where="url")
        self._headers = {
            name: compile_value(value, kind="header", where=f"headers.{name}")
            for name, value in spec.headers.items()
        }
        self._body = body_of(spec)
        templates = [self._url, *self._headers.values(), *([self._body.template] if self._body else [])]
        self._used = used_by(templates)

    async def run(self, message: Message, context: Context) -> Outcome:
        own = context.at(self.name)
        try:
            url, headers, body = self._request(message, own)
            response = await self._http.request(
                self._spec.method, url, headers=headers, body=body, allow_private=self._spec.allow_private
            )
        except TemplateError as error:
            return Dead("template_error", str(error))
        except (RetryError, PermanentError) as error:
            return outcome_of(error)
        if any(response.status in statuses for statuses in self._spec.expect):
            return _done(response, self._spec.output)
        return failure(response) or Dead("unexpected_status", _unexpected(response))

    def _request(self, message: Message, context: Context) -> tuple[str, dict[str, str], bytes | None]:
        names = template_names(message, context, self._used)
        headers = {
            "Idempotency-Key": context.idempotency_key,
            "Hookyard-Message": message.id,
            "Hookyard-Attempt": str(context.attempt),
        }
        if context.replay:
            headers["Hookyard-Replay"] = str(context.replay)
        body, content_type = self._content(message, names)
        if body is not None:
            headers["Content-Type"] = content_type
        for name, template in self._headers.items():
            headers[name] = template.render(names)
        if self._spec.auth is not None:
            headers[self._spec.auth[0]] = self._spec.auth[1].reveal()
        if self._spec.sign:
            key, at_ms = context.idempotency_key, clock.SYSTEM.now_ms()
            headers |= standard_webhooks(self._spec.sign, name=key, at_ms=at_ms, body=body or b"")
        return self._url.render(names), headers, body

    def _content(self, message: Message, names: dict[str, Any]) -> tuple[bytes | None, str]:
        """The body and its type."""
        if self._body is None:
            return (None if self._spec.method in BODILESS else message.raw), JSON
        try:
            return self._body.encode(self._body.template.render(names)), self._body.content_type
        except ValueError as error:
            raise TemplateError(f"{self._body.key}: {error}") from None


def build(config: StepConfig, tools: Toolbox) -> Step:
    return HttpStep(config, cast(HttpSpec, config.spec), tools)


def _done(response: Response, wanted: Output) -> Outcome:
    """What later steps see as `steps.<name>`."""
    output: dict[str, Any] = {
        "status": response.status,
        "headers": {name: response.headers[name] for name in SHOWN_HEADERS if name in response.headers},
    }
    if wanted == "none":
        return Done(output)
    body: Any = response.text
    if wanted != "text":
        try:
            body = response.json()
        except ValueError as error:
            if wanted == "json":
                return Dead("answer_not_json", f"{response.request} answered no JSON: {error}")
    return Done({**output, "body": body, "truncated": response.truncated})


def _unexpected(response: Response) -> str:
    return f"{response.request} answered {response.status}, which `expect` does not name"
