"""The rq step, looked at with RQ's own eyes."""

from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from receiver.core import queue as ours
from receiver.core.steps import rq
from receiver.core.steps.rq import RqSpec
from tests.support.outbound import a_message, output, run_step
from workers.outcome import Dead, Retry

BODY = {"type": "track", "userId": "0123", "properties": {"total": 3, "odd": "\ud83d"}}


def spec(**keys: Any) -> RqSpec:
    return RqSpec(queue="emails", function="myapp.jobs.send", **keys)


def put(redis_url: str, made: RqSpec, **context: Any) -> dict[str, Any]:
    return output(run_step(made, a_message(BODY), redis_url=redis_url, **context))


def job(redis: "Redis", job_id: str, **options: Any) -> Job:
    return Job.fetch(job_id, connection=redis, **options)


def test_without_arguments_the_function_gets_the_whole_message(redis: "Redis", redis_url: str) -> None:
    made = put(redis_url, spec())
    found = job(redis, made["job_id"])
    assert (found.func_name, found.args, found.kwargs) == ("myapp.jobs.send", (BODY,), {})
    assert found.origin == made["queue"] == "emails"
    assert found.description == "myapp.jobs.send for msg_17 of route orders"
    assert found.meta == {"hookyard": {"message": "msg_17", "route": "orders", "delivery": "17:orders:0"}}
    assert Queue("emails", connection=redis).job_ids == [found.id]


def test_arguments_are_templates_that_keep_their_types(redis: "Redis", redis_url: str) -> None:
    args = ("{{ userId }}", "{{ properties.total }}", "order {{ properties.total }}", 7)
    kwargs = {"plan": "{{ steps.who.plan }}", "nothing": "{{ traits.x }}"}
    made = put(redis_url, spec(args=args, kwargs=kwargs), outputs={"who": {"plan": "pro"}})
    found = job(redis, made["job_id"])
    assert found.args == ("0123", 3, "order 3", 7)
    assert found.kwargs == {"plan": "pro", "nothing": None}


def test_a_repeated_attempt_makes_no_second_job(redis: "Redis", redis_url: str) -> None:
    first = put(redis_url, spec())
    again = put(redis_url, spec(), attempt=2)
    assert first == again
    assert Queue("emails", connection=redis).count == 1
    replayed = put(redis_url, spec(), replay=1)
    assert replayed["job_id"] != first["job_id"]
    assert Queue("emails", connection=redis).count == 2


def test_how_long_things_are_kept_is_what_routes_yaml_says(redis: "Redis", redis_url: str) -> None:
    made = put(redis_url, spec(job_timeout_s=0.5, ttl_s=60.0, result_ttl_s=90.0, failure_ttl_s=120.0))
    found = job(redis, made["job_id"])
    assert (found.timeout, found.ttl, found.result_ttl, found.failure_ttl) == (1, 60, 90, 120)
    plain = job(redis, put(redis_url, spec(), replay=2)["job_id"])
    assert (plain.timeout, plain.ttl, plain.result_ttl) == (180, None, None)


def test_json_for_workers_that_read_json(redis: "Redis", redis_url: str) -> None:
    made = put(redis_url, spec(serializer="json", args=("{{ userId }}",)))
    assert job(redis, made["job_id"], serializer=JSONSerializer).args == ["0123"]


def test_a_redis_that_is_away_is_tried_again() -> None:
    outcome = run_step(spec(), a_message(BODY))
    assert isinstance(outcome, Retry)
    assert outcome.code == "rq_unavailable"
    assert outcome.error.startswith("queue emails: ConnectionError: ")


def test_what_cannot_be_filled_or_read_is_dead(redis_url: str) -> None:
    outcome = run_step(spec(args=("{{ traits.x | required }}",)), a_message(BODY), redis_url=redis_url)
    assert outcome == Dead("template_error", "args[0]: traits.x is required, but null")
    outcome = run_step(spec(), a_message(b"[]"), redis_url=redis_url)
    assert isinstance(outcome, Dead)
    assert outcome.code == "unreadable_message"


def test_our_own_queues_are_known_by_their_beginning() -> None:
    assert rq.OURS == ours.PREFIX


@pytest.mark.parametrize("serializer", ["pickle", "json"])
def test_no_part_of_a_job_is_ours_to_import(redis: "Redis", redis_url: str, serializer: str) -> None:
    """A worker elsewhere has no Hookyard: whatever it unpickles is plain."""
    made = put(redis_url, spec(serializer=serializer))
    held = redis.hgetall(f"rq:job:{made['job_id']}")
    assert isinstance(held, dict)
    assert not any(
        name in value for value in held.values() for name in (b"receiver.", b"workers.", b"msgspec")
    )
