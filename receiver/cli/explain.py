"""`hookyard explain ID`: why a route takes a message, or does not."""

from typing import Any

import click

from receiver.cli.console import console, plain, table
from receiver.cli.fql_option import described
from receiver.cli.lookup import message_named, open_store
from receiver.cli.project import here
from receiver.core import exact_json
from receiver.core.message import StoredMessage
from receiver.core.routes_file import load
from receiver.core.today import Today, seen


@click.command()
@click.argument("name", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def explain(name: str, as_json: bool) -> None:
    """Say of each route whether it takes a message, and why not.

    ID is msg_17, 17 or a messageId. Judged by routes.yaml as it is now; beside that stands whether the route
    took the message when it arrived.
    """
    project = here()
    config = load(project.settings.routes, project.environ)
    with open_store() as store:
        stored = message_named(store, name)
    verdicts = Today(config).explain(stored)
    if as_json:
        routes = [
            {
                "route": one.route,
                "matched": one.matched,
                "then": one.route in stored.routes,
                "reason": one.reason,
                "where": described(one.where),
            }
            for one in verdicts
        ]
        click.echo(exact_json.dumps({"id": stored.id, **_facts(stored), "routes": routes}))
        return
    out = console()
    facts = _facts(stored)
    facts["invalid"] = ", ".join(facts["invalid"])
    said = ", ".join(f"{what} {value}" for what, value in facts.items() if value)
    out.print(plain(f"{stored.id}: {said}"))
    if not verdicts:
        out.print("routes.yaml has no routes.")
        return
    rows = (
        (one.route, "yes" if one.matched else "no", "yes" if one.route in stored.routes else "no", one.reason)
        for one in verdicts
    )
    out.print(table(("route", "takes it", "took it", "because"), rows))
    gone = [route for route in stored.routes if route not in config.routes]
    if gone:
        out.print(plain(f"It also went to {', '.join(gone)}, not in routes.yaml any more."), soft_wrap=True)


def _facts(stored: StoredMessage) -> dict[str, Any]:
    """What filters look at."""
    found = seen(stored)
    return {
        "source": stored.source,
        "path": stored.path,
        "type": found and found.type,
        "event": found and found.event,
        "channel": found and str(found.channel),
        "invalid": list(found.problems) if found else [],
    }
