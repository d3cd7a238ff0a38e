"""
The schedule document: TOML in, schedules and problems out.

Every problem is reported at once, with its table, its key, what is wrong and what would be right.
A table with a problem stops its own schedule and no other.
"""

import re
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from orchestrator.errors import DocumentError, ScheduleSyntaxError
from orchestrator.model import Calendar, CatchUp, Retries, Schedule
from orchestrator.naming import SCHEDULE_ID
from orchestrator.schedule import check_cron, parse_zone
from orchestrator.words import CatchUpMode, Overlap, ScheduleId

MAX_SCHEDULES = 1000

# Keys of the dialect that this version refuses: naming them beats calling them a typing error.
_NOT_YET = frozenset(
    {
        "anchor",
        "dst",
        "environment",
        "every",
        "except",
        "jitter",
        "max_parallel",
        "max_queued",
        "outputs",
        "pause_after_failures",
        "retries",
    }
)
_SHORT = re.compile(r"([0-9]{1,9})([smhd])")
_ISO = re.compile(
    r"P(?=.)(?:(?P<days>[0-9]{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?"
)
_FIRST_YEAR, _LAST_YEAR = 2000, 2200
_SHORTEST_WINDOW = timedelta(minutes=5)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One thing to correct in the document.

    Attributes:
        schedule: The table's name; None if the problem is the document's.
        key: The key in that table, dotted below it; None for the table itself.
        message: What is wrong, and what would be right.
    """

    schedule: str | None
    key: str | None
    message: str

    def __str__(self) -> str:
        """Return the place and the message as one sentence."""
        place = f"[schedules.{self.schedule}]" if self.schedule else ""
        return ": ".join(part for part in (place, self.key, self.message) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """
    What a document says.

    Attributes:
        schedules: Its valid tables.
        invalid: Ids of its other tables: these schedules stand still.
        problems: What is wrong with those, and with tables whose name is no schedule id.
    """

    schedules: dict[ScheduleId, Schedule]
    invalid: frozenset[ScheduleId]
    problems: tuple[Problem, ...]


def parse(text: str) -> Document:
    """
    Return the schedules of a document.

    Raises:
        DocumentError: It is not TOML, or not a document of schedules: it decides nothing.
    """
    try:
        content = tomllib.loads(text)
    except ValueError as error:  # what is no TOML, and numbers that Python refuses
        raise DocumentError([f"not TOML: {error}"]) from error
    except RecursionError as error:
        raise DocumentError(["not TOML that can be read: it is nested too deeply"]) from error
    tables = _tables(content)
    schedules: dict[ScheduleId, Schedule] = {}
    invalid: set[ScheduleId] = set()
    problems: list[Problem] = []
    for name, table in tables.items():
        id_ = ScheduleId(name)
        found = _problems_of_name(name)
        if not found:
            result = _schedule(id_, table)
            if isinstance(result, Schedule):
                schedules[id_] = result
                continue
            found = result
        invalid.add(id_)
        problems += found
    return Document(schedules=schedules, invalid=frozenset(invalid), problems=tuple(problems))


def _tables(content: dict[str, Any]) -> dict[str, object]:
    """Return the tables below ``schedules``, or refuse the document."""
    problems: list[str] = []
    for key in content.keys() - {"schedules"}:
        if key == "defaults":
            problems.append("[defaults] is not supported yet: give each schedule its own values")
        else:
            problems.append(f"{key}: unknown; schedules stand in tables [schedules.<id>]")
    found = content.get("schedules", {})
    tables = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    if tables is not found:
        problems.append("schedules: must be tables [schedules.<id>]")
    elif len(tables) > MAX_SCHEDULES:
        problems.append(f"{len(tables)} schedules; at most {MAX_SCHEDULES} are supported")
    if problems:
        raise DocumentError(problems)
    return tables


def _problems_of_name(name: str) -> list[Problem]:
    if SCHEDULE_ID.fullmatch(name):
        return []
    message = (
        "a schedule's id has 2 to 40 characters: lower-case letters, digits and hyphens, "
        "the first a letter, the last no hyphen"
    )
    return [Problem(schedule=name, key=None, message=message)]


def _duration(value: object) -> timedelta:
    """Parse ``PT30M``, ``P1D`` or ``90s``, ``30m``, ``6h``, ``1d``; zero is refused."""
    if isinstance(value, str):
        if short := _SHORT.fullmatch(value):
            parts = {_UNITS[short[2]]: int(short[1])}
        elif iso := _ISO.fullmatch(value):
            parts = {unit: int(n) for unit, n in iso.groupdict().items() if n}
        else:
            parts = {}
        if parts:
            try:
                duration = timedelta(**parts)
            except OverflowError:
                duration = timedelta()
            if duration:
                return duration
    raise ValueError('must be a duration above zero such as "PT30M", "90s", "6h" or "1d"')


def _below_a_year(duration: timedelta) -> timedelta:
    if duration > timedelta(days=180):  # the longest a task lives in Batch
        raise ValueError("must be at most 180 days, the longest a task lives in Batch")
    return duration


def _five_minutes(duration: timedelta) -> timedelta:
    if duration < _SHORTEST_WINDOW:
        raise ValueError("must be at least 5 minutes: an attempt is tried for no longer than this")
    return duration


def _cron(value: str) -> str:
    try:
        check_cron(value)
    except ScheduleSyntaxError as error:
        raise ValueError(f"{value!r} cannot be used: {error}") from error
    return " ".join(value.split())


def _zone(value: str) -> str:
    try:
        parse_zone(value)
    except ScheduleSyntaxError as error:
        close = get_close_matches(value, sorted(zoneinfo.available_timezones()), n=1, cutoff=0.6)
        hint = f"; did you mean {close[0]!r}?" if close else "; IANA names such as 'Europe/Paris'"
        raise ValueError(f"{error}{hint}") from error
    return value


def _command(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a time with its offset, such as 2026-12-01T00:00:00Z, unquoted")
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"must lie between the years {_FIRST_YEAR} and {_LAST_YEAR}")
    return value.astimezone(UTC)


type Duration = Annotated[timedelta, BeforeValidator(_duration)]
type TaskDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_below_a_year)]


class _CatchUpTable(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    mode: Annotated[CatchUpMode, Field(strict=False)] = CatchUpMode.LATEST
    window: Annotated[Duration, AfterValidator(_five_minutes)] = timedelta(days=1)
    max: Annotated[int, Field(ge=1, le=100)] = 10


class _ScheduleTable(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    cron: Annotated[str, AfterValidator(_cron)]
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    command: Annotated[str, AfterValidator(_command)]
    overlap: Annotated[Overlap, Field(strict=False)] = Overlap.SKIP
    catch_up: _CatchUpTable = _CatchUpTable()
    start_timeout: TaskDuration = timedelta(minutes=30)
    run_timeout: TaskDuration = timedelta(hours=6)
    start: Annotated[datetime, BeforeValidator(_instant)] | None = None
    paused: bool = False


def _schedule(id_: ScheduleId, table: object) -> Schedule | list[Problem]:
    """Return the schedule of one table, or everything that is wrong with it."""
    if not isinstance(table, Mapping):
        return [Problem(schedule=id_, key=None, message="must be a table")]
    try:
        valid = _ScheduleTable.model_validate(table)
    except ValidationError as error:
        return [_problem(id_, details) for details in error.errors()]
    return Schedule(
        id=id_,
        calendar=Calendar(cron=(valid.cron,), time_zone=valid.time_zone),
        command=valid.command,
        environment={},
        overlap=valid.overlap,
        max_queued=1,
        max_parallel=10,
        catch_up=CatchUp(
            mode=valid.catch_up.mode, window=valid.catch_up.window, max=valid.catch_up.max
        ),
        jitter=timedelta(),
        start_timeout=valid.start_timeout,
        run_timeout=valid.run_timeout,
        retries=Retries(),
        outputs=(),
        pause_after_failures=None,
        start=valid.start,
        paused=valid.paused,
    )


def _problem(id_: ScheduleId, details: Mapping[str, Any]) -> Problem:
    """Put one of pydantic's errors into the operator's words."""
    path = [str(part) for part in details["loc"]]
    known = _CatchUpTable if path[0] == "catch_up" and len(path) > 1 else _ScheduleTable
    match details["type"]:
        case "missing":
            message = "is missing"
        case "extra_forbidden" if path[-1] in _NOT_YET:
            message = "is not supported yet: leave it out"
        case "extra_forbidden":
            close = get_close_matches(path[-1], known.model_fields, n=1)
            message = f"unknown key; did you mean {close[0]!r}?" if close else "unknown key"
        case "model_type":
            message = "must be a table"
        case "enum":
            message = (
                f"{details['input']!r} is not supported; it can be {details['ctx']['expected']}"
            )
        case "value_error":
            message = str(details["ctx"]["error"])
        case _:
            message = f"{details['msg']}, not {details['input']!r}"
            message = message[0].lower() + message[1:]
    return Problem(schedule=id_, key=".".join(path), message=message)
