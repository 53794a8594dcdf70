"""`hookyard schema`: what an editor needs to check and complete routes.yaml."""

import json

import click

from receiver.core.routes_file import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of routes.yaml, for editors.

    With the YAML extension of most editors, `hookyard schema > routes.schema.json` and a first line
    `# yaml-language-server: $schema=routes.schema.json` in routes.yaml give completion and checks.
    """
    click.echo(json.dumps(json_schema(), indent=2))
