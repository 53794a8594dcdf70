"""The kinds of steps in routes.yaml. A new kind: a file here, a line in KINDS and a field of StepKeys.

What runs it is a file of the same name in `workers.steps`.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import ConfigDict, Field

from receiver.core import backoff, units
from receiver.core.fql import compile_fql
from receiver.core.routes_types import MayBeLeftOut, Target
from receiver.core.steps import handler, http, profile, rq, segment, transform
from receiver.core.steps.base import Kind, SharedKeys, StepConfig
from receiver.core.steps.http import HttpKeys
from receiver.core.steps.profile import ProfileKeys
from receiver.core.steps.rq import RqKeys
from receiver.core.steps.segment_keys import SegmentKeys
from receiver.core.steps.transform import ActionKeys

KINDS: dict[str, Kind] = {
    "handler": handler,
    "http": http,
    "profile": profile,
    "rq": rq,
    "segment": segment,
    "transform": transform,
}
"""Key of a step → its kind."""


class StepKeys(SharedKeys):
    """One piece of a route's work: what to do, one of several kinds, and beside it how to run it."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in KINDS]})

    handler: MayBeLeftOut[Target] = Field(
        None, description="Python function `module:function`, called with the message and a context."
    )
    http: MayBeLeftOut[HttpKeys] = Field(None, description="An outbound HTTP request.")
    profile: MayBeLeftOut[ProfileKeys] = Field(None, description="A question to Segment's Profile API.")
    transform: MayBeLeftOut[Annotated[list[ActionKeys], Field(min_length=1)]] = Field(
        None, description="What is dropped of the message, or changed in it, for the steps behind."
    )
    rq: MayBeLeftOut[RqKeys] = Field(None, description="A job on an RQ queue of yours.")
    segment: MayBeLeftOut[SegmentKeys] = Field(None, description="A call to Segment.")


def build(keys: StepKeys, environ: Mapping[str, str]) -> StepConfig:
    """The record of a step in which no problem was found; every variable it names is in `environ`."""
    kind, written = next((kind, value) for kind in KINDS if (value := getattr(keys, kind)) is not None)
    return StepConfig(
        name=keys.as_ or kind,
        spec=KINDS[kind].build(written, environ),
        when=None if keys.when is None else compile_fql(keys.when),
        timeout_s=units.seconds(keys.timeout),
        retry=None if keys.retry is None else backoff.schedule(keys.retry),
        goes_on=keys.on_error == "continue",
    )
