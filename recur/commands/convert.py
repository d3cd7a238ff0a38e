"""`recur convert`: a line of another scheduler in the keys of a schedule document."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from orchestrator.document.cron_hints import check_cron, normalised
from orchestrator.document.dialects.lines import kubernetes_cron, kubernetes_differs
from orchestrator.document.dialects.reading import Dialect, Reading
from orchestrator.document.dialects.recognition import readings
from orchestrator.document.parse import parse
from orchestrator.document.values import shown
from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.model import Schedule
from orchestrator.timing.occurrences import HORIZON
from orchestrator.timing.zones import parse_zone
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.importing.crontab import is_system_crontab, read_crontab
from recur.importing.tables import DST, checked, timing, with_ids
from recur.schedules.upcoming import next_due
from recur.times import parse_time

_SHOWN, _MOMENT = 3, timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Converted:
    """
    One meaning of a line.

    Attributes:
        dialect: Whose line it is, and how it is read.
        written: The keys that say the same, each with its value in TOML.
        lacks: Why there are none.
        changes: What will be different.
    """

    dialect: Dialect
    how: str
    written: tuple[tuple[str, str], ...]
    lacks: str | None
    changes: tuple[str, ...]

    def __str__(self) -> str:
        """Return the name of the dialect, and how a line of it is read."""
        return f"{self.dialect} ({self.how})" if self.how else str(self.dialect)

    def schedule(self) -> Schedule:
        """Return a schedule with these keys."""
        command = "" if "command" in dict(self.written) else "command = 'true'\n"
        table = "".join(f"{key} = {value}\n" for key, value in self.written)
        document = parse(f"[schedules.line]\n{command}{table}")
        assert not document.problems, document.problems  # noqa: S101 - they were checked
        return next(iter(document.schedules.values()))


def command(
    context: typer.Context,
    line: Annotated[str, typer.Argument(help="The schedule line, in quotes.")],
    time_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE", help="The other scheduler's time zone. Default: the line's, else UTC."
        ),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Show occurrences from this time on. Default: now."
        ),
    ] = None,
) -> None:
    """
    Translate a line of another scheduler, and show its next three occurrences.

    It knows EventBridge, Quartz, NCRONTAB, Kubernetes, Nomad, Go's cron, crontab and systemd's
    OnCalendar, and needs no deployment. Exit code 1: the line has two meanings, and both are
    shown. Exit code 3: there is no equivalent, or no known scheduler has such a line.

    Example: recur convert "0 0 2 ? * 2#1"

    Example: recur convert "cron(0 18 ? * MON-FRI *)" --time-zone Europe/Paris
    """
    run(context, lambda given: convert_line(given, line, time_zone, begin))


def convert_line(given: Context, line: str, time_zone: str | None, begin: str | None) -> Exit:
    """
    Write a line of another scheduler in our keys.

    Returns:
        FOUND if it can be read in two ways.

    Raises:
        CliError: There is no equivalent, or the line, the zone or the time cannot be read.
    """
    if time_zone:
        try:
            check_zone(time_zone)
        except ScheduleSyntaxError as error:
            raise CliError(Exit.USAGE, f"--time-zone: {error}") from error
    meant = [
        replace(one, time_zone=one.time_zone or time_zone) for one in readings(line) or _own(line)
    ]
    zone = parse_zone((meant[0].time_zone if meant else time_zone) or "UTC")
    after = datetime.now(UTC)
    if begin:
        after = parse_time(begin, zone, name="--from", now=after, ahead=True) - _MOMENT
    found = [_converted(one, after) for one in meant] or [_with_its_command(line, time_zone)]
    coming = [_coming(one, after) for one in found]
    details = {
        "line": line,
        "readings": [_json(one, times) for one, times in zip(found, coming, strict=True)],
    }
    if not any(one.written for one in found):
        raise CliError(
            Exit.REFUSED,
            f"{shown(line)} uses the syntax of {found[0]}, without an equivalent: {found[0].lacks}",
            "read docs/migrating.md on what a document can express",
            details=details,
        )
    if len(found) > 1:
        given.output.say(f"# {len(found)} meanings: keep one")
    for number, (one, times) in enumerate(zip(found, coming, strict=True), start=1):
        given.output.say(f"# {number}. {one}" if len(found) > 1 else f"# {one}")
        for text in _lines(one, times, after):
            given.output.say(text)
    given.output.result(details)
    return Exit.FOUND if len(found) > 1 else Exit.DONE


def _converted(reading: Reading, after: datetime) -> _Converted:
    written, lacks = timing(reading, after, DST.get(reading.dialect))
    return _Converted(
        dialect=reading.dialect,
        how=reading.how,
        written=written,
        lacks=lacks,
        changes=reading.changes,
    )


def _with_its_command(line: str, time_zone: str | None) -> _Converted:
    """
    Return a line of a crontab in our keys, with its command.

    Raises:
        CliError: It is none: no scheduler that is known has such a line.
    """
    imported = read_crontab(line, time_zone=time_zone, with_user=is_system_crontab(line))
    for table in checked(with_ids(imported.tables)):
        if not table.refused:
            return _Converted(
                dialect=Dialect.CRONTAB,
                how="with its command",
                written=table.keys,
                lacks=None,
                changes=table.comments,
            )
    told = f"{shown(line)} is not a line of a known scheduler; in a document: {_complaint(line)}"
    raise CliError(Exit.REFUSED, told, "read docs/migrating.md on the schedulers that recur knows")


def _complaint(line: str) -> str | None:
    """Say what is wrong with a line of our own dialect; None if nothing is."""
    try:
        check_cron(normalised(line))
    except ScheduleSyntaxError as error:
        return str(error)
    return None


def _own(line: str) -> tuple[Reading, ...]:
    """
    Return the readings of a line that a document takes as it stands; none if it does not.

    Kubernetes reads some of them in its own way.
    """
    if _complaint(line):
        return ()
    own = Reading(dialect=Dialect.CRONTAB, how="the same", cron=(normalised(line),))
    differs = kubernetes_differs(normalised(line))
    return (own, *(kubernetes_cron(normalised(line)) if differs else ()))


def _coming(one: _Converted, after: datetime) -> list[datetime]:
    """Return the next occurrences of what is written for a line, on the clock of its zone."""
    if not one.written:
        return []
    schedule = one.schedule()
    zone = parse_zone(schedule.recurrence.time_zone)
    return [time.astimezone(zone) for time in next_due(schedule, after, _SHOWN)]


def _never(one: _Converted, after: datetime) -> str:
    """Say of what has no occurrence to show whether it is over, or is due later than was looked."""
    schedule = one.schedule()
    single = not (schedule.recurrence.cron or schedule.recurrence.every)
    end = schedule.recurrence.end
    if single or (end and end <= after + HORIZON):
        return "# it is never due again"
    return "# it is not due within nine years"


def _lines(one: _Converted, coming: list[datetime], after: datetime) -> Iterator[str]:
    for key, value in one.written:
        yield from f"{key} = {value}".split("\n")
    if one.lacks:
        yield f"# no equivalent: {one.lacks}"
        return
    for change in one.changes:
        yield f"# changed: {change}"
    times = ", ".join(f"{time:%a %Y-%m-%d %H:%M}" for time in coming)
    yield f"# next in {coming[0].tzinfo}: {times}" if coming else _never(one, after)


def _json(one: _Converted, coming: list[datetime]) -> dict[str, Any]:
    return {
        "dialect": one.dialect,
        "how": one.how or None,
        "toml": "".join(f"{key} = {value}\n" for key, value in one.written) or None,
        "lacks": one.lacks,
        "changes": list(one.changes),
        "next": [time.astimezone(UTC) for time in coming],
    }
