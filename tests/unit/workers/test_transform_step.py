"""The transform step: Segment's order, decisions that stay, and what the steps behind it see."""

from collections.abc import Mapping
from typing import Any

import pytest

from receiver.core.message import Status
from receiver.core.records import Record
from receiver.core.routes import Route
from receiver.core.routes_file import parse
from receiver.core.steps.base import StepConfig
from receiver.core.steps.handler import HandlerSpec
from tests.support.outbound import a_context, a_message, with_tools
from workers import course, steps
from workers.api import Context, Message
from workers.course import Counting, End, Line
from workers.outcome import Dead, Done, Drop, Outcome
from workers.steps.base import Changed, Step
from workers.toolbox import Toolbox

ORDER = {
    "type": "track",
    "userId": "user-1",
    "traits": {"email": " Ada@Example.com "},
    "properties": {"total": 3},
}


def config(actions: str) -> StepConfig:
    written = f"[{{handler: 'a:b', as: who}}, {{transform: {actions}}}]"
    text = f"sources: {{s: {{verify: {{scheme: none}}}}}}\nroutes: {{r: {{steps: {written}}}}}"
    return parse(text, file="f", environ={}).routes["r"].steps[1]


def run(
    actions: str,
    body: Mapping[str, Any] | bytes = ORDER,
    *,
    number: int = 17,
    outputs: dict[str, Any] | None = None,
    **context: Any,
) -> Outcome:
    async def work(tools: Toolbox) -> Outcome:
        message = a_message(body, number=number)
        step = steps.build(config(actions), tools)
        return await step.run(message, a_context(tools, message, outputs=outputs, **context))

    return with_tools(work)


def changed(actions: str, body: Mapping[str, Any] = ORDER, **more: Any) -> dict[str, Any]:
    outcome = run(actions, body, **more)
    assert isinstance(outcome, Changed), outcome
    assert outcome.message.copy().data == outcome.message.data
    return outcome.message.data


def test_what_is_sampled_by_a_path_depends_on_the_value_alone() -> None:
    sticky = "[{sample: {percent: 0.6, path: userId}}]"
    for body, kept in (({"userId": "user-1"}, False), ({"userId": "user-2"}, True), ({}, True)):
        assert {isinstance(run(sticky, body, number=number), Done) for number in (1, 2, 3)} == {kept}
    assert run(sticky) == Drop("action 1: userId is at 0.717011; what is below 0.6 is kept")


@pytest.mark.parametrize(("percent", "kept"), [(0, False), (1, True)])
@pytest.mark.parametrize("path", ["", ", path: userId"])
def test_none_and_all(percent: int, kept: bool, path: str) -> None:
    assert isinstance(run(f"[{{sample: {{percent: {percent}{path}}}}}]"), Done) is kept


def test_chance_decides_once_a_delivery() -> None:
    random = "[{sample: {percent: 0.5}}]"
    first = [isinstance(run(random, number=number), Done) for number in range(40)]
    again = [isinstance(run(random, number=number, attempt=2), Done) for number in range(40)]
    replayed = [isinstance(run(random, number=number, replay=1), Done) for number in range(40)]
    assert first == again != replayed
    assert 8 < sum(first) < 32


def test_drop_says_where() -> None:
    assert run("[{drop: true, if: 'type = \"track\"'}]") == Drop('action 1: dropped where type = "track"')
    assert run("[{drop: true}]") == Drop("action 1: dropped")
    assert run("[{drop: true, if: all}]") == Drop("action 1: dropped")
    assert run("[{drop: true, if: 'type = \"page\"'}]") == Done({"applied": []})


def test_the_order_is_segments_whatever_the_file_says() -> None:
    out = (
        "[{allow: {properties: [kept]}}, {block: {traits: [email]}}, "
        "{rename: {properties.total: properties.kept}}]"
    )
    assert changed(out) == {**ORDER, "properties": {"kept": 3}, "traits": {}}
    late_drop = "[{set: {type: page}}, {drop: true, if: 'type = \"page\"'}]"
    assert changed(late_drop)["type"] == "page"
    sampled_first = "[{drop: true}, {sample: {percent: 0, path: userId}}]"
    assert "action 2" in getattr(run(sampled_first), "reason", "")


