"""The segment step: one Segment call per attempt, checked first, sent together with others.

Its messageId depends on the delivery and the step alone, so that Segment recognises a repeated attempt.
"""

from dataclasses import fields
from typing import Any, cast

from receiver.core.sandbox import TemplateError
from receiver.core.segment import hops
from receiver.core.steps.base import StepConfig
from receiver.core.steps.segment import SegmentSpec
from receiver.core.templates import Kind, compile_value
from workers import calls, loop_guard
from workers.api import Context, Message
from workers.errors import PermanentError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Outcome
from workers.steps.base import Step
from workers.toolbox import Toolbox

KINDS: dict[str, Kind] = {"userId": "id", "anonymousId": "id"}
"""Fields that must not be null by accident; the others are any JSON value."""


class SegmentStep:
    """Sends one identify or track."""

    def __init__(self, config: StepConfig, spec: SegmentSpec, tools: Toolbox) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._call = spec.call
        self._sender = tools.segment(spec.connection)
        self._fields = {
            field.name: compile_value(value, kind=KINDS.get(field.name, "json"), where=field.name)
            for field in fields(spec)
            if field.name not in ("connection", "call") and (value := getattr(spec, field.name)) is not None
        }
        self._used = used_by(self._fields.values())

    async def run(self, message: Message, context: Context) -> Outcome:
        if circle := loop_guard.cut(message, self._sender.connection):
            return circle
        message_id = context.at(self.name).idempotency_key
        try:
            item = self._item(message, context, message_id)
        except TemplateError as error:
            return Dead("template_error", str(error))
        except PermanentError as error:
            return outcome_of(error)
        outcome = await self._sender.send(item)
        return Done({"messageId": message_id}) if isinstance(outcome, Done) else outcome

    def _item(self, message: Message, context: Context, message_id: str) -> bytes:
        names = template_names(message, context, self._used)
        values: dict[str, Any] = {name: template.render(names) for name, template in self._fields.items()}
        return calls.with_id(calls.encode(self._call, hops.marked(values, message.hops + 1)), message_id)


def build(config: StepConfig, tools: Toolbox) -> Step:
    return SegmentStep(config, cast(SegmentSpec, config.spec), tools)
