"""The profile step: one question to the Profile API per attempt; its answer is the output."""

from typing import cast

from receiver.core.sandbox import TemplateError
from receiver.core.segment.profile import InvalidLookup, Lookup
from receiver.core.steps.base import StepConfig
from receiver.core.steps.profile import ProfileSpec
from receiver.core.templates import compile_value
from workers.api import Context, Message
from workers.errors import PermanentError, RetryError, outcome_of
from workers.names import template_names, used_by
from workers.outcome import Dead, Outcome
from workers.steps.base import Step
from workers.steps.output import kept
from workers.toolbox import Toolbox


class ProfileStep:
    """Asks for one part of one profile."""

    def __init__(self, config: StepConfig, spec: ProfileSpec, tools: Toolbox) -> None:
        self.name = config.name
        self.timeout_s = config.timeout_s
        self._spec = spec
        self._profiles = tools.profile(spec.connection)
        self._id = compile_value(spec.id, kind="id", where="id")
        self._values = {
            name: compile_value(value, kind="json", where=name) for name, value in spec.values.items()
        }
        self._used = used_by([self._id, *self._values.values()])

    async def run(self, message: Message, context: Context) -> Outcome:
        try:
            lookup = self._lookup(message, context)
            found = await self._profiles.get(lookup, missing=self._spec.missing, cache_s=self._spec.cache_s)
        except TemplateError as error:
            return Dead("template_error", str(error))
        except InvalidLookup as error:
            return Dead(error.code, str(error))
        except (RetryError, PermanentError) as error:
            return outcome_of(error)
        what = f"what the profile has of {self._spec.get}"
        return kept(found, what, "; ask for less with include, limit or max_items")

    def _lookup(self, message: Message, context: Context) -> Lookup:
        names = template_names(message, context, self._used)
        values = {name: template.render(names) for name, template in self._values.items()}
        return Lookup.of(self._spec.get, self._id.render(names), values, self._spec.collection)


def build(config: StepConfig, tools: Toolbox) -> Step:
    return ProfileStep(config, cast(ProfileSpec, config.spec), tools)
