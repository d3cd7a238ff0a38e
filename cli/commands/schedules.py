"""The commands about the schedule document: apply."""

from pathlib import Path
from typing import Annotated

import typer

from cli.app import Context, run
from cli.errors import Exit


def register(app: typer.Typer) -> None:
    """Register them."""
    app.command()(apply)


def apply(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The schedule document, TOML.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; upload nothing.")
    ] = False,
    count: Annotated[
        int, typer.Option("--next", min=0, max=100, help="So many occurrences of each schedule.")
    ] = 3,
    empty: Annotated[
        bool, typer.Option("--empty", help="Take a document without schedules: it ends them all.")
    ] = False,
) -> None:
    """
    Validate a schedule document, show what changes, and put it in force.

    Example: recur apply schedules.toml
    """
    from cli.apply import apply_document  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        return apply_document(given, file, dry_run=dry_run, count=count, empty=empty)

    run(context, command)
