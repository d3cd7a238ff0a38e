"""What the ledger says of schedules and open runs, so that a slip of the hand is told at once."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import first_line, reply_date
from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError, RecordUnreadable, ScheduleSyntaxError
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState, load_submit
from orchestrator.timing.zones import parse_zone
from recur.errors import CliError, Exit


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    What the ledger says of schedules.

    Attributes:
        state: The content of submit.json; None if there is none, or none that can be read.
        document: The document in force; None likewise.
        doubts: Why one of them cannot be read, in words.
        now: When storage was asked, by its clock.
    """

    state: SubmitState | None
    document: Document | None
    doubts: tuple[str, ...]
    now: datetime

    def schedule(self, schedule: ScheduleId) -> ScheduleState | None:
        """Return the state of a schedule, if submit.json has it."""
        return self.state.schedules.get(schedule) if self.state else None


def read_snapshot(ledger: ContainerClient) -> Snapshot:
    """
    Read submit.json and the document in force; one that cannot be read is a doubt, not an error.

    Raises:
        CliError: There is no such container.
    """
    document_data, _ = _read_blob(ledger, ids.DOCUMENT)
    state_data, now = _read_blob(ledger, ids.SUBMIT_STATE)
    state, document = None, None
    doubts: list[str] = []
    try:
        state = load_submit(state_data) if state_data else None
    except RecordUnreadable as error:
        doubts.append(first_line(error))
    try:
        document = parse(document_data.decode("utf-8-sig")) if document_data else None
    except (UnicodeDecodeError, DocumentError) as error:
        doubts.append(f"{ids.DOCUMENT} cannot be read: {first_line(error)}")
    return Snapshot(state=state, document=document, doubts=tuple(doubts), now=now)


def schedule_ids(snapshot: Snapshot) -> list[ScheduleId]:
    """Return the ids of the schedules that there are, sorted."""
    states = snapshot.state.schedules if snapshot.state else {}
    found = {id_ for id_, one in states.items() if not one.removed}
    if snapshot.document:
        found |= {*snapshot.document.schedules, *snapshot.document.invalid}
    return sorted(found)


def check_schedule(snapshot: Snapshot, text: str, removed: Iterable[ScheduleId] = ()) -> ScheduleId:
    """
    Return the id of a schedule, also of one that only cannot be told to exist.

    Args:
        snapshot: What is in force.
        text: As it was typed.
        removed: Schedules of the past that may be meant as well.

    Raises:
        CliError: There is none of this id, or it is that of a run; the message has those that are
            meant perhaps.
    """
    there = schedule_ids(snapshot)
    if text not in there and ids.parse_run_id(text):
        message = f"{text} is the id of a run, not of a schedule"
        raise CliError(Exit.REFUSED, message, f"recur show {text}")
    if text in there or (snapshot.doubts and ids.SCHEDULE_ID.fullmatch(text)):
        return ScheduleId(text)
    if not there:
        raise CliError(Exit.REFUSED, "no schedule is in force", "recur apply FILE")
    if snapshot.schedule(ScheduleId(text)):
        raise CliError(
            Exit.REFUSED,
            f"schedule {text!r} was removed from the document",
            "apply a document that contains it: recur apply FILE",
        )
    raise CliError(
        Exit.REFUSED,
        f"there is no schedule {text!r}",
        did_you_mean(text, sorted({*there, *removed}))
        or f"there are: {', '.join(there[:10])}{', ...' * (len(there) > 10)}",  # noqa: PLR2004
    )


def zone_of(snapshot: Snapshot, schedule: ScheduleId) -> tzinfo | None:
    """Return the zone of a schedule's wall times; None if nothing tells it."""
    recurrences = []
    if snapshot.document and schedule in snapshot.document.schedules:
        recurrences.append(snapshot.document.schedules[schedule].recurrence)
    state = snapshot.schedule(schedule)
    if state:
        recurrences += [one.recurrence for one in reversed(state.timings) if one.recurrence]
    try:
        return parse_zone(recurrences[0].time_zone) if recurrences else None
    except ScheduleSyntaxError:
        return None


def open_run_ids(ledger: ContainerClient, begin: str = "") -> Iterator[RunId]:
    """Yield the ids of the runs that have not ended and begin with ``begin``."""
    for name in ledger.list_blob_names(name_starts_with=f"{ids.OPEN_PREFIX}{begin}"):
        if run := ids.open_run_id(str(name)):
            yield run


def did_you_mean(text: str, there: Iterable[str]) -> str | None:
    """
    Return a question with what is written nearly like ``text``; None if nothing is.

    For a run id it is runs of the same schedule, or failing those of one that is written nearly so.
    """
    names = list(there)
    if parsed := ids.parse_run_id(text):
        names = _runs_near(parsed[0], names)
    close = difflib.get_close_matches(text, names, n=3, cutoff=0.6)
    return f"did you mean {' or '.join(close)}?" if close else None


def _runs_near(schedule: ScheduleId, names: Iterable[str]) -> list[str]:
    """Return the runs of the schedule that is meant, since times alone are alike everywhere."""
    runs = [(name, one[0]) for name in names if (one := ids.parse_run_id(name))]
    there = {one for _, one in runs}
    near = [schedule] if schedule in there else difflib.get_close_matches(schedule, there, n=1)
    return [name for name, one in runs if one in near]


def _read_blob(ledger: ContainerClient, name: str) -> tuple[bytes | None, datetime]:
    dates: list[datetime] = []

    def note(reply: Any) -> None:  # noqa: ANN401 - the client's own hook
        dates.append(reply_date(reply))

    try:
        data = ledger.download_blob(name, raw_response_hook=note).readall()
    except ResourceNotFoundError as error:
        check_container(ledger, error)
        return None, dates[0] if dates else datetime.now(UTC)
    return data, dates[0]


def check_container(ledger: ContainerClient, missing: ResourceNotFoundError) -> None:
    """
    Tell a blob that is not there from a container that is not.

    Raises:
        CliError: It is the container.
    """
    if getattr(missing, "error_code", None) == "ContainerNotFound":
        raise CliError(
            Exit.FOUND,
            f"there is no container {ledger.container_name!r}",
            "deploy infra/core first (docs/deploy.md)",
        ) from missing
