"""Orders to purge a user, worked against a real server: what goes, what stays, what comes too late."""

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import orjson
import pytest
import redis

from receiver.cli import purge as cli_purge
from receiver.cli.main import run
from receiver.core import duty, keys, purges, replays, routes_file, scripts, store, upkeep
from receiver.core.clients import connect
from receiver.core.clock import SYSTEM
from receiver.core.message import NewMessage, Status
from receiver.core.queue import Jobs
from receiver.core.replays import Plan
from receiver.core.selection import Selection
from receiver.core.settings import Settings
from tests.integration.test_store import NOW, Bench, result
from tests.support.receiving import Receiving
from tests.support.segment import batch, line
from tests.support.sender import Sender, signed
from tests.support.stored import message
from tests.support.yard import interrupt
from workers import purge
from workers.purge import Purger
from workers.setup import Setup
from workers.sweeper import Sweeper

USER = "usr_1"
DRAIN = "drain-default-1"


def of(user: str | None, *routes: str, anonymous: str | None = None) -> NewMessage:
    """A message of a user, as intake hands it on."""
    body = orjson.dumps({"type": "track", "event": "Tested", "userId": user, "anonymousId": anonymous})
    return message(*routes, body=body, users=tuple(filter(None, (user, anonymous))))


def order(*routes: str, user: str = USER, spelled: str = "userId") -> NewMessage:
    """A deletion request that is obeyed."""
    body = orjson.dumps({"type": "delete", spelled: user})
    return msgspec.structs.replace(message(*routes, body=body, users=(user,)), orders_purge=True)


@pytest.fixture
def client(redis_url: str) -> "redis.Redis":
    return connect(redis_url)


@pytest.fixture
def bench(client: "redis.Redis") -> Bench:
    return Bench(client, "a", "b")


@pytest.fixture
def purger(client: "redis.Redis", redis_url: str) -> Iterator[Purger]:
    jobs = Jobs(redis_url)
    yield Purger(client, jobs, SYSTEM)
    jobs.close()


def kept(bench: Bench) -> list[int]:
    """Numbers of all stored messages."""
    return [stored.number for stored in bench.reader().page(1, 1_000_000, 10_000)]


def traces(bench: Bench) -> list[bytes]:
    """Keys that hold something of a message or delivery, but for the log."""
    families = ("DELIVERIES", "ATTEMPTS", "REPEATS", "LEASE", "RUNNING", "DEAD", "LATER", "OWED", "CRASHES")
    return [key for family in families for key in bench.redis.scan_iter(keys.key(family) + "*")]


