"""The Profile API, asked by steps and handlers, against a stand-in that keeps to its documented rules."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.core import shared_rate
from receiver.core.clock import SYSTEM
from receiver.core.routes_file import parse
from receiver.core.segment.profile import Lookup
from receiver.core.steps.handler import HandlerSpec
from receiver.core.steps.profile import ProfileSpec
from tests.support.destination import Answer, Destination
from tests.support.outbound import a_context, a_message, output, run_step, with_tools
from tests.support.segment_profiles import Profile
from tests.support.segment_stand_in import SegmentStandIn
from workers import pace, steps
from workers.outcome import Dead, Done, Outcome, Retry
from workers.toolbox import Toolbox

ANN = "user_id:ann"
Ask = Callable[..., Outcome]


@pytest.fixture
def segment() -> Iterator[SegmentStandIn]:
    with SegmentStandIn() as server:
        server.profiles.known[f"users/{ANN}"] = Profile(
            traits={"plan": "gold", "age": 40},
            events=[{"message_id": "m1", "event": "Signed Up", "timestamp": "2026-05-01T12:00:00Z"}],
            external_ids=[{"type": "user_id", "id": "ann"}],
            metadata={"created_at": "2026-01-01T00:00:00Z"},
            links=[{"to_collection": "accounts", "external_ids": []}],
        )
        yield server


@pytest.fixture
def ask(segment: SegmentStandIn, redis_url: str) -> Ask:
    """One attempt of a profile step."""

    def ask(message: dict[str, Any] | None = None, **spec: Any) -> Outcome:
        given = {"connection": "crm", "get": "traits", "id": "user_id:{{ userId }}", "values": {}, **spec}
        message = {"userId": "ann"} if message is None else message
        return run_step(
            ProfileSpec(**given), a_message(message), segment_url=segment.url, redis_url=redis_url
        )

    return ask


def call(name: str, message: dict[str, Any], segment: SegmentStandIn, redis_url: str) -> Outcome:
    """One attempt of a handler."""
    spec = HandlerSpec(target=f"tests.support.handlers_under_test:{name}")
    return run_step(spec, a_message(message), segment_url=segment.url, redis_url=redis_url)


ROUTES = """
connections:
  crm: {{profile_token_env: TOKEN, space_id: space, region: {{profile: "{segment}"}}}}
routes:
  enrich:
    steps:
      - profile:
          connection: crm
          get: traits
          id: "user_id:{{{{ userId }}}}"
          include: [plan, "{{{{ properties.trait }}}}"]
          cache: 30s
        as: who
      - http:
          url: {http}/hook
          json: {{plan: "{{{{ steps.who.traits.plan }}}}", age: "{{{{ steps.who.traits.age }}}}"}}
          allow_private: true
