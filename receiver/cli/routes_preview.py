"""`hookyard routes preview`: what a route of routes.yaml would have taken of what is stored."""

import click

from receiver.cli.console import console, plain, print_json, progress, table
from receiver.cli.listing import print_list
from receiver.cli.lookup import open_store
from receiver.cli.project import here
from receiver.cli.selecting import by_time
from receiver.cli.times import full
from receiver.cli.views import brief
from receiver.core.clock import SYSTEM
from receiver.core.findings import suggestion
from receiver.core.message import StoredMessage
from receiver.core.reading import Store
from receiver.core.route_preview import RoutePreview, preview_route
from receiver.core.routes import Config
from receiver.core.routes_file import load
from receiver.core.selection import Selection


@click.command()
@click.argument("name")
@by_time
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def preview(name: str, since: int | None, until: int | None, as_json: bool) -> None:
    """Say what the route NAME would have taken of the stored messages.

    By routes.yaml as it is here, which nobody needs to serve yet; that the route or a source is switched off
    does not count. Without --since it goes through everything that is kept.
    """
    project = here()
    config = load(project.settings.routes, project.environ)
    if name not in config.routes:
        raise click.UsageError(f"routes.yaml has no route {name}{suggestion(name, config.routes)}")
    with open_store() as store:
        answer = _look(store, config, name, Selection(since_ms=since, until_ms=until))
    if as_json:
        print_json(_as_json(name, answer))
    else:
        _print(name, answer)


def _look(store: Store, config: Config, name: str, wanted: Selection) -> RoutePreview:
    first = 1 if wanted.since_ms is None else store.number_since(wanted.since_ms)
    last = store.last_number() if wanted.until_ms is None else store.number_since(wanted.until_ms) - 1
    answer = RoutePreview()
    with progress() as bar:
        task = bar.add_task("Looking", total=max(0, last - first + 1))
        for answer in preview_route(store, config, name, wanted):
            bar.update(task, completed=answer.looked)
    return answer


def _as_json(name: str, answer: RoutePreview) -> dict[str, object]:
    return {
        "route": name,
        "messages": answer.looked,
        "matched": answer.matched,
        "samples": [message.id for message in answer.taken],
        "left_out": [{"id": message.id, "reason": reason} for message, reason in answer.left_out],
    }


def _print(name: str, answer: RoutePreview) -> None:
    out = console()
    messages = f"{answer.looked:,} message{'' if answer.looked == 1 else 's'}"
    out.print(f"{plain(name)} would have matched {answer.matched:,} of {messages}.", soft_wrap=True)
    if answer.taken:
        out.print("\nThe latest it takes:\n")
        rows = [(message.id, *_said(message)) for message in answer.taken]
        print_list(("id", "message", "received"), rows, flexible=("message",))
    if answer.left_out:
        out.print("\nThe latest it does not take:\n")
        reasons = [(message.id, brief(message.body).title, reason) for message, reason in answer.left_out]
        out.print(table(("id", "message", "because"), reasons))


def _said(message: StoredMessage) -> tuple[str, str]:
    return brief(message.body).title, full(message.received_ms, SYSTEM.now_ms())
