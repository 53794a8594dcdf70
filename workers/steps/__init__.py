"""The kinds of steps. A new kind: its file in `receiver.core.steps`, a file here, a line in STEPS."""

from collections.abc import Callable

from receiver.core.steps.base import StepConfig
from workers.steps import handler, http, profile, rq, segment, transform
from workers.steps.base import Step
from workers.toolbox import Toolbox

STEPS: dict[str, Callable[[StepConfig, Toolbox], Step]] = {
    "handler": handler.build,
    "http": http.build,
    "profile": profile.build,
    "rq": rq.build,
    "segment": segment.build,
    "transform": transform.build,
}


def build(step: StepConfig, tools: Toolbox) -> Step:
    """Make a step ready to run: once per drain."""
    return STEPS[step.kind](step, tools)