"""


def test_later_steps_see_what_the_profile_has(segment: SegmentStandIn, redis_url: str) -> None:
    with Destination() as destination:
        text = ROUTES.format(segment=segment.url, http=destination.url)
        config = parse(text, file="routes.yaml", environ={"TOKEN": "profile-token"})

        async def work() -> None:
            async with Toolbox.open(config, 8, "store-1", redis_url) as tools:
                message = a_message({"userId": "ann", "properties": {"trait": "age"}})
                outputs: dict[str, Any] = {}
                for step in config.routes["enrich"].steps:
                    context = a_context(tools, message, outputs=outputs)
                    outputs[step.name] = output(await steps.build(step, tools).run(message, context))

        asyncio.run(work())
        assert destination.requests[0].json() == {"plan": "gold", "age": 40}
    (seen,) = segment.requests
    assert seen.path == "/v1/spaces/space/collections/users/profiles/user_id:ann/traits"
    assert seen.query == "include=plan,age&limit=100"


@pytest.mark.parametrize("get", ["traits", "properties", "events", "external_ids", "metadata", "links"])
def test_every_resource_from_a_step_and_from_handlers(
    segment: SegmentStandIn, redis_url: str, ask: Ask, get: Any
) -> None:
    stepped = output(ask(get=get))
    assert stepped["found"]
    assert stepped[get]
    message = {"get": get, "id": ANN}
    assert output(call("look_up", message, segment, redis_url)) == stepped
    assert output(call("look_up_in_a_thread", message, segment, redis_url)) == stepped


def test_handlers_may_say_all_that_steps_may(segment: SegmentStandIn, redis_url: str) -> None:
    options: dict[str, Any] = {"include": ["Signed Up"], "exclude": ["Left"], "sort": "asc", "limit": 5}
    options |= {"start": "2026-04-30", "end": "2026-05-02", "missing": "fail", "cache": 30}
    found = output(call("look_up", {"get": "events", "id": ANN, "options": options}, segment, redis_url))
    assert [event["event"] for event in found["events"]] == ["Signed Up"]
    options = {"class_": "audience", "verbose": True, "include": ["plan"], "max_items": 3}
    found = output(call("look_up", {"get": "traits", "id": ANN, "options": options}, segment, redis_url))
    assert found["traits"]["plan"]["value"] == "gold"


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"missing": "error"}, "missing"),
        ({"collection": "groups"}, "collection"),
        ({"ext": 1}, "ext"),
        ({"cache": "30s"}, "cache"),
    ],
)
def test_a_handler_is_told_what_it_asks_wrongly(
    segment: SegmentStandIn, redis_url: str, options: dict[str, Any], named: str
) -> None:
    outcome = call("look_up", {"get": "traits", "id": ANN, "options": options}, segment, redis_url)
    assert isinstance(outcome, Dead)
    assert outcome.code == "invalid_lookup"
    assert outcome.error.startswith(f"{named}: ")


@pytest.mark.parametrize(
    ("message", "code"),
    [({}, "template_error"), ({"userId": None}, "template_error"), ({"userId": ""}, "invalid_lookup")],
)
def test_without_an_id_nothing_is_asked(
    segment: SegmentStandIn, ask: Ask, message: dict[str, Any], code: str
) -> None:
    outcome = ask(message)
    assert isinstance(outcome, Dead)
    assert outcome.code == code
    assert segment.requests == []


def test_a_parameter_that_is_null_is_left_out(segment: SegmentStandIn, ask: Ask) -> None:
    assert output(ask(values={"include": "{{ properties.names }}"}))["found"]
    outcome = ask({"userId": "ann", "properties": {"names": 7}}, values={"include": "{{ properties.names }}"})
    assert isinstance(outcome, Dead)
    assert outcome.code == "invalid_lookup"


def test_a_profile_that_is_not_there(ask: Ask) -> None:
    assert output(ask({"userId": "bob"})) == {"found": False, "traits": {}, "has_more": False, "next": None}
    outcome = ask({"userId": "bob"}, missing="fail")
    assert isinstance(outcome, Dead)
    assert outcome.code == "profile_not_found"


def test_a_wrong_token_is_said_in_segments_words(segment: SegmentStandIn, ask: Ask) -> None:
    segment.profiles.token = "another"
    outcome = ask()
    assert isinstance(outcome, Dead)
    assert outcome.code == "http_401"
    assert "authentication_error" in outcome.error
    assert "profile-token" not in outcome.error


def test_a_space_that_is_busy_is_asked_again(segment: SegmentStandIn, ask: Ask) -> None:
    segment.profiles.per_second, segment.profiles.retry_after = 0, "7"
    outcome = ask()
    assert isinstance(outcome, Retry)
    assert (outcome.code, outcome.after_s) == ("http_429", 7.0)


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"<html>", "invalid_answer"), (b'{"traits": {"a": "' + b"x" * 300_000, "response_too_large")],
)
def test_answers_that_cannot_be_read(redis_url: str, body: bytes, code: str) -> None:
    spec = ProfileSpec(connection="crm", get="traits", id=ANN, values={})
    with Destination(Answer(body=body)) as server:
        outcome = run_step(spec, a_message(), segment_url=server.url, redis_url=redis_url)
    assert isinstance(outcome, Retry | Dead)
    assert outcome.code == code


def test_an_output_has_a_limit(segment: SegmentStandIn, ask: Ask) -> None:
    segment.profiles.known[f"users/{ANN}"] = Profile(traits={f"t{n}": "x" * 200 for n in range(200)})
    outcome = ask()
    assert isinstance(outcome, Dead)
    assert outcome.code == "output_too_large"
    assert len(output(ask(values={"limit": 50}))["traits"]) == 50


def test_any_id_arrives_as_it_is(segment: SegmentStandIn, redis_url: str) -> None:
    sendable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
    asked: list[str] = []

    async def work(tools: Toolbox) -> None:
        for value in asked:
            segment.profiles.known[f"users/user_id:{value.lower()}"] = Profile(metadata={"id": value})
            found = await tools.profile("crm").get(Lookup.of("metadata", f"user_id:{value}", {}))
            assert found["metadata"] == {"id": value}

    @settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck))
    @given(sendable.filter(str.strip).filter(lambda text: text.lower() == text.lower().lower()))
    def collect(value: str) -> None:
        asked.append(value)

    collect()
    segment.profiles.per_second = 10_000
    asked += ["+", "/", "a/b?c#d", "..", "%2B", "ü ñ €", "😀", "a:b", "x&y=z", "\x00\n", "?", "a b", "%"]
    with_tools(work, segment_url=segment.url, redis_url=redis_url)


def test_equal_questions_share_an_answer(segment: SegmentStandIn, redis_url: str) -> None:
    lookup = Lookup.of("traits", ANN, {})

    async def work(tools: Toolbox) -> list[dict[str, Any]]:
        crm = tools.profile("crm")
        found = await asyncio.gather(*(crm.get(lookup, cache_s=30) for _ in range(20)))
        found[0]["traits"].clear()
        found.append(await crm.get(lookup, cache_s=30))
        assert len(segment.requests) == 1
        await crm.get(lookup)
        assert len(segment.requests) == 2
        return found

    found = with_tools(work, segment_url=segment.url, redis_url=redis_url)
    assert [one["traits"] for one in found] == [{}, *[{"age": 40, "plan": "gold"}] * 20]


def test_two_workers_together_stay_below_the_rate_of_a_space(segment: SegmentStandIn, redis_url: str) -> None:
    lookup = Lookup.of("metadata", ANN, {})

    async def work(tools: Toolbox) -> None:
        await asyncio.gather(*(tools.profile("crm").get(lookup) for _ in range(50)))

    started = SYSTEM.monotonic()
    with ThreadPoolExecutor(2) as workers:
        for _ in range(2):
            workers.submit(with_tools, work, segment_url=segment.url, redis_url=redis_url)
    burst = 1 + pace.PER_SECOND * shared_rate.BURST_S
    assert SYSTEM.monotonic() - started >= (100 - burst) / pace.PER_SECOND
    assert len(segment.requests) == 100


def test_who_would_wait_for_long_comes_back(
    ask: Ask, segment: SegmentStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "PER_SECOND", 0.02)
    assert isinstance(ask(), Done)
    outcome = ask()
    assert isinstance(outcome, Retry)
    assert outcome.code == "rate_limited"
    assert outcome.after_s == pytest.approx(50, abs=1)
    assert len(segment.requests) == 1


def test_without_redis_nobody_asks(segment: SegmentStandIn) -> None:
    spec = ProfileSpec(connection="crm", get="traits", id=ANN, values={})
    outcome = run_step(spec, a_message(), segment_url=segment.url)
    assert isinstance(outcome, Retry)
    assert outcome.code == "store_unavailable"
    assert segment.requests == []
