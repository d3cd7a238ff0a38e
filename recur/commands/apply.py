"""`recur apply`: validate a schedule document, show what changes, put it in force."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError
from orchestrator.ids import ScheduleId
from orchestrator.ledger.versions import NOTE_BYTES, encoded_size
from orchestrator.model import Schedule
from orchestrator.passes import Application
from orchestrator.timing.zones import parse_zone
from recur.arguments import By
from recur.arguments import Note as NoteOption
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import Snapshot, check_container, open_run_ids, read_snapshot
from recur.lint.document_notes import lint, note_lines
from recur.lint.notes import Note
from recur.output import Printer
from recur.progress import progress
from recur.requests.options import RequestOptions
from recur.role_waiting import RoleWait
from recur.roles import missing_on_storage, storage_role
from recur.schedules.awaited_versions import with_awaited_versions, with_departed
from recur.schedules.catching_up import CatchingUp, catching_up, lines
from recur.schedules.consequences import (
    consequences,
    named,
    with_open_runs,
    with_pauses,
    with_renames,
)
from recur.schedules.document_changes import Change, changes, price_changes
from recur.schedules.document_file import read_file, valid_document
from recur.schedules.moves import confirm_moves, moves_over_now
from recur.schedules.next_lines import next_lines
from recur.schedules.put_in_force import open_ledger, put_in_force
from recur.schedules.table_merge import merge_tables
from recur.schedules.upcoming import next_due
from recur.schedules.version_blobs import read_version
from recur.target import Target


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="The schedule document, a TOML file.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; upload nothing.")
    ] = False,
    count: Annotated[
        int,
        typer.Option(
            "--next", min=0, max=100, help="How many occurrences of each schedule to show."
        ),
    ] = 3,
    empty: Annotated[
        bool,
        typer.Option(
            "--empty", help="Accept a document without schedules, which ends all schedules."
        ),
    ] = False,
    moved: Annotated[
        bool,
        typer.Option(
            "--moved",
            help="Accept, without asking, that holidays move occurrences past the present.",
        ),
    ] = False,
    wait: Annotated[
        int, typer.Option(min=0, help="How many seconds to wait for a newly assigned role.")
    ] = 0,
    remove: Annotated[
        bool,
        typer.Option(
            "--remove", help="Remove schedules that FILE does not contain, without asking."
        ),
    ] = False,
    only: Annotated[
        bool,
        typer.Option("--only", help="Replace or add only the schedules of FILE; keep all others."),
    ] = False,
    revert: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Apply version N again, instead of a file."),
    ] = None,
    note: NoteOption = None,
    by: By = None,
) -> None:
    """
    Validate a schedule document, show what changes, and apply it.

    An invalid document is refused with all its problems (exit code 3), and nothing is uploaded. If
    someone else applies a document at the same time, the second one is refused (exit code 4). Each
    applied document becomes a version: `recur document --log` lists them.

    Before it removes schedules, it asks; without a terminal it needs --remove. With --only it
    replaces or adds the tables [schedules.<id>] of FILE in the document in force, and keeps every
    other line; the [defaults] in force apply to them.

    Example: recur apply schedules.toml --dry-run
    """
    if (file is None) == (revert is None):
        raise typer.BadParameter("name a FILE, or a version by --revert")
    if only and (revert is not None or remove or empty):
        raise typer.BadParameter("--only takes a FILE and removes nothing")

    def put(given: Context) -> Exit:
        limit = timedelta(seconds=wait)
        why = _why(by, note, revert)
        what = file if revert is None else revert
        assert what is not None, "one of them is given"  # noqa: S101
        return apply_document(
            given,
            what,
            why,
            dry_run=dry_run,
            count=count,
            empty=empty,
            remove=remove,
            only=only,
            moved=moved,
            wait=limit,
        )

    run(context, put)


def apply_document(  # noqa: PLR0913 - one argument for each option
    given: Context,
    what: Path | int,
    why: RequestOptions,
    *,
    dry_run: bool,
    count: int,
    empty: bool,
    moved: bool,
    remove: bool,
    only: bool,
    wait: timedelta,
) -> Exit:
    """
    Put a document in force, if it is valid throughout.

    Args:
        given: Where, and where to speak.
        what: A file, or the number of a version.
        why: Who applies it, and why.
        dry_run: Whether to change nothing.
        count: How many occurrences of each schedule to show.
        empty: Whether it may be without schedules.
        moved: Whether holidays may move occurrences over the present.
        remove: Whether schedules in force that it lacks are removed without asking.
        only: Whether its schedules replace those in force, and all others stay.
        wait: How long for a role.

    Raises:
        CliError: It cannot be read, it is invalid, somebody changed the one in force meanwhile,
            or the role is still missing after ``wait``.
    """
    source = _source(given, what)
    data, text = source.data, source.data.decode("utf-8-sig")
    document = None if only else _checked(text, source.file, source.next_step, empty=empty)
    target = given.target()
    ledger = LedgerCalls(target, target.ledger(), RoleWait(given.output.progress, wait))
    before, in_force, etag = ledger.call(_read_in_force)
    shown, kept = None, list[str]()
    if document is None:
        text, shown, kept = _merged(in_force, text, source.file)
        data = text.encode()
        document = _checked(text, source.file, source.next_step, empty=empty)
    if before is None and in_force is not None:
        before = _known_by_ticks(given.output, ledger)
    found = _with_consequences(ledger, before, document)
    notes, coming = _look_ahead(given.output, text, document, count)
    snapshot = ledger.call(read_snapshot)
    changed_schedules = [one for one in found if _is_shown(one, shown)]
    _show_changes(given, changed_schedules, document, snapshot, count)
    past = ledger.call(lambda container: _catching_up(container, snapshot, etag, document))
    for line in lines(past, document, given.zone):
        given.output.say(line)
    prices = price_changes(before, document)
    for key, (old, new) in prices.items():
        given.output.say(f"prices.{key}: {old} -> {new}")
    _show_notes(
        given.output,
        notes,
        frozenset(one.schedule for one in found if one.kind != "unchanged"),
        prices,
    )
    changed = in_force != data
    moves = moves_over_now(before, document, datetime.now(UTC))
    confirm_moves(given.output, moves, accepted=moved or dry_run)
    version = None
    if changed and not dry_run:
        if not (remove or empty):
            _confirm_removal(given.output, found)
        application = Application(data=data, by=why.by, note=why.note)
        version = ledger.call(
            lambda _: put_in_force(partial(open_ledger, target), application, etag)
        )
    for line in kept:
        given.output.say(line)
    given.output.say(_conclusion(version, changed=changed))
    given.output.result(
        {
            "applied": version is not None,
            "version": version,
            "changes": [asdict(change) for change in found],
            "prices": [(key, *both) for key, both in prices.items()],
            "moves": [asdict(move) for move in moves],
            "next": coming,
            "past": {id_: asdict(one) for id_, one in past.items()},
            "notes": [asdict(note) for note in notes],
        }
    )
    return Exit.DONE


def _checked(text: str, file: Path, next_step: str, *, empty: bool) -> Document:
    """
    Return the document in a text.

    Raises:
        CliError: It is invalid, or holds no schedule although it must.
    """
    document = valid_document(text, file, next_step)
    if not document.schedules and not empty:
        raise CliError(
            Exit.REFUSED,
            f"{file} holds no schedule: it would end them all",
            "pause them by paused = true; or, to end them all, apply it with --empty",
        )
    return document


def _merged(
    in_force: bytes | None, text: str, file: Path
) -> tuple[str, frozenset[str] | None, list[str]]:
    """
    Return the document in force with the schedules of a file, which those are, and what is kept.

    Raises:
        CliError: They cannot be put together.
    """
    if in_force is None:
        return text, None, []
    try:
        merged = merge_tables(in_force.decode("utf-8-sig"), text, file)
    except UnicodeDecodeError as error:
        message = f"the document in force is not UTF-8, at byte {error.start}: --only keeps it"
        raise CliError(Exit.REFUSED, message, "apply a whole document") from error
    kept = ["all schedules that the file does not hold stay as they are"]
    if merged.inherits:
        kept.append(
            "what the tables of the file do not give, they inherit from [defaults] in force"
        )
    return merged.text, merged.schedules, kept


def _is_shown(change: Change, wanted: frozenset[str] | None) -> bool:
    return wanted is None or change.schedule in wanted or change.kind != "unchanged"


def _with_consequences(
    ledger: "LedgerCalls", before: Document | None, after: Document
) -> tuple[Change, ...]:
    """Return what becomes of each schedule, with new names and open runs of what is removed."""
    found = with_renames(tuple(changes(before, after)), before, after)
    if all(one.kind != "removed" for one in found):
        return found
    found = with_open_runs(found, ledger.call(lambda container: [*open_run_ids(container)]))
    if all(one.renamed_from is None for one in found):
        return found
    snapshot = ledger.call(read_snapshot)
    return with_pauses(found, snapshot.state.schedules if snapshot.state else {}, snapshot.now)


def _confirm_removal(output: Printer, found: Sequence[Change]) -> None:
    """
    Ask whether schedules in force are to be removed, if some are.

    Raises:
        CliError: The answer is no, or there is nobody to ask.
    """
    removed = [one for one in found if one.kind == "removed"]
    if not removed:
        return
    names = named(
        [
            f"{one.schedule} (open: {named(one.open_runs)})" if one.open_runs else one.schedule
            for one in removed
        ]
    )
    if output.as_json or not sys.stdin.isatty():
        raise CliError(
            Exit.USAGE,
            f"this would remove {len(removed)} schedule(s) in force: {names}; nothing was applied",
            "add --remove, or --only to leave them as they are; --dry-run shows all changes",
            details={"changes": [asdict(change) for change in found]},
        )
    if not output.confirm(f"remove {len(removed)} schedule(s) in force: {names}?"):
        raise CliError(Exit.FOUND, "nothing was applied")


class LedgerCalls:
    """
    Calls of the ledger's container that wait for the role where a role opens it.

    A connection string holds a key or a signature: its refusals are raised at once.
    """

    def __init__(self, target: Target, container: ContainerClient, role_wait: RoleWait) -> None:
        """
        Prepare it.

        Args:
            target: Says whether a connection string opens the container.
            container: The ledger's.
            role_wait: Waits for the role.
        """
        self._container = container
        self._waits = not target.opens_storage_by_key
        self._missing = missing_on_storage(storage_role(str(container.account_name)))
        self._role_wait = role_wait

    def call[T](self, work: Callable[[ContainerClient], T]) -> T:
        """
        Return what ``work`` returns for the container.

        Raises:
            CliError: The role is still missing when the time is over.
        """
        if not self._waits:
            return work(self._container)
        return self._role_wait.call(lambda: work(self._container), self._missing)


def _catching_up(
    ledger: ContainerClient, snapshot: Snapshot, etag: str | None, document: Document
) -> dict[ScheduleId, CatchingUp]:
    """Return what becomes of the past once a document is in force, as far as it can be told."""
    if snapshot.state is None and snapshot.doubts:
        return {}
    state = with_awaited_versions(ledger, snapshot.state, etag)
    return catching_up(with_departed(ledger, state, document), document, snapshot.now)


def _read_in_force(ledger: ContainerClient) -> tuple[Document | None, bytes | None, str | None]:
    """Return the document in force, its bytes and its ETag; a broken one has no schedules."""
    try:
        blob = ledger.download_blob(ids.DOCUMENT)
        data, etag = blob.readall(), str(blob.properties.etag)
    except ResourceNotFoundError as error:
        check_container(ledger, error)
        return None, None, None
    try:
        return parse(data.decode("utf-8-sig")), data, etag
    except (UnicodeDecodeError, DocumentError):
        return None, data, etag


def _known_by_ticks(output: Printer, ledger: LedgerCalls) -> Document:
    """Return a document with the ids that ticks know, in place of one that cannot be read."""
    snapshot = ledger.call(read_snapshot)
    for doubt in snapshot.doubts:
        output.say(f"ignored: {doubt}")
    states = snapshot.state.schedules if snapshot.state else {}
    there = frozenset(id_ for id_, one in states.items() if not one.removed)
    return Document(schedules={}, invalid=there, problems=())


def _look_ahead(
    output: Printer, text: str, document: Document, count: int
) -> tuple[list[Note], dict[ScheduleId, list[dict[str, Any]]]]:
    """Return the notes on a document, and the next occurrences of each schedule."""
    now = datetime.now(UTC)
    with progress(output, "looking ahead", 2 * len(document.schedules)) as advance:
        notes = lint(text, document, now, advance=advance)
        coming: dict[ScheduleId, list[dict[str, Any]]] = {}
        for id_, schedule in document.schedules.items():
            coming[id_] = _next(schedule, now, count)
            advance(1)
    return notes, coming


def _next(schedule: Schedule, now: datetime, count: int) -> list[dict[str, Any]]:
    """Return the next occurrences: wall time with offset, and UTC."""
    zone = parse_zone(schedule.recurrence.time_zone)
    return [
        {"local": one.astimezone(zone).isoformat(), "utc": one}
        for one in next_due(schedule, now, count)
    ]


def _show_changes(
    given: Context,
    found: Sequence[Change],
    document: Document,
    snapshot: Snapshot,
    count: int,
) -> None:
    output = given.output
    for change in found:
        output.say(f"{change.schedule}: {change.kind}")
        for key, old, new in change.keys:
            output.say(f"  {key}: {old} -> {new}")
        for line in consequences(change, found):
            output.say(f"  {line}")
        if schedule := document.schedules.get(change.schedule):
            state = snapshot.schedule(change.schedule)
            pauses = state.pauses if state else ()
            for line in next_lines(schedule, snapshot.now, count, pauses=pauses, zone=given.zone):
                output.say(f"  {line}")


def _show_notes(
    output: Printer,
    notes: Sequence[Note],
    changed: frozenset[ScheduleId],
    prices: Mapping[str, object],
) -> None:
    """Show the notes on what changes; those on what stays are counted."""
    shown = [one for one in notes if (one.schedule in changed if one.schedule else prices)]
    for line in note_lines(shown):
        output.say(line)
    if left := len(notes) - len(shown):
        output.say(f"{left} note(s) on what does not change: recur validate shows them")


def _conclusion(version: int | None, *, changed: bool) -> str:
    if not changed:
        return "nothing to change: this document is in force"
    if version is None:
        return "a dry run: nothing was uploaded"
    return f"applied as version {version}; the next tick takes it over"


def _why(by: str | None, note: str | None, revert: int | None) -> RequestOptions:
    """Return who applies a document, and why; going back says to which version."""
    if note is None and revert is not None:
        note = f"back to version {revert}"
    why = RequestOptions.of(by, note, seconds=None)
    if why.note is not None and encoded_size(why.note) > NOTE_BYTES:
        raise CliError(Exit.USAGE, "--note is too long for the version's metadata", "shorten it")
    return why


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """
    What is to be applied.

    Attributes:
        data: The document, in UTF-8.
        file: Where it stands, for messages.
        next_step: What to do if it is wrong.
    """

    data: bytes
    file: Path
    next_step: str


def _source(given: Context, what: Path | int) -> _Source:
    """Read a file, or a version byte by byte."""
    if isinstance(what, Path):
        next_step = f"correct {what}, apply it again"
        return _Source(data=read_file(what).encode(), file=what, next_step=next_step)
    data = read_version(given.target().ledger(), what)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        message = f"version {what} is not UTF-8, at byte {error.start}"
        raise CliError(Exit.REFUSED, message, "recur document --log shows the others") from error
    next_step = f"recur document --version {what} > FILE, correct that, apply it"
    return _Source(data=data, file=Path(ids.version_blob(what)), next_step=next_step)
