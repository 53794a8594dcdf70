"""The transform step: drops or changes the message for the steps behind it.

What it did is its output, so that a later attempt changes the message in the same way and drops nothing that
was kept: neither chance nor a configuration that has changed meanwhile decides again.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from receiver.core import transforms
from receiver.core.sandbox import TemplateError
from receiver.core.steps import transform
from receiver.core.steps.base import StepConfig
from receiver.core.steps.transform import ActionSpec, Allow, Block, Rename, Sample, Set, TransformSpec
from receiver.core.templates import Template, compile_value
from workers.api import Context, Message
from workers.conditions import holds
from workers.errors import PermanentError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Done, Drop, Outcome
from workers.steps.base import Changed, Step
from workers.toolbox import Toolbox

APPLIED = "applied"
"""Key of the output: the numbers of the actions that were done, in the order of the file."""
ACTIONS = "actions"
"""Key of the output, where something was changed: which actions those numbers are of."""
CHANGES = (Set, Rename, Block, Allow)


class TransformStep:
    """Runs the actions in their order."""

    def __init__(self, config: StepConfig, spec: TransformSpec) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._actions = spec.actions
        self._values = {one.number: dict(_compiled(one)) for one in spec.actions}
        self._digest = _digest(spec)
        self._used = used_by(value for values in self._values.values() for value in values.values())

    async def run(self, message: Message, context: Context) -> Outcome:
        draft = message.copy()
        done: list[ActionSpec] = []
        try:
            for one in self._actions:
                if one.condition is not None and not holds(one.condition, draft, context):
                    continue
                reason = self._dropped(one, draft, context)
                if reason:
                    return Drop(f"action {one.number}: {reason}")
                self._change(one, draft, context)
                done.append(one)
            output = {APPLIED: sorted(one.number for one in done)}
            if any(isinstance(one.action, CHANGES) for one in done):
                return Changed({**output, ACTIONS: self._digest}, message=message.changed(draft.data))
            return Done(output)
        except TemplateError as error:
            return Dead("template_error", str(error))
        except PermanentError as error:
            return outcome_of(error)
        except ValueError as error:
            return Dead("transform_error", str(error))

    def again(self, message: Message, context: Context) -> Message:
        output = context.steps[self.name]
        done = output.get(APPLIED, ()) if isinstance(output, Mapping) else ()
        is_same = not done or output.get(ACTIONS, self._digest) == self._digest
        changes = [one for one in self._actions if isinstance(one.action, CHANGES)]
        if is_same:
            changes = [one for one in changes if one.number in done]
        if not changes:
            return message
        draft = message.copy()
        for one in changes:
            if is_same or one.condition is None or holds(one.condition, draft, context):
                self._change(one, draft, context)
        return message.changed(draft.data)

    def _dropped(self, one: ActionSpec, draft: Message, context: Context) -> str:
        """Why the action ends the delivery; empty: it does not."""
        match one.action:
            case transform.Drop():
                return f"dropped where {one.condition.text}" if one.condition else "dropped"
            case Sample(percent, None):
                value = transforms.share(f"{context.at(self.name).idempotency_key}/{one.number}")
                return "" if value < percent else f"not in the {percent:.6g} that are kept by chance"
            case Sample(percent, str(path)):
                value = transforms.share(transforms.value_at(draft.data, path))
                kept = f"{path} is at {value:.6g}; what is below {percent:.6g} is kept"
                return "" if value < percent else kept
        return ""

    def _change(self, one: ActionSpec, draft: Message, context: Context) -> None:
        """Raises TemplateError and ValueError."""
        match one.action:
            case Set():
                for path, value in self._values[one.number].items():
                    names = template_names(draft, context, self._used)
                    transforms.put(draft.data, path, value.render(names))
            case Rename(paths):
                for path, new in paths.items():
                    transforms.rename(draft.data, path, new)
            case Block(fields):
                transforms.block(draft.data, fields)
            case Allow(fields):
                transforms.allow(draft.data, fields)


def build(config: StepConfig, tools: Toolbox) -> Step:
    return TransformStep(config, cast(TransformSpec, config.spec))


def _digest(spec: TransformSpec) -> str:
    """Tells lists of actions apart. Their conditions have been decided."""
    said = repr([(one.number, one.action) for one in spec.actions])
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _compiled(one: ActionSpec) -> Iterator[tuple[str, Template]]:
    values: Mapping[str, Any] = one.action.values if isinstance(one.action, Set) else {}
    for path, value in values.items():
        yield path, compile_value(value, kind="json", where=f"action {one.number}: set {path}")
