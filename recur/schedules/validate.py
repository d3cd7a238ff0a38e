"""`recur validate` and `recur schema`: what can be said of a document without a deployment."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.document.keys import json_schema
from recur.app import Context
from recur.errors import Exit
from recur.progress import progress
from recur.schedules.files import read_file, valid
from recur.schedules.lint import lint, told


def validate_document(given: Context, file: Path) -> Exit:
    """
    Say what is wrong with a document and what may not be meant.

    Raises:
        CliError: It cannot be read, or something is wrong with it.
    """
    text = read_file(file)
    document = valid(text, file, f"correct it, then: recur validate {file}")
    with progress(given.output, "looking ahead", len(document.schedules)) as advance:
        notes = lint(text, document, datetime.now(UTC), advance=advance)
    given.output.say(f"{file} is valid: {len(document.schedules)} schedule(s)")
    for line in told(notes):
        given.output.say(line)
    given.output.result(
        {
            "valid": True,
            "schedules": list(document.schedules),
            "notes": [asdict(note) for note in notes],
        }
    )
    return Exit.DONE


def show_schema(given: Context) -> Exit:
    """Print the JSON Schema of a document; it is one JSON document either way."""
    schema = json_schema()
    given.output.say(json.dumps(schema, indent=2))
    given.output.result(schema)
    return Exit.DONE
