"""The segment step's `call: api`: one request per attempt, and its answer for the later steps."""

from typing import Any

from receiver.core import exact_json
from receiver.core.sandbox import TemplateError
from receiver.core.steps.base import StepConfig
from receiver.core.steps.segment_api import ORIGIN, ApiSpec
from receiver.core.templates import compile_value
from workers import segment_api
from workers.api import Context, Message, Response
from workers.errors import PermanentError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Outcome
from workers.sender import Sender

HIDDEN_HEADERS = frozenset({"set-cookie"})


class ApiStep:
    """Sends one request."""

    def __init__(self, config: StepConfig, spec: ApiSpec, sender: Sender) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._spec = spec
        self._sender = sender
        self._path = compile_value(ORIGIN + spec.path, kind="url", where="path")
        self._headers = {
            name: compile_value(value, kind="header", where=f"headers.{name}")
            for name, value in spec.headers.items()
        }
        self._query = compile_value(spec.query, kind="json", where="query")
        self._json = compile_value(spec.json, kind="json", where="json")
        self._body = compile_value(spec.body, kind="json", where="body")
        self._used = used_by([self._path, *self._headers.values(), self._query, self._json, self._body])

    async def run(self, message: Message, context: Context) -> Outcome:
        try:
            names = template_names(message, context, self._used)
            answer = await segment_api.call(
                self._sender,
                message,
                api=self._spec.api,
                method=self._spec.method,
                path=self._path.render(names).removeprefix(ORIGIN),
                query=self._query.render(names),
                headers={name: template.render(names) for name, template in self._headers.items()},
                json=self._json.render(names),
                body=_raw(self._body.render(names)),
            )
        except TemplateError as error:
            return Dead("template_error", str(error))
        except PermanentError as error:
            return outcome_of(error)
        return Done(_output(answer)) if isinstance(answer, Response) else answer


def _raw(value: Any) -> bytes | None:
    """A text goes as it is; what one template made of something else, as JSON."""
    if value is None:
        return None
    try:
        return value.encode() if isinstance(value, str) else exact_json.dumps(value)
    except ValueError as error:
        raise TemplateError(f"body: {error}") from None


def _output(response: Response) -> dict[str, Any]:
    """What later steps see as `steps.<name>`: JSON parsed where it is JSON, else text."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    headers = {name.lower(): value for name, value in response.headers.items()}
    return {
        "status": response.status,
        "headers": {name: value for name, value in headers.items() if name not in HIDDEN_HEADERS},
        "body": body,
        "truncated": response.truncated,
    }
