"""`recur import`: the schedules of another system's file, as tables of a document."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.importing.files import KNOWN, read_imported
from recur.importing.tables import checked, document_text, with_ids
from recur.schedules.document_file import read_text


def command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file; - reads standard input.")],
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="The zone of schedules that name none. Default: UTC."),
    ] = None,
    with_user: Annotated[
        bool, typer.Option("--with-user", help="A crontab whose sixth field is a user.")
    ] = False,
) -> None:
    """
    Print the schedules of another system's file as tables of a document, with what changes.

    It reads a crontab, a CronJob of Kubernetes in YAML or JSON, a schedule or rule of EventBridge
    and a trigger of Data Factory, and needs no deployment. Nothing is applied. Exit code 1: some
    of them have no equivalent, and are comments that say why.

    Example: recur import crontab.txt --time-zone Europe/Paris > schedules.toml

    Example: crontab -l | recur import - > schedules.toml
    """
    run(context, lambda given: import_file(given, file, time_zone, with_user=with_user))


def import_file(given: Context, file: Path, time_zone: str | None, *, with_user: bool) -> Exit:
    """
    Print the schedules of a file as tables of a document.

    Returns:
        FOUND if some of them have no equivalent.

    Raises:
        CliError: The file cannot be read, or has no schedules.
    """
    if time_zone:
        try:
            check_zone(time_zone)
        except ScheduleSyntaxError as error:
            raise CliError(Exit.USAGE, f"--time-zone: {error}") from error
    from_input = str(file) == "-"
    text = _standard_input() if from_input else read_text(file, f"name {KNOWN}")
    try:
        imported = read_imported(
            text, now=datetime.now(UTC), time_zone=time_zone, with_user=with_user
        )
    except CliError as error:
        raise CliError(error.code, f"{file}: {error.message}", error.next_step) from error
    if not imported.tables:
        raise CliError(Exit.REFUSED, f"{file}: no schedule is found in it", f"name {KNOWN}")
    tables = checked(with_ids(imported.tables))
    written = document_text(imported, tables, "standard input" if from_input else file.name)
    for line in written.splitlines():
        given.output.say(line)
    given.output.result(
        {
            "system": imported.system,
            "document": written,
            "schedules": [
                {
                    "schedule": one.name,
                    "source": one.source,
                    "changes": list(one.comments),
                    "refused": one.refused,
                }
                for one in tables
            ],
        }
    )
    return Exit.FOUND if any(one.refused for one in tables) else Exit.DONE


def _standard_input() -> str:
    """
    Return what stands on standard input.

    Raises:
        CliError: It is not UTF-8.
    """
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"standard input is not UTF-8, at byte {error.start}"
        raise CliError(Exit.REFUSED, message, "convert it to UTF-8") from error
