"""What every kind of step must keep, whatever happens outside: an Outcome, the same ids, a clean end."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from receiver.core import steps as registry
from receiver.core.steps.base import Spec
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.http import HttpSpec
from receiver.core.steps.profile import ProfileSpec
from receiver.core.steps.segment import SegmentSpec
from tests.support.destination import Answer, Destination, Seen
from tests.support.outbound import a_context, a_message, a_step, run_step, with_tools
from workers import steps
from workers.api import Message
from workers.outcome import Dead, Done, Outcome, Retry
from workers.toolbox import Toolbox


def handler(url: str) -> Spec:
    return HandlerSpec(target="tests.support.handlers_under_test:post_to_user")


def http(url: str) -> Spec:
    return HttpSpec(method="POST", url=url, json={"url": "{{ event }}"}, allow_private=True)


def segment(url: str) -> Spec:
    return SegmentSpec(connection="crm", call="track", fields={"userId": "u1", "event": "{{ event }}"})


def profile(url: str) -> Spec:
    return ProfileSpec(connection="crm", get="metadata", id="user_id:{{ type }}", values={})


KINDS: dict[str, Callable[[str], Spec]] = {
    "handler": handler,
    "http": http,
    "profile": profile,
    "segment": segment,
}
TELLING = [kind for kind in KINDS if kind != "profile"]
"""Those that tell somebody something; a question may be asked twice."""
Run = Callable[..., Outcome]
ELSEWHERE = {"rq", "transform"}
"""Kinds that send no requests; each has tests of its own."""
every_kind = pytest.mark.parametrize("kind", KINDS)


def a_call(url: str) -> Message:
    """A message whose step calls `url`."""
    return a_message({"type": "track", "event": url})


@pytest.fixture
def run(redis_url: str) -> Run:
    def run(kind: str, url: str, message: Message | None = None, **options: Any) -> Outcome:
        message = message or a_call(url)
        return run_step(KINDS[kind](url), message, segment_url=url, redis_url=redis_url, **options)

    return run


def sent_id(seen: Seen) -> str:
    """The id by which a destination recognises a repeat."""
    if "idempotency-key" in seen.headers:
        return seen.headers["idempotency-key"]
    return str(seen.json()["batch"][0]["messageId"])


def test_every_kind_of_routes_yaml_has_a_step_and_a_row_here() -> None:
    assert set(registry.KINDS) == set(steps.STEPS) == {*KINDS, *ELSEWHERE}
    assert set(registry.KINDS) <= set(registry.StepKeys.model_fields)


@every_kind
def test_a_step_has_the_name_and_timeout_of_its_configuration(kind: str) -> None:
    async def work(tools: Toolbox) -> None:
        step = steps.build(a_step(KINDS[kind]("http://127.0.0.1:9"), name="mine"), tools)
        assert (step.name, step.timeout_s) == ("mine", 30.0)

    with_tools(work)


@every_kind
def test_what_works_is_done_with_an_output_that_json_can_say(run: Run, kind: str) -> None:
    with Destination() as destination:
        outcome = run(kind, destination.url)
    assert isinstance(outcome, Done)
    assert json.loads(json.dumps(outcome.output)) == outcome.output


@every_kind
def test_many_at_a_time_work(kind: str, redis_url: str) -> None:
    async def work(tools: Toolbox) -> list[Outcome]:
        step = steps.build(a_step(KINDS[kind](destination.url)), tools)
        messages = [a_call(destination.url) for _ in range(50)]
        return await asyncio.gather(*(step.run(message, a_context(tools, message)) for message in messages))

    with Destination() as destination:
        outcomes = with_tools(work, segment_url=destination.url, redis_url=redis_url)
    assert {type(outcome) for outcome in outcomes} == {Done}


@pytest.mark.parametrize("kind", TELLING)
def test_an_attempt_repeated_carries_the_same_id_and_a_replay_another(run: Run, kind: str) -> None:
    with Destination() as destination:
        for attempt, replay in ((1, 0), (2, 0), (1, 1)):
            assert isinstance(run(kind, destination.url, attempt=attempt, replay=replay), Done)
        first, second, replayed = map(sent_id, destination.requests)
    assert first == second != replayed


@every_kind
@pytest.mark.parametrize("raw", [b"", b"null", b'{"type":'])
def test_an_unreadable_message_is_dead(run: Run, kind: str, raw: bytes) -> None:
    with Destination() as destination:
        outcome = run(kind, destination.url, a_message(raw))
    assert isinstance(outcome, Dead)
    assert outcome.code == "unreadable_message"
    assert destination.requests == []


@every_kind
def test_nobody_there_is_tried_again(run: Run, kind: str) -> None:
    with Destination() as destination:
        gone = destination.url
    outcome = run(kind, gone)
    assert isinstance(outcome, Retry)
    assert outcome.code == "connect"


@every_kind
@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_destination_is_tried_again_when_it_says(run: Run, kind: str, status: int) -> None:
    with Destination(otherwise=Answer(status=status, headers={"Retry-After": "30"})) as destination:
        outcome = run(kind, destination.url)
    assert isinstance(outcome, Retry)
    assert (outcome.code, outcome.after_s) == (f"http_{status}", 30.0)


@every_kind
@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_dead(run: Run, kind: str, status: int) -> None:
    with Destination(otherwise=Answer(status=status)) as destination:
        outcome = run(kind, destination.url)
    assert isinstance(outcome, Dead)
    assert outcome.code == f"http_{status}"


@every_kind
def test_a_connection_that_breaks_is_tried_again(run: Run, kind: str) -> None:
    with Destination(otherwise=Answer(behaviour="reset")) as destination:
        outcome = run(kind, destination.url)
    assert isinstance(outcome, Retry)
    assert outcome.code == "disconnect"


@every_kind
def test_a_step_that_hangs_ends_with_its_timeout(run: Run, kind: str) -> None:
    with Destination(otherwise=Answer(behaviour="hang")) as destination, pytest.raises(TimeoutError):
        run(kind, destination.url, timeout_s=0.1)
