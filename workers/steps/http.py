"""The http step: one request per attempt. What the answers mean is in `workers.response.failure`.

Every request carries ids, so that the destination can recognise a repeat.
"""

from typing import Any, cast

from receiver.core import exact_json
from receiver.core.sandbox import TemplateError
from receiver.core.steps.base import StepConfig
from receiver.core.steps.http import HttpSpec
from receiver.core.templates import compile_value
from workers.api import Context, Message, Response
from workers.errors import PermanentError, RetryError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Outcome
from workers.response import failure
from workers.steps.base import Step
from workers.toolbox import Toolbox

BODILESS = ("GET", "DELETE")
"""Methods that send the message only when `json` says what of it."""
SHOWN_HEADERS = ("content-type", "etag", "last-modified", "location", "x-request-id")


class HttpStep:
    """Sends the message's exact bytes, or what `json` makes of them."""

    def __init__(self, config: StepConfig, spec: HttpSpec, tools: Toolbox) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._http = tools.http
        self._method = spec.method
        self._allow_private = spec.allow_private
        self._url = compile_value(spec.url, kind="url", where="url")
        self._headers = {
            name: compile_value(value, kind="header", where=f"headers.{name}")
            for name, value in spec.headers.items()
        }
        self._json = None if spec.json is None else compile_value(spec.json, kind="json", where="json")
        templates = [self._url, *self._headers.values(), *([self._json] if self._json else [])]
        self._used = used_by(templates)

    async def run(self, message: Message, context: Context) -> Outcome:
        own = context.at(self.name)
        try:
            url, headers, body = self._request(message, own)
            response = await self._http.request(
                self._method, url, headers=headers, body=body, allow_private=self._allow_private
            )
        except TemplateError as error:
            return Dead("template_error", str(error))
        except (RetryError, PermanentError) as error:
            return outcome_of(error)
        return failure(response) or Done(_output(response))

    def _request(self, message: Message, context: Context) -> tuple[str, dict[str, str], bytes | None]:
        names = template_names(message, context, self._used)
        headers = {
            "Idempotency-Key": context.idempotency_key,
            "Hookyard-Message": message.id,
            "Hookyard-Attempt": str(context.attempt),
        }
        if context.replay:
            headers["Hookyard-Replay"] = str(context.replay)
        body = self._body(message, names)
        if body is not None:
            headers["Content-Type"] = "application/json"
        for name, template in self._headers.items():
            headers[name] = template.render(names)
        return self._url.render(names), headers, body

    def _body(self, message: Message, names: dict[str, Any]) -> bytes | None:
        if self._json is not None:
            try:
                return exact_json.dumps(self._json.render(names))
            except ValueError as error:
                raise TemplateError(f"json: {error}") from None
        return None if self._method in BODILESS else message.raw


def build(config: StepConfig, tools: Toolbox) -> Step:
    return HttpStep(config, cast(HttpSpec, config.spec), tools)


def _output(response: Response) -> dict[str, Any]:
    """What later steps see as `steps.<name>`: JSON parsed where it is JSON, else text."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    return {
        "status": response.status,
        "headers": {name: response.headers[name] for name in SHOWN_HEADERS if name in response.headers},
        "body": body,
        "truncated": response.truncated,
    }
