"""`recur apply`: validate a schedule document, show what changes, put it in force."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from pydantic import TypeAdapter

from cli.app import Context
from cli.errors import CliError, Exit
from cli.output import Output
from orchestrator import naming
from orchestrator.document import Document, parse
from orchestrator.errors import DocumentError
from orchestrator.model import Schedule, Timing
from orchestrator.schedule import occurrences, parse_zone
from orchestrator.words import ScheduleId

_HORIZON = timedelta(days=366 * 2)
_SCHEDULE = TypeAdapter(Schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    What becomes of one schedule.

    Attributes:
        schedule: Its id.
        kind: added, changed, removed or unchanged.
        keys: For a changed one: key, old and new value.
    """

    schedule: ScheduleId
    kind: str
    keys: tuple[tuple[str, str, str], ...] = ()


def apply_document(
    given: Context, file: Path, *, dry_run: bool, count: int, empty: bool = False
) -> Exit:
    """
    Put a document in force, if it is valid throughout.

    Raises:
        CliError: It cannot be read, it is invalid, or somebody changed the one in force meanwhile.
    """
    text = _read(file)
    document = _valid(text, str(file))
    if not document.schedules and not empty:
        raise CliError(
            Exit.REFUSED,
            f"{file} holds no schedule: it would end them all",
            "pause them by paused = true; or, to end them all, apply it with --empty",
        )
    ledger = given.target().ledger()
    before, in_force, etag = _in_force(ledger)
    changes = tuple(_changes(before, document))
    now = datetime.now(UTC)
    coming = {id_: _next(schedule, now, count) for id_, schedule in document.schedules.items()}
    _show(given.output, changes, document, coming)
    changed = in_force != text.encode()
    if changed and not dry_run:
        put_in_force(ledger, text, etag)
    given.output.say(_conclusion(changed=changed, dry_run=dry_run))
    given.output.result(
        {
            "applied": changed and not dry_run,
            "changes": [asdict(change) for change in changes],
            "next": coming,
        }
    )
    return Exit.DONE


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CliError(Exit.REFUSED, f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CliError(Exit.REFUSED, f"{file} is not UTF-8, at byte {error.start}") from error


def _valid(text: str, name: str) -> Document:
    """Return the document, or refuse it with every problem at once."""
    try:
        document = parse(text)
        problems: Sequence[str] = [str(problem) for problem in document.problems]
    except DocumentError as error:
        raise CliError(Exit.REFUSED, _problems(name, error.problems)) from error
    if problems:
        raise CliError(Exit.REFUSED, _problems(name, problems), f"correct {name}, apply it again")
    return document


def _problems(name: str, problems: Sequence[str]) -> str:
    lines = "".join(f"\n  {problem}" for problem in problems)
    return f"{name} is refused, {len(problems)} problem(s):{lines}"


def _in_force(ledger: ContainerClient) -> tuple[Document | None, bytes | None, str | None]:
    """Return the document in force, its bytes and its ETag; a broken one has no schedules."""
    try:
        blob = ledger.download_blob(naming.DOCUMENT)
        data, etag = blob.readall(), str(blob.properties.etag)
    except ResourceNotFoundError as error:
        if getattr(error, "error_code", None) == "ContainerNotFound":
            raise CliError(
                Exit.FOUND,
                f"there is no container {ledger.container_name!r}",
                "deploy infra/core first; docs/deploy.md has the order",
            ) from error
        return None, None, None
    try:
        return parse(data.decode("utf-8-sig")), data, etag
    except (UnicodeDecodeError, DocumentError):
        return None, data, etag


def _changes(before: Document | None, after: Document) -> Iterator[Change]:
    old = before.schedules if before else {}
    for id_ in sorted({*old, *after.schedules, *(before.invalid if before else ())}):
        if id_ not in after.schedules:
            yield Change(schedule=id_, kind="removed")
        elif id_ not in old:
            yield Change(schedule=id_, kind="added")
        else:
            keys = tuple(_differences(old[id_], after.schedules[id_]))
            yield Change(schedule=id_, kind="changed" if keys else "unchanged", keys=keys)


def _differences(old: Schedule, new: Schedule) -> Iterator[tuple[str, str, str]]:
    """Yield what differs, key by key, spelt as in the document."""
    before, after = _flat(old), _flat(new)
    for key, value in after.items():
        if value != before[key]:
            yield key, before[key], value


def _flat(schedule: Schedule) -> dict[str, str]:
    values = _SCHEDULE.dump_python(schedule, mode="json")
    inner = values.pop("catch_up")
    calendar = values.pop("calendar")
    values |= {"cron": " ".join(calendar["cron"]), "time_zone": calendar["time_zone"]}
    return {
        key: json.dumps(value, ensure_ascii=False)
        for key, value in (values | {f"catch_up.{key}": one for key, one in inner.items()}).items()
    }


def _next(schedule: Schedule, now: datetime, count: int) -> list[dict[str, Any]]:
    """Return the next occurrences: wall time with offset, and UTC."""
    zone = parse_zone(schedule.calendar.time_zone)
    begin = max(now, schedule.start - timedelta(seconds=1)) if schedule.start else now
    timing = Timing(since=begin, calendar=schedule.calendar)
    found = occurrences(timing, after=begin, until=begin + _HORIZON)
    return [
        {"local": one.nominal.astimezone(zone).isoformat(), "utc": one.nominal}
        for one in islice((one for one in found if one.exists), count)
    ]


def _show(
    output: Output,
    changes: Sequence[Change],
    document: Document,
    coming: dict[ScheduleId, list[dict[str, Any]]],
) -> None:
    for change in changes:
        output.say(f"{change.schedule}: {change.kind}")
        for key, old, new in change.keys:
            output.say(f"  {key}: {old} -> {new}")
        schedule = document.schedules.get(change.schedule)
        times = [one["local"] for one in coming.get(change.schedule, [])]
        if schedule and times:
            output.say(f"  next: {'paused' if schedule.paused else ', '.join(times)}")


def _conclusion(*, changed: bool, dry_run: bool) -> str:
    if not changed:
        return "nothing to change: this document is in force"
    return "a dry run: nothing was uploaded" if dry_run else "applied; the next tick takes it over"


def put_in_force(ledger: ContainerClient, text: str, etag: str | None) -> None:
    """
    Replace the document that was compared with, and no other.

    Args:
        ledger: The container.
        text: The new document.
        etag: Of the one that was compared with; None if there was none.

    Raises:
        CliError: Somebody else put another one in force meanwhile.
    """
    condition: dict[str, Any] = (
        {"etag": etag, "match_condition": MatchConditions.IfNotModified, "overwrite": True}
        if etag
        else {"overwrite": False}
    )
    try:
        ledger.upload_blob(naming.DOCUMENT, text.encode(), **condition)
    except (ResourceModifiedError, ResourceExistsError) as error:
        raise CliError(
            Exit.CONFLICT,
            "somebody else applied a document in the meantime; nothing was uploaded",
            "apply again: the changes are then shown against theirs",
        ) from error