def test_everything_of_that_user_goes_and_nothing_else(
    bench: Bench, purger: Purger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other = msgspec.structs.replace(of(USER), source="web", path="web")
    bench.accept(of(USER, "a"), of("usr_2", anonymous=USER), other, of(None, anonymous="anon_1"))
    bench.accept(of(USER, "a", "b", anonymous="anon_1"), order("a"), of(USER))
    assert purges.progress(bench.redis, "6") == purges.Purge(messages=0, done=False)
    purger.work()
    assert kept(bench) == [2, 4, 6, 7]
    assert purges.progress(bench.redis, "6") == purges.Purge(messages=3, done=True)
    assert bench.reader().numbers_of_user(USER) == [2, 6, 7]
    assert bench.reader().numbers_of_user("anon_1") == [4]
    assert bench.reader().totals()["purged"] == 3
    said = [vars(record) for record in caplog.records if record.name == purge.log.name]
    assert [(fields["message_id"], fields["messages"]) for fields in said] == [("msg_6", 3)]
    assert not any(USER in str(fields) for fields in said)


@pytest.mark.parametrize("spelled", ["userId", "userID"])
def test_both_spellings_of_a_deletion_request(bench: Bench, purger: Purger, spelled: str) -> None:
    bench.accept(of(USER), order(spelled=spelled))
    purger.work()
    assert kept(bench) == [2]


def test_orders_stay_also_for_a_later_one(bench: Bench, purger: Purger) -> None:
    bench.accept(of(USER), order(), of(USER), order())
    purger.work()
    assert kept(bench) == [2, 4]
    assert [purges.progress(bench.redis, str(number)).messages for number in (2, 4)] == [1, 1]


def test_a_repeated_order_is_no_second_one(bench: Bench, purger: Purger) -> None:
    first = order()
    bench.accept(first)
    purger.work()
    bench.accept(of(USER), first)
    purger.work()
    assert kept(bench) == [1, 2]


def test_no_trace_of_what_waits_is_dead_or_runs_and_late_results_leave_none(
    bench: Bench, purger: Purger
) -> None:
    bench.sign_on()
    bench.accept(*(of(USER, "a") for _ in range(4)), of(USER))
    dead, late, _, _ = work = bench.claim().work
    bench.settle(
        [
            result(dead, Status.DEAD, code="http_400", blob='{"outputs":{"x":"secret"}}'),
            result(late, Status.WAITING, due_ms=NOW + 5_000, blob='{"outputs":{"x":"secret"}}'),
        ]
    )
    bench.accept(of(USER, "a"), order())
    purger.work()
    assert traces(bench) == []
    turn = bench.settle(
        [
            result(work[2], Status.WAITING, due_ms=NOW + 5_000, blob='{"outputs":{"x":"secret"}}'),
            result(work[3], Status.DELIVERED),
        ]
    )
    assert set(turn.refused) == {work[2].ref, work[3].ref}
    later = bench.claim(now_ms=NOW + 6_000)
    assert (later.work, later.more) == ((), False)
    assert traces(bench) == []
    assert kept(bench) == [7]
    assert bench.redis.llen(keys.key("BACKLOG", bench.book.numbers["a"])) == 0
    assert scripts.run_now(bench.redis, upkeep.redrive([dead.ref], now_ms=NOW))[0] == 0


def test_suspects_of_a_purged_message_are_dropped(bench: Bench, purger: Purger) -> None:
    bench.sign_on()
    bench.accept(of(USER, "a"), of(USER, "a"))
    bench.claim()
    late = NOW + 60_000
    scripts.run_now(bench.redis, duty.sweep(["default"], [], now_ms=late, reaping=True))
    bench.accept(order())
    purger.work()
    assert bench.sign_on("drain-quarantine-1", now_ms=late, queue="quarantine")
    for _ in range(2):
        made = store.claim_suspects(bench.book, "drain-quarantine-1", now_ms=NOW)
        assert scripts.run_now(bench.redis, made).work == ()
    assert traces(bench) == []


def test_a_replay_comes_to_its_end_without_what_was_purged(bench: Bench, purger: Purger) -> None:
    bench.sign_on()
    bench.accept(*(of(USER) for _ in range(4)))
    plan = Plan(selection=Selection(), routes=("a",), rate=100.0)
    replay = replays.create(bench.redis, plan, first=1, last=4, now_ms=NOW)

    def walk(cursor: int, to: int) -> None:
        refs = {f"{number}:1:{replay}": "" for number in range(cursor + 1, to + 1)}
        made = replays.step(replay, refs, cursor=cursor, to=to, scanned=1, matched=1, now_ms=NOW)
        assert scripts.run_now(bench.redis, made).ok

    walk(0, 2)
    waiting, running = bench.claim().work
    bench.settle([result(waiting, Status.WAITING, due_ms=NOW + 5_000)])
    walk(2, 3)
    bench.accept(order())
    purger.work()
    walk(3, 4)  # its walker had read the message before
    assert bench.settle([result(running, Status.DELIVERED)]).refused == (running.ref,)
    assert bench.claim(now_ms=NOW + 6_000).work == ()
    ended = replays.progress(bench.redis, replay)
    assert ended is not None
    assert (ended.over, ended.dropped, ended.delivered) == (True, 4, 0)
    assert traces(bench) == []


def test_a_large_user_goes_in_steps_and_a_new_process_goes_on(
    bench: Bench, client: "redis.Redis", redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = 5 * purge.STEP + 3
    bench.accept(*(of(USER, "a") for _ in range(many)), of("usr_2"), order())
    monkeypatch.setattr(purge, "WHILE_S", 0.0)
    jobs = Jobs(redis_url)
    first, second = (Purger(client, jobs, SYSTEM) for _ in range(2))
    first.work()
    first.work()
    assert purges.progress(client, str(many + 2)) == purges.Purge(messages=2 * purge.STEP, done=False)
    for _ in range(6):  # in turns, as two supervisors would
        second.work()
        first.work()
    assert purges.progress(client, str(many + 2)) == purges.Purge(messages=many, done=True)
    assert kept(bench) == [many + 1, many + 2]
    jobs.close()


def test_retention_waits_for_an_order(bench: Bench, purger: Purger) -> None:
    bench.accept(of(USER), order())
    trim = upkeep.trim(before_ms=NOW + 1, max_bytes=0, pressure=False)
    scripts.run_now(bench.redis, trim)
    assert kept(bench) == [2]
    purger.work()
    assert kept(bench) == []
    assert not bench.redis.exists(keys.key("PURGED"), keys.key("PURGES"), keys.key("OWED"))


def test_an_order_reaches_its_routes_like_any_message(bench: Bench, purger: Purger) -> None:
    bench.sign_on()
    bench.accept(of(USER, "a"), order("a"))
    purger.work()
    (work,) = bench.claim().work
    bench.settle([result(work, Status.DELIVERED)])
    assert [one.status for one in bench.reader().deliveries(2)] == [Status.DELIVERED]
    assert bench.redis.hlen(keys.key("OWED")) == 0


def test_what_is_sent_again_after_the_purge_stays_gone(bench: Bench, purger: Purger) -> None:
    first = of(USER, "a")
    bench.accept(first, order())
    purger.work()
    assert bench.accept(first).messages[0].repeat
    assert kept(bench) == [2]


def test_the_bytes_kept_are_right_afterwards(bench: Bench, purger: Purger) -> None:
    bench.accept(order(user="usr_2"))
    before = bench.redis.hget(keys.key("META"), "bytes")
    bench.accept(of(USER), of(USER))
    bench.accept(order())
    with_order = bench.redis.hget(keys.key("META"), "bytes")
    purger.work()
    alone = bench.redis.hget(keys.key("META"), "bytes")
    assert int(before or 0) < int(alone or 0) < int(with_order or 0)


def test_the_message_shows_how_far_its_order_is(
    bench: Bench,
    purger: Purger,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", redis_url)
    bench.accept(of(USER), of(USER), order())
    assert run(["message", "3"]) == 0
    assert "purged       0 messages of this user so far; the workers go on" in capsys.readouterr().out
    purger.work()
    assert run(["message", "3"]) == 0
    assert "purged       2 messages of this user\n" in capsys.readouterr().out
    assert run(["message", "3", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["purge"] == {"messages": 2, "done": True}


def test_by_hand(
    bench: Bench,
    purger: Purger,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", redis_url)
    monkeypatch.setattr(cli_purge, "pause", lambda _: purger.work())
    bench.accept(of(USER), of("usr_2", anonymous=USER), order(), of(USER, "a"))
    purger.work()
    assert run(["purge", "--user", USER, "--dry-run"]) == 0
    assert capsys.readouterr().out == "1 message would be deleted.\n"
    assert run(["purge", "--user", USER]) == 2
    assert kept(bench) == [2, 3, 4]
    assert run(["purge", "--user", USER, "--yes"]) == 0
    assert capsys.readouterr().out == "Deleted 1 message.\n"
    assert kept(bench) == [2, 3]
    assert run(["purge", "--user", USER, "--yes", "--json"]) == 0
    assert capsys.readouterr().out == '{"order":"hand-2","messages":0}\n'
    assert not bench.redis.exists(keys.key("ORDERED"), keys.key("PURGES"))


def test_an_order_by_hand_spares_what_comes_later_and_goes_on_by_itself(
    bench: Bench,
    purger: Purger,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HOOKYARD_REDIS_URL", redis_url)
    monkeypatch.setattr(cli_purge, "pause", interrupt)
    odd = "\udcff usr"
    bench.accept(of(USER), order(user="usr_2"))
    for user in (odd, ""):
        purges.order(bench.redis, user)
    assert run(["purge", "--user", USER, "--yes"]) == 130
    assert "goes on by itself" in capsys.readouterr().err
    bench.accept(of(USER))
    purger.work()
    assert kept(bench) == [2, 3]
    assert purges.progress(bench.redis, "hand-3") == purges.Purge(messages=1, done=True)


SECRET = "sh4red"
ROUTES = """
sources:
  shop: {verify: {scheme: segment, secret_env: SHOP_SECRET}, on_delete: purge}
  web: {verify: {scheme: segment, secret_env: SHOP_SECRET}}
routes:
  all: {steps: [{handler: "workers.handlers.hello:greet"}]}
"""


def test_a_signed_request_is_obeyed_by_the_sweeper(tmp_path: Path) -> None:
    forged = line(28)[:-1] + b',"userId":"usr_1009"}'
    with Receiving(tmp_path, ROUTES, {"SHOP_SECRET": SECRET}) as receiving:

        def send(body: bytes, source: str, *, over: bytes | None = None) -> None:
            with Sender(receiving.url) as sender:
                headers = signed(body, SECRET, over=over)
                assert sender.send(body, path=f"/hooks/{source}", headers=headers).status == 200

        url = receiving.valkey.url
        config = routes_file.load(tmp_path / "routes.yaml", {"SHOP_SECRET": SECRET})
        setup = Setup(settings=Settings(), config=config, url=url, jobs=Jobs(url))
        sweeper = Sweeper(setup, ("default",))
        send(b'{"type":"identify","userId":"usr_1009"}', "web")
        send(b'{"type":"identify","userId":"usr_1008"}', "web")
        send(line(30), "web")  # a source that keeps
        send(batch(forged, line(29)), "shop", over=forged)  # the signature covers the first only
        sweeper.sweep({})
        assert [message.number for message in receiving.since(0)] == [1, 2, 3, 4, 5]
        send(line(30), "shop")
        sweeper.sweep({})
        assert [message.number for message in receiving.since(0)] == [2, 5, 6]
        assert purges.progress(receiving.store.redis, "6") == purges.Purge(messages=3, done=True)
        setup.jobs.close()