def test_each_condition_sees_what_the_actions_before_have_left() -> None:
    actions = "[{block: {'': [userId]}}, {block: {properties: [total]}, if: userId = null}]"
    assert changed(actions)["properties"] == {}
    assert (
        changed("[{block: {'': [userId]}, if: 'steps.who.x = 1'}]", outputs={"who": {"x": 1}}).get("userId")
        is None
    )


def test_set_takes_templates_and_keeps_types() -> None:
    actions = '[{set: {properties.total: 5, who: "{{ userId }}", all: {n: "{{ properties.total }}"}}}]'
    made = changed(actions)
    assert (made["who"], made["all"]) == ("user-1", {"n": 5})


def test_what_cannot_be_done_is_dead() -> None:
    outcome = run("[{set: {userId.x: 1}}]")
    assert outcome == Dead("transform_error", "userId.x cannot be set: userId is no object")
    outcome = run('[{set: {x: "{{ traits.phone | required }}"}}]')
    assert isinstance(outcome, Dead)
    assert outcome.code == "template_error"
    assert outcome.error.startswith("action 1: set x: ")
    outcome = run("[{block: {'': [a]}}]", b"[]")
    assert isinstance(outcome, Dead)
    assert outcome.code == "unreadable_message"


def attempt(actions: str, outputs: dict[str, Any], seen: list[Message]) -> End:
    """A transform step, and one behind it that notes the message it sees."""

    class Noting:
        name, timeout_s = "noting", 1.0

        async def run(self, message: Message, context: Context) -> Outcome:
            seen.append(message)
            return Done()

    async def work(tools: Toolbox) -> End:
        message = a_message(ORDER)
        noting = StepConfig(name="noting", spec=HandlerSpec(target="m:f"))
        route = Route(name="orders", steps=(config(actions), noting), retry=())

        def build(one: StepConfig) -> Step:
            return Noting() if one is noting else steps.build(one, tools)

        line = Line.of(route, build)
        counting = Counting(Record(status=Status.QUEUED, attempts=0), line)
        context = a_context(tools, message)
        context.steps = outputs
        return await course.run(line, message, context, counting, tools.limits)

    return with_tools(work)


def test_steps_behind_it_see_the_same_in_every_attempt() -> None:
    seen: list[Message] = []
    outputs: dict[str, Any] = {}
    actions = "[{block: {traits: [email]}}, {set: {n: 1}, if: userId = null}]"
    attempt(actions, outputs, seen)
    assert outputs["transform"]["applied"] == [1]
    del outputs["noting"]
    attempt(actions.replace("userId = null", "all"), outputs, seen)
    assert [message.data for message in seen] == [{**ORDER, "traits": {}}] * 2
    assert b"email" not in seen[0].raw


def test_where_the_actions_are_others_by_then_those_in_force_change_the_message() -> None:
    """The number of an action says nothing in another list: what was to be blocked must not get through."""
    seen: list[Message] = []
    outputs: dict[str, Any] = {}
    attempt("[{block: {traits: [email]}}]", outputs, seen)
    del outputs["noting"]
    others = "[{drop: true}, {set: {n: 1}, if: userId = null}, {block: {traits: [email]}}]"
    attempt(others, outputs, seen)
    assert [message.data for message in seen] == [{**ORDER, "traits": {}}] * 2
    outputs.pop("noting")
    outputs["transform"].pop("actions")  # of a release that did not write it
    attempt("[{block: {traits: [email]}}]", outputs, seen)
    assert seen[2].data == seen[0].data


def test_a_message_that_was_sent_already_is_known_behind_it() -> None:
    """Else a circle could not be cut any more."""
    outcome = run("[{allow: {'': [type, userId]}}]", {**ORDER, "context": {"hookyard": {"hops": 2}}})
    assert isinstance(outcome, Changed)
    assert "context" not in outcome.message.data
    assert (outcome.message.hops, outcome.message.copy().hops) == (2, 2)


def test_what_was_kept_is_not_dropped_in_a_later_attempt() -> None:
    seen: list[Message] = []
    attempt("[{drop: true}]", {"transform": {"applied": []}}, seen)
    attempt("[{block: {'': [userId]}}]", {"transform": None}, seen)
    assert [message.data for message in seen] == [ORDER, ORDER]
