"""`recur validate`: what can be said of a document without a deployment."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import typer

from recur.arguments import File
from recur.context import Context, run
from recur.errors import Exit
from recur.lint.document_notes import lint, note_lines
from recur.progress import progress
from recur.schedules.document_file import read_file, valid_document


def command(context: typer.Context, file: File) -> None:
    """
    Check a schedule document: list every problem (exit code 3) and every probable mistake.

    It needs no deployment. Notes on probable mistakes do not change the exit code.

    Example: recur validate schedules.toml
    """
    run(context, lambda given: validate_document(given, file))


def validate_document(given: Context, file: Path) -> Exit:
    """
    Say what is wrong with a document and what may not be meant.

    Raises:
        CliError: It cannot be read, or something is wrong with it.
    """
    text = read_file(file)
    document = valid_document(text, file, f"correct it, then: recur validate {quote(str(file))}")
    with progress(given.output, "looking ahead", len(document.schedules)) as advance:
        notes = lint(text, document, datetime.now(UTC), advance=advance)
    given.output.say(f"{file} is valid: {len(document.schedules)} schedule(s)")
    for line in note_lines(notes):
        given.output.say(line)
    given.output.result(
        {
            "valid": True,
            "schedules": list(document.schedules),
            "notes": [asdict(note) for note in notes],
        }
    )
    return Exit.DONE
