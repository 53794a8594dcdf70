"""The segment step: a Segment call per attempt, or a batch of them, checked first, sent together with others.

Their messageIds depend on the delivery and the step alone, so that Segment recognises a repeated attempt.
"""

from collections.abc import Mapping
from typing import Any, cast

from receiver.core.sandbox import TemplateError
from receiver.core.segment import hops
from receiver.core.segment.batches import encode_batch
from receiver.core.segment.calls import InvalidCall, encode
from receiver.core.segment.fields import Call
from receiver.core.steps.base import StepConfig
from receiver.core.steps.segment import GENERATED, IDS, SegmentSpec
from receiver.core.steps.segment_api import ApiSpec
from receiver.core.templates import Template, compile_value
from workers import loop_guard
from workers.api import Context, Message
from workers.errors import InvalidSegmentCall, PermanentError, outcome_of
from workers.ids import stable_id
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Outcome
from workers.segment_batch import send_all
from workers.sender import Sender
from workers.steps.base import Step
from workers.steps.segment_api import ApiStep
from workers.toolbox import Toolbox


class Fields:
    """The fields of a call, ready to be filled."""

    def __init__(self, fields: Mapping[str, Any], place: str = "") -> None:
        self._generates = fields.get("anonymousId") == GENERATED
        self._templates = {
            name: compile_value(value, kind="id" if name in IDS else "json", where=place + name)
            for name, value in fields.items()
            if value is not None and not (name == "anonymousId" and self._generates)
        }

    @property
    def templates(self) -> tuple[Template, ...]:
        return tuple(self._templates.values())

    def filled(self, names: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Raises TemplateError."""
        made = {name: template.render(names) for name, template in self._templates.items()}
        if self._generates:
            made["anonymousId"] = context.anonymous_id
        return made


class SegmentStep:
    """Sends one call."""

    def __init__(self, config: StepConfig, call: Call, fields: Mapping[str, Any], sender: Sender) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._call = call
        self._sender = sender
        self._fields = Fields(fields)
        self._used = used_by(self._fields.templates)

    async def run(self, message: Message, context: Context) -> Outcome:
        if circle := loop_guard.cut(message, self._sender.connection):
            return circle
        message_id = context.at(self.name).idempotency_key
        try:
            fields = self._fields.filled(template_names(message, context, self._used), context)
            item = encode(self._call, hops.marked(fields, message.hops + 1)).item(message_id)
        except (TemplateError, InvalidCall, PermanentError) as error:
            return _refused(error)
        outcome = await self._sender.send(item)
        return Done({"messageId": message_id}) if isinstance(outcome, Done) else outcome


class BatchStep:
    """Sends the calls of a batch, which may share their requests with others."""

    def __init__(self, config: StepConfig, fields: Mapping[str, Any], sender: Sender) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._sender = sender
        items = fields["batch"]
        written = items if isinstance(items, list) else []
        self._items = [Fields(item, f"batch[{at}].") for at, item in enumerate(written)]
        self._rest = Fields(
            {name: value for name, value in fields.items() if not (written and name == "batch")}
        )
        parts = [self._rest, *self._items]
        self._used = used_by(template for part in parts for template in part.templates)

    async def run(self, message: Message, context: Context) -> Outcome:
        if circle := loop_guard.cut(message, self._sender.connection):
            return circle
        key = context.at(self.name).idempotency_key
        try:
            encoded = encode_batch(self._filled(message, context))
            self._check_time(len(encoded))
            ids = [one.message_id or stable_id(key, str(at)) for at, one in enumerate(encoded)]
            outcome = await send_all(self._sender, encoded, ids)
        except (TemplateError, InvalidCall, PermanentError) as error:
            return _refused(error)
        return Done({"messageIds": ids}) if isinstance(outcome, Done) else outcome

    def _check_time(self, count: int) -> None:
        """Raises InvalidCall for one that no attempt could finish: each would send its first calls again."""
        seconds = self._sender.seconds(count)
        if seconds > self.timeout_s:
            connection = self._sender.connection
            takes = f"{count:,} calls take {seconds:.0f} s by the rate_limit of {connection.name}"
            advice = f"the step has {self.timeout_s:g} s: raise its timeout, or send fewer"
            raise InvalidCall([f"batch: {takes}, {connection.rate_limit:g}/s, and {advice}"])

    def _filled(self, message: Message, context: Context) -> dict[str, Any]:
        names = template_names(message, context, self._used)
        made = self._rest.filled(names, context)
        if self._items:
            made["batch"] = [one.filled(names, context) for one in self._items]
        if isinstance(made.get("batch"), list):
            made["batch"] = [hops.marked_item(item, message.hops + 1) for item in made["batch"]]
        return made


def _refused(error: TemplateError | InvalidCall | PermanentError) -> Outcome:
    if isinstance(error, TemplateError):
        return Dead("template_error", str(error))
    if isinstance(error, InvalidCall):
        return Dead(InvalidSegmentCall.code, str(error))
    return outcome_of(error)


def build(config: StepConfig, tools: Toolbox) -> Step:
    spec = cast(SegmentSpec | ApiSpec, config.spec)
    sender = tools.segment(spec.connection)
    if isinstance(spec, ApiSpec):
        return ApiStep(config, spec, sender)
    if spec.call == "batch":
        return BatchStep(config, spec.fields, sender)
    return SegmentStep(config, spec.call, spec.fields, sender)
