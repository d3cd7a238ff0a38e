"""`recur schema`: the JSON Schema of the schedule document."""

import json

import typer

from orchestrator.document.keys import json_schema
from recur.context import Context, run
from recur.errors import Exit


def command(context: typer.Context) -> None:
    """
    Print the JSON Schema of the schedule document, for editors.

    In an editor with taplo or Even Better TOML, a first line `#:schema ./schedules.schema.json`
    in the document makes it complete keys and mark mistakes.

    Example: recur schema > schedules.schema.json
    """
    run(context, show_schema)


def show_schema(given: Context) -> Exit:
    """Print the JSON Schema of a document; it is one JSON document either way."""
    schema = json_schema()
    for line in json.dumps(schema, indent=2).splitlines():
        given.output.say(line)
    given.output.result(schema)
    return Exit.DONE
