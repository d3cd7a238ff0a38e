"""`recur import`: the schedules of another system's file, as tables of a document."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from recur.arguments import By, Note
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.importing.files import KNOWN, read_imported
from recur.importing.job_schedule_import import (
    HandOverOptions,
    hand_over_job_schedule,
    import_job_schedule,
)
from recur.importing.printing import print_tables
from recur.importing.tables import checked, with_ids
from recur.requests.options import RequestOptions
from recur.schedules.document_file import read_text

JOB_SCHEDULE_USAGE = "recur import job-schedule NAME [--hand-over]"


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            help="The file; - for standard input. Or the word job-schedule, and a NAME."
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="After job-schedule: the id of the job schedule in the Batch account."),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE", help="The time zone of schedules that name none. Default: UTC."
        ),
    ] = None,
    with_user: Annotated[
        bool,
        typer.Option(
            "--with-user", help="The file is a system crontab, whose sixth field is a user."
        ),
    ] = False,
    hand_over: Annotated[
        bool,
        typer.Option("--hand-over", help="Disable the job schedule, and apply its table instead."),
    ] = False,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --hand-over: apply the table in this file, which you edited."
        ),
    ] = None,
    wait: Annotated[
        int,
        typer.Option(
            min=0, metavar="SECONDS", help="With --hand-over: the longest wait for its active job."
        ),
    ] = 0,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --hand-over: do not ask. Scripts need it.")
    ] = False,
    note: Note = None,
    by: By = None,
) -> None:
    """
    Translate the schedules of another system into a schedule document; note what changes.

    It reads a crontab, a Kubernetes CronJob (YAML or JSON), an EventBridge schedule or rule, or a
    Data Factory trigger, and needs no deployment. With job-schedule NAME it reads a job schedule of
    the Batch account. Nothing is applied. Exit code 1: some schedules have no equivalent; a comment
    says why.

    With --hand-over it disables the job schedule and applies the table, from the first time for
    which the job schedule has made no job. If it is interrupted, run the same command again.

    Example: recur import crontab.txt --time-zone Europe/Paris > schedules.toml

    Example: recur import job-schedule nightly --hand-over
    """
    options = HandOverOptions(table=table, yes=yes, wait=timedelta(seconds=wait))

    def read(given: Context) -> Exit:
        if name is None and str(file) == "job-schedule" and not file.exists():
            raise CliError(
                Exit.USAGE, "the name of the job schedule is missing", JOB_SCHEDULE_USAGE
            )
        if name is None:
            if hand_over or options != HandOverOptions():
                raise CliError(
                    Exit.USAGE,
                    "--hand-over, --table, --wait and --yes work only with a job schedule",
                    JOB_SCHEDULE_USAGE,
                )
            return import_file(given, file, time_zone, with_user=with_user)
        if str(file) != "job-schedule" or time_zone or with_user:
            raise CliError(Exit.USAGE, f"unexpected argument {name!r}", JOB_SCHEDULE_USAGE)
        if hand_over:
            return hand_over_job_schedule(
                given, name, options, RequestOptions.of(by, note, seconds=None)
            )
        return import_job_schedule(given, name)

    run(context, read)


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
        raise CliError(Exit.REFUSED, f"{file}: it contains no schedule", f"name {KNOWN}")
    tables = checked(with_ids(imported.tables))
    return print_tables(given, imported, tables, "standard input" if from_input else file.name)


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
