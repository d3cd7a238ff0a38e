"""`recur import job-schedule`: read it, and hand it over."""

import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from recur.context import Context
from recur.errors import CliError, Exit
from recur.importing.hand_over import HandOver, Prospect, TakingOver
from recur.importing.handed_table import only_table
from recur.importing.job_schedule import read_job_schedule
from recur.importing.live_job_schedule import LiveJobSchedule, Seen
from recur.importing.printing import print_tables
from recur.importing.tables import document_text
from recur.requests.options import RequestOptions
from recur.schedules.document_file import read_text
from recur.target import Target


def import_job_schedule(given: Context, name: str) -> Exit:
    """
    Print a job schedule of the Batch account as the table of a document.

    Raises:
        CliError: There is none of this id.
    """
    target = given.target()
    with target.batch() as batch:
        seen = LiveJobSchedule(batch, name).look()
    imported, table = read_job_schedule(seen.content, now=seen.at, pool=_pool(target))
    return print_tables(given, imported, (table,), f"job schedule {name}")


def _pool(target: Target) -> str | None:
    return target.values.get("BATCH_POOL_ID", "").strip() or None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverOptions:
    """
    How a job schedule is handed over.

    Attributes:
        table: The file of the table; None: as it is imported.
        yes: Do not ask whether to.
        wait: For its active job.
    """

    table: Path | None = None
    yes: bool = False
    wait: timedelta = timedelta()


def hand_over_job_schedule(
    given: Context, name: str, options: HandOverOptions, why: RequestOptions
) -> Exit:
    """
    Disable a job schedule, and put its table in force.

    Raises:
        CliError: It cannot be done, nobody said yes, or it ended before its end.
    """
    target = given.target()
    with target.batch() as batch:
        live = LiveJobSchedule(batch, name)
        seen = live.look()
        table = only_table(*_text_of(target, seen, options.table))
        taking = TakingOver(table=table, why=why, wait=options.wait)
        steps = HandOver(
            target, live, taking, say=lambda line: given.output.progress.print(line, markup=False)
        )
        found = steps.check(seen)
        if isinstance(found, Prospect):
            if found.inherits:
                given.output.say("keys that the table does not set come from [defaults] in force")
            if not found.as_before:
                given.output.say(
                    f"schedule {table.schedule} is not due at the same times as job schedule {name}: its table differs"
                )
            if not options.yes:
                _confirm(given, name, table.schedule, found)
            done = steps.run()
            given.output.say(
                f"job schedule {name} is disabled; schedule {done.schedule} is in force (version {done.version})"
            )
        else:
            done = found
            given.output.say(
                f"job schedule {name} has been handed over to schedule {done.schedule}"
            )
    for moment in done.coming:
        given.output.say(f"  {moment:%Y-%m-%d %H:%M:%S}Z")
    if done.version and (past := _past_note(done.first, datetime.now(UTC))):
        given.output.say(past)
    given.output.result(asdict(done))
    return Exit.DONE


def _past_note(first: datetime, now: datetime) -> str | None:
    """Say what becomes of a first occurrence that is over."""
    if first.astimezone(UTC) > now:
        return None
    return (
        "it is in the past: the next tick decides it by catch_up, and later ones too; recur backfill runs what is "
        "recorded as missed"
    )


def _text_of(target: Target, seen: Seen, file: Path | None) -> tuple[str, Path]:
    """
    Return the document of the table that takes over, and where it stands.

    Raises:
        CliError: The file cannot be read, or the job schedule has no equivalent.
    """
    if file is not None:
        return read_text(
            file, "name a file with one table, made with recur import job-schedule"
        ), file
    imported, table = read_job_schedule(
        {**seen.content, "state": "active"}, now=seen.at, pool=_pool(target)
    )
    name = str(seen.content["id"])
    if table.refused is not None:
        message = f"job schedule {name} cannot be imported as it is: {table.refused}"
        raise CliError(
            Exit.REFUSED,
            message,
            f"recur import job-schedule {name} > FILE, correct it, then add --table FILE",
        )
    place = f"job schedule {name}"
    return document_text(imported, (table,), place), Path(place)


def _confirm(given: Context, name: str, schedule: str, found: Prospect) -> None:
    """
    Ask whether to hand over.

    Raises:
        CliError: The answer is no, or there is nobody to ask.
    """
    if given.output.as_json or not sys.stdin.isatty():
        message = f"this would disable job schedule {name} and apply schedule {schedule}"
        raise CliError(Exit.USAGE, message, "add --yes")
    begin = f"{found.first:%Y-%m-%d %H:%M:%S}Z"
    question = f"disable job schedule {name}, and apply schedule {schedule} from {begin} on?"
    if not given.output.confirm(question):
        raise CliError(Exit.FOUND, "nothing was changed")
