"""The schedule that a command is about: of a file, or in force."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError
from orchestrator.ids import ScheduleId
from orchestrator.model import Pause, Schedule
from recur.context import Context
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import Snapshot, check_schedule, did_you_mean, read_snapshot
from recur.schedules.document_file import read_file, refused_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    A schedule and what holds for it.

    Attributes:
        schedule: Its table.
        pauses: By operators and after failures; none for a file.
        now: By the clock of whoever was asked.
        place: Where the table stands, for messages.
        doubts: What could not be read, and is not taken into account.
    """

    schedule: Schedule
    pauses: tuple[Pause, ...]
    now: datetime
    place: str
    doubts: tuple[str, ...] = ()


def find_schedule(given: Context, id_: str, file: Path | None) -> Source:
    """
    Return a schedule of a file; without one, as it is in force.

    Raises:
        CliError: There is none of this id, or its table is invalid.
    """
    return _of_file(id_, file) if file else _source_in_force(given, id_)


def _of_file(id_: str, file: Path) -> Source:
    document = document_of_file(file)
    schedule = _table(document, ScheduleId(id_), str(file), f"recur validate {quote(str(file))}")
    return Source(schedule=schedule, pauses=(), now=datetime.now(UTC), place=str(file))


def document_of_file(file: Path) -> Document:
    """
    Return the document in a file; some of its tables may be invalid.

    Raises:
        CliError: It cannot be read, or decides nothing; the message has all its problems.
    """
    try:
        return parse(read_file(file), after=datetime.now(UTC))
    except DocumentError as error:
        raise refused_document(
            file, error.problems, f"recur validate {quote(str(file))}"
        ) from error


def document_in_force(snapshot: Snapshot) -> Document:
    """
    Return the document in force.

    Raises:
        CliError: There is none, or none that can be read.
    """
    if snapshot.document is None:
        raise CliError(
            Exit.FOUND, "; ".join(snapshot.doubts) or "no document is in force", "recur apply FILE"
        )
    return snapshot.document


def _source_in_force(given: Context, text: str) -> Source:
    snapshot = read_snapshot(given.target().ledger())
    id_ = check_schedule(snapshot, text)
    document = document_in_force(snapshot)
    state = snapshot.schedule(id_)
    return Source(
        schedule=_table(document, id_, "the document in force", "recur apply FILE"),
        pauses=state.pauses if state else (),
        now=snapshot.now,
        place="the document in force",
        doubts=snapshot.doubts,
    )


def _table(document: Document, id_: ScheduleId, place: str, next_step: str) -> Schedule:
    if schedule := document.schedules.get(id_):
        return schedule
    if id_ in document.invalid:
        wrong = [one for one in document.problems if one.schedule == id_ or one.in_defaults]
        raise CliError(
            Exit.REFUSED,
            f"the table of {id_!r} in {place} is invalid:",
            next_step,
            lines=[str(one) for one in wrong],
        )
    there = sorted(document.schedules)
    hint = did_you_mean(id_, there) or f"there are: {', '.join(there[:10]) or 'none'}"
    raise CliError(Exit.REFUSED, f"there is no schedule {id_!r} in {place}", hint)
