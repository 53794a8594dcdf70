"""`hookyard message ID`: one message whole, with every delivery and its attempts."""

from collections.abc import Iterator

import click
import msgspec
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.padding import Padding
from rich.text import Text

from receiver.cli.console import console, plain
from receiver.cli.listing import one_line_table
from receiver.cli.lookup import message_named, messages_named, open_store
from receiver.cli.times import full
from receiver.cli.views import as_json, brief, print_line, route_name
from receiver.core import purges
from receiver.core.clock import SYSTEM, utc
from receiver.core.message import Attempt, Delivery, Status, StoredMessage, message_name
from receiver.core.routes import address
from receiver.core.validity import sentence

STYLES = {Status.DELIVERED: "green", Status.DEAD: "red", Status.WAITING: "yellow", Status.HELD: "yellow"}


@click.command()
@click.argument("name", metavar="ID")
@click.option("--raw", is_flag=True, help="The exact bytes that arrived, and nothing else.")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a message.")
def message(name: str, raw: bool, as_lines: bool) -> None:
    """Show one message whole.

    ID is msg_17, 17 or a messageId; all that are stored under the same messageId are shown.
    """
    if raw and as_lines:
        raise click.UsageError("--raw and --json do not go together: the body in --json is the raw one")
    with open_store() as store:
        if raw:
            click.echo(message_named(store, name).body, nl=False)
            return
        found = messages_named(store, name)
        deliveries = store.deliveries_of([one.number for one in found])
        ordered = {
            one.number: purges.progress(store.redis, str(one.number)) for one in found if one.orders_purge
        }
    for one in found:
        if as_lines:
            purged = ordered.get(one.number)
            print_line(as_json(one, deliveries.get(one.number, [])) | {"purge": purged})
        else:
            show(console(), one, deliveries.get(one.number, []), ordered.get(one.number))


def show(
    out: Console, stored: StoredMessage, deliveries: list[Delivery], purged: purges.Purge | None = None
) -> None:
    """Head, body, and what each route did; of a message that ordered a purge, how far that is."""
    now_ms = SYSTEM.now_ms()
    says = brief(stored.body)
    out.print(Text(f"{stored.id}  {plain(says.title)}", style="bold"), soft_wrap=True)
    for name, value in _head(stored, now_ms):
        out.print(f"  {name:<12} {plain(value)}", soft_wrap=True)
    if purged is not None:
        so_far = "" if purged.done else " so far; the workers go on"
        out.print(f"  {'purged':<12} {purged.messages} messages of this user{so_far}", soft_wrap=True)
    out.print()
    out.print(JSONHighlighter()(Text(pretty(stored.body))), soft_wrap=True)
    if not deliveries:
        out.print("\nNo route took it; `hookyard explain` says why.")
    for delivery in deliveries:
        out.print()
        _show_delivery(out, delivery, now_ms)


def _head(stored: StoredMessage, now_ms: int) -> Iterator[tuple[str, object]]:
    says = brief(stored.body)
    yield "received", full(stored.received_ms, now_ms)
    yield "source", f"{stored.source} ({address(stored.path)})"
    for name, value in (
        ("messageId", says.message_id),
        ("userId", says.user_id),
        ("anonymousId", says.anonymous_id),
    ):
        if value:
            yield name, value
    if stored.repeats:
        yield "seen", f"{stored.repeats + 1} times; the repeats were answered 200 and not stored"
    if stored.same_id_as:
        yield "same id as", f"{message_name(stored.same_id_as)}, with another body"
    if not stored.covered:
        yield "signature", "does not cover it: Segment signs the first message of a batch only"
    if says.problems:
        yield "invalid", f"{sentence(says.problems)}; only routes with invalid: true take it"
    yield "matched", ", ".join(stored.routes) or "no route when it arrived"


def pretty(body: bytes) -> str:
    """The JSON with every number as written; what cannot be laid out is shown as it is. Safe to print."""
    try:
        text = msgspec.json.format(body, indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = body.decode(errors="replace")
    return "\n".join(plain(line) for line in text.splitlines())


def _show_delivery(out: Console, delivery: Delivery, now_ms: int) -> None:
    name = route_name(delivery.route, delivery.replay)
    line = Text(f"{plain(name)}  ", style="bold").append(
        str(delivery.status), STYLES.get(delivery.status, "")
    )
    out.print(line.append(plain(_detail(delivery, now_ms)), "not bold"), soft_wrap=True)
    at_once = delivery.status is Status.DELIVERED and delivery.attempts == 1
    if not delivery.history or (at_once and not delivery.history[-1].did):
        return
    columns = ("attempt", "trigger", "result", "step", "started (UTC)", "ms")
    rows = map(_row, delivery.history)
    made = one_line_table(
        columns, rows, width=out.width - 2, flexible=("result", "step"), right=("attempt", "ms")
    )
    out.print(Padding(made, (0, 0, 0, 2)))
    if delivery.attempts > len(delivery.history):
        out.print(f"  The first {delivery.attempts - len(delivery.history)} attempts are not kept.")
    before = ""
    for attempt in delivery.history:
        if attempt.did:
            steps = f"attempt {attempt.number}: {', '.join(_did(attempt))}"
            out.print(Padding(Text(plain(steps)), (0, 0, 0, 4)))
        if attempt.error and attempt.error != before:
            _show_error(out, attempt)
        before = attempt.error


def _detail(delivery: Delivery, now_ms: int) -> str:
    if delivery.status is Status.HELD:
        return f": {delivery.error}"
    if delivery.status is Status.WAITING and delivery.due_ms:
        return f" after {delivery.code} for attempt {delivery.attempts + 1}: {full(delivery.due_ms, now_ms)}"
    if delivery.status is Status.DELIVERED and delivery.history:
        again = f" at attempt {delivery.attempts}" if delivery.attempts > 1 else ""
        return f"{again} in {delivery.history[-1].duration_ms} ms"
    if delivery.status in (Status.DEAD, Status.DROPPED):
        step = f" at step {delivery.step}" if delivery.step else ""
        return f": {delivery.code}{step}"
    return ""


def _row(attempt: Attempt) -> tuple[object, ...]:
    started = utc(attempt.started_ms).strftime("%m-%d %H:%M:%S")
    return (attempt.number, attempt.trigger, attempt.code, attempt.step, started, attempt.duration_ms)


def _did(attempt: Attempt) -> Iterator[str]:
    """What each of its steps did."""
    for step, what in attempt.did.items():
        yield f"{step} {what}" if what in ("ok", "skipped") else f"{step} went on after {what}"
    if attempt.step:
        yield f"{attempt.step} {attempt.code}"


def _show_error(out: Console, attempt: Attempt) -> None:
    lines = [plain(line) for line in attempt.error.splitlines()]
    out.print(Padding(Text(f"attempt {attempt.number}: " + "\n".join(lines)), (0, 0, 0, 4)))
