"""
The values of the schedule document: what each kind of key may hold.

Each function returns the value that it was given, read, or raises ValueError with what would be
right. ``Annotated`` types carry what JSON Schema cannot know from the type.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from orchestrator.document.cron_hints import check_cron, check_length, normalised
from orchestrator.document.dialects.intervals import interval_hint
from orchestrator.document.dialects.reading import FIRST_YEAR, LAST_YEAR
from orchestrator.document.dialects.refusal import Refusals
from orchestrator.document.durations import SCHEMA_PATTERN, duration_hint, parse_duration
from orchestrator.document.values import shown
from orchestrator.document.zone_names import check_zone
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.exit_codes import SIGNAL_NAMES, code_of

MOST_ENVIRONMENT_BYTES = 16 * 1024
_LONGEST_COMMAND_BYTES = 32 * 1024
_LONGEST_PATTERN = 200
_MOST_SECONDS = 10**9

REFUSALS = "refusals"
"""The key in the context of a validation of what is said of lines of other schedulers."""
TIME_ZONE = "time_zone"
"""The key there of the zone that the table or ``[defaults]`` names."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WALL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = ("RECUR_", "AZ_BATCH_")
_CURRENCY = re.compile("[A-Z]{3}")
_POOL_ID = re.compile("[A-Za-z0-9_-]{1,64}")
_CALENDAR = re.compile("[A-Za-z0-9_-]{1,40}")
_HIGHEST_PRICE = 10_000
LONGEST_DESCRIPTION, _LONGEST_OWNER, _LONGEST_URL = 200, 100, 500
_TAG = re.compile("[a-z0-9][a-z0-9._:-]{0,31}")
_DURATION_SCHEMA = {"type": "string", "pattern": SCHEMA_PATTERN}
_INSTANT_SCHEMA = {"type": "string", "format": "date-time"}
_CALENDAR_SCHEMA = {"type": "string", "pattern": f"^{_CALENDAR.pattern}$"}
_DATE_SCHEMA = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_WALL_TIME_SCHEMA = {
    "type": "string",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:00)?$",
}
_LEAST_CODE, _GREATEST_CODE = -(2**31), 2**32 - 1
_EXIT_CODE_SCHEMA = {
    "anyOf": [
        {
            "type": "integer",
            "minimum": _LEAST_CODE,
            "maximum": _GREATEST_CODE,
            "not": {"const": 0},
        },
        {"enum": list(SIGNAL_NAMES)},
    ]
}
_CRON_SCHEMA = {"type": "string", "minLength": 1}
_NAME_SCHEMA = {"type": "string", "pattern": f"^{_NAME.pattern}$"}
_PRICE_SCHEMA = {"type": "number", "minimum": 0, "maximum": _HIGHEST_PRICE}
_TAG_SCHEMA = {"type": "string", "pattern": f"^{_TAG.pattern}$"}
_URL_SCHEMA = {
    "type": "string",
    "format": "uri",
    "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://.",
    "maxLength": _LONGEST_URL,
}
_CURRENCY_SCHEMA = {"type": "string", "pattern": f"^{_CURRENCY.pattern}$"}


def _duration(value: object) -> timedelta:
    """Parse ``PT1H30M``, ``P1W`` or ``90s``, ``1h30m``, ``1d``."""
    duration = parse_duration(value) if isinstance(value, str) else None
    if duration is not None:
        return duration
    hint = ""
    if isinstance(value, str):
        found = duration_hint(value) or interval_hint(value)
        hint = f"; {found}" if found else ""
    elif isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_SECONDS:
        hint = f'; write "{value}s" if seconds are meant, "{value}m" if minutes'
    raise ValueError(
        f'must be a duration such as "PT30M", "90s", "6h" or "1d", not {shown(value)}{hint}'
    )


def _within(least: timedelta, most: timedelta, because: str) -> Callable[[timedelta], timedelta]:
    def check(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise ValueError(f"must be {because}")
        return value

    return check


def _cron(value: str, info: ValidationInfo, *, in_exceptions: bool = False) -> str:
    try:
        check_length(value)
        expression = normalised(value)
        check_cron(expression)
    except ScheduleSyntaxError as error:
        complaint = _refusal(value, info, in_exceptions=in_exceptions) or str(error)
        raise ValueError(f"{shown(value)} cannot be used: {complaint}") from error
    return expression


def _refusal(value: str, info: ValidationInfo, *, in_exceptions: bool = False) -> str | None:
    """Return what is said of a line of another scheduler; None if it is none."""
    context: dict[str, Any] = info.context or {}
    lines: Refusals = context.get(REFUSALS) or Refusals()
    return lines.refusal(value, in_exceptions=in_exceptions, time_zone=context.get(TIME_ZONE))


def _crons(value: object) -> object:
    """Take one expression for a list of one."""
    return [value] if isinstance(value, str) else value


def _wall_date(value: object) -> date:
    """Check a wall date: TOML's own, or its text."""
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError as error:
            raise ValueError(f"there is no date {value.strip()!r}") from error
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("must be a date such as 2026-12-07, unquoted")


def is_calendar_name(text: str) -> bool:
    """Whether a calendar can have this name."""
    return bool(_CALENDAR.fullmatch(text))


def _calendar_name(value: str) -> str:
    if not is_calendar_name(value):
        raise ValueError("must be the name of a calendar: 1 to 40 letters, digits, - or _")
    return value


def _exception(value: object, info: ValidationInfo) -> str:
    if isinstance(value, str) and not _DATE.fullmatch(value.strip()):
        return _cron(value, info, in_exceptions=True)
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError as error:
            raise ValueError(f"there is no date {value.strip()!r}") from error
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise ValueError("must be a date such as 2026-12-25, or a cron expression")


def _zone(value: str) -> str:
    try:
        check_zone(value)
    except ScheduleSyntaxError as error:
        raise ValueError(str(error)) from error
    return value


def _valid_command(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    if len(value.encode()) > _LONGEST_COMMAND_BYTES:
        raise ValueError(
            f"must have at most {_LONGEST_COMMAND_BYTES // 1024} KiB: put a script into an "
            "application package and call it"
        )
    return value


def _whole_second(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("must be a time with its offset, such as 2026-12-01T00:00:00Z, unquoted")
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    if value.microsecond:
        raise ValueError("must be a whole second")
    return value.astimezone(UTC)


def _wall_time(value: object, info: ValidationInfo) -> datetime:
    """Check a wall time of the schedule's zone: a naive datetime, or its text."""
    wall = _parse_wall_time(value, info)
    if wall.tzinfo is not None:
        raise ValueError(
            f"must be a local time in the schedule's time_zone: write {wall:%Y-%m-%dT%H:%M:%S} "
            "without an offset, if the clock there shows that time"
        )
    if not FIRST_YEAR <= wall.year <= LAST_YEAR:
        raise ValueError(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    if wall.second or wall.microsecond:
        raise ValueError("must be a whole minute: ticks run once a minute")
    return wall


def _parse_wall_time(value: object, info: ValidationInfo) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _WALL_TIME.fullmatch(value.strip()):
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise ValueError(f"{value!r} is not a valid date and time") from error
    if isinstance(value, str) and (complaint := _refusal(value, info)):
        raise ValueError(f"{shown(value)} cannot be used: {complaint}")
    example = f"{value}T09:00:00" if isinstance(value, date) else "2026-12-24T18:00:00"
    raise ValueError(f"must be a local time such as {example}, unquoted")


def _wall_times(value: object) -> object:
    """Take one wall time for a list of one."""
    return cast("object", value) if isinstance(value, list) else [value]


def _variable(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "is not a valid variable name: use letters, digits and _, and no digit first"
        )
    if name.upper().startswith(_OURS) or name.upper() == "AZURE_CLIENT_ID":
        raise ValueError("is set by Recur or by Batch: choose another name")
    return name


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def _small_environment(values: dict[str, str]) -> dict[str, str]:
    size = sum(len(name.encode()) + len(value.encode()) for name, value in values.items())
    if size > MOST_ENVIRONMENT_BYTES:
        raise ValueError(
            f"has {size:,} bytes of names and values, more than the "
            f"{MOST_ENVIRONMENT_BYTES // 1024} KiB that a job can hold: put them into a file"
        )
    return values


def _pattern(value: str) -> str:
    """Check a pattern of files below the task's working directory, as Batch's OutputFiles take it."""
    if not value or len(value) > _LONGEST_PATTERN or not value.isprintable():
        raise ValueError(f"must have 1 to {_LONGEST_PATTERN} characters, all of them visible")
    if "\\" in value:
        raise ValueError("must separate folders with /, also on Windows")
    if "$" in value:
        raise ValueError("must not contain variables: Batch would look in another folder")
    if value.startswith("/") or re.match("[A-Za-z]:", value):
        raise ValueError(
            "must be relative to the task's working directory: it must not begin with / or a drive"
        )
    folders = value.split("/")
    if ".." in folders:
        raise ValueError("must stay in the task's working directory: leave out '..'")
    if "" in folders or "." in folders:
        raise ValueError("must end with a file name, as in report/*.csv, without '//' or '.'")
    return value


def _unique[T](values: list[T]) -> list[T]:
    for n, value in enumerate(values):
        if value in values[:n]:
            spelt = str(value) if isinstance(value, str) else value  # a word of a closed list
            raise ValueError(f"contains {spelt!r} twice")
    return values


def _exit_code(value: object) -> int | str:
    """Check an exit code, or the name of the signal that it stands for."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return _checked_code(value)
    raise ValueError('must be an exit code, or a signal such as "SIGKILL"')


def _checked_code(value: int | str) -> int | str:
    code = code_of(value)
    if not code:
        raise ValueError("0 is success and is never retried")
    if not _LEAST_CODE <= code <= _GREATEST_CODE:
        raise ValueError(f"must be an exit code from {_LEAST_CODE} to {_GREATEST_CODE}")
    return value


def _price(value: object) -> float:
    """Check what one node costs for one hour."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value <= _HIGHEST_PRICE:
            return float(value)
        raise ValueError(f"must be from 0 to {_HIGHEST_PRICE:,} for one node and one hour")
    raise ValueError("must be a number such as 0.113, the price of one node for one hour")


def _currency(value: object) -> str:
    if isinstance(value, str) and _CURRENCY.fullmatch(value):
        return value
    raise ValueError('must be the three capital letters of a currency, such as "USD"')


def _pool_id(value: str) -> str:
    if not _POOL_ID.fullmatch(value):
        raise ValueError("must be the id of a pool: 1 to 64 letters, digits, - or _")
    return value


def _line(most: int) -> Callable[[str], str]:
    """Return the check of a text that stands in one line of a mail or a table."""

    def check(value: str) -> str:
        if not value.strip() or len(value) > most or not value.isprintable():
            raise ValueError(f"must be one line of 1 to {most} visible characters")
        return value.strip()

    return check


def _url(value: str) -> str:
    """Check the address of a page; mails repeat it."""
    try:
        parts = urlsplit(value)
        host, secret = parts.hostname, parts.username is not None or parts.password is not None
    except ValueError:  # brackets that hold no address
        parts, host, secret = None, None, False
    plain = value.isprintable() and " " not in value and len(value) <= _LONGEST_URL
    if parts is None or parts.scheme not in {"http", "https"} or not host or not plain:
        raise ValueError(
            "must be the URL of a page, such as https://wiki.example/nightly-report, of at most "
            f"{_LONGEST_URL} characters"
        )
    if secret:
        raise ValueError(
            "must not contain a user name or a password: mails and events show the URL"
        )
    return value


def _tag(value: str) -> str:
    if not _TAG.fullmatch(value):
        raise ValueError(
            f"{shown(value)} must be 1 to 32 lower-case letters, digits, '.', '_', ':' or "
            "'-', and begin with a letter or a digit"
        )
    return value


_TASK = _within(
    timedelta(seconds=1),
    timedelta(days=180),
    "above zero and at most 180 days, the longest that Batch keeps a task",
)
_WINDOW = _within(
    timedelta(minutes=5),
    timedelta(days=400),
    "from 5 minutes to 400 days; an attempt is also tried for this long",
)
_EVERY = _within(timedelta(minutes=1), timedelta(days=366), "from 1 minute to 366 days")
_JITTER = _within(timedelta(), timedelta(days=1), "at most a day")
_BACKOFF = _within(timedelta(seconds=1), timedelta(hours=1), "above zero and at most an hour")
_SPAN = WithJsonSchema(_DURATION_SCHEMA)

type TaskDuration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_TASK), _SPAN]
type Window = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_WINDOW), _SPAN]
type Every = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_EVERY), _SPAN]
type Jitter = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_JITTER), _SPAN]
type Backoff = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_BACKOFF), _SPAN]
type Instant = Annotated[datetime, BeforeValidator(_whole_second), WithJsonSchema(_INSTANT_SCHEMA)]
type WallTime = Annotated[datetime, BeforeValidator(_wall_time), WithJsonSchema(_WALL_TIME_SCHEMA)]
type WallDate = Annotated[date, BeforeValidator(_wall_date), WithJsonSchema(_DATE_SCHEMA)]
type CalendarName = Annotated[str, AfterValidator(_calendar_name), WithJsonSchema(_CALENDAR_SCHEMA)]
type Cron = Annotated[str, AfterValidator(_cron), WithJsonSchema(_CRON_SCHEMA)]
type Exception_ = Annotated[str, BeforeValidator(_exception), WithJsonSchema(_CRON_SCHEMA)]
type Zone = Annotated[str, AfterValidator(_zone)]
type Command = Annotated[
    str, AfterValidator(_valid_command), WithJsonSchema({"type": "string", "minLength": 1})
]
type Variable = Annotated[str, AfterValidator(_variable), WithJsonSchema(_NAME_SCHEMA)]
type Text = Annotated[str, AfterValidator(_text)]
type Pattern = Annotated[str, AfterValidator(_pattern)]
type ExitCode = Annotated[int | str, BeforeValidator(_exit_code), WithJsonSchema(_EXIT_CODE_SCHEMA)]
type Price = Annotated[float, BeforeValidator(_price), WithJsonSchema(_PRICE_SCHEMA)]
type Currency = Annotated[str, BeforeValidator(_currency), WithJsonSchema(_CURRENCY_SCHEMA)]
type PoolId = Annotated[str, AfterValidator(_pool_id)]
type Description = Annotated[
    str,
    AfterValidator(_line(LONGEST_DESCRIPTION)),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_DESCRIPTION}),
]
type Owner = Annotated[
    str,
    AfterValidator(_line(_LONGEST_OWNER)),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_OWNER}),
]
type Url = Annotated[str, AfterValidator(_url), WithJsonSchema(_URL_SCHEMA)]
type Tag = Annotated[str, AfterValidator(_tag), WithJsonSchema(_TAG_SCHEMA)]

one_or_more = BeforeValidator(_crons)
one_or_more_times = BeforeValidator(_wall_times)
unique = AfterValidator(_unique)
bounded = AfterValidator(_small_environment)
_ENVIRONMENT = TypeAdapter[dict[str, str]](Annotated[dict[Variable, Text], bounded])


def wrong_environment(values: Mapping[str, str]) -> str | None:
    """Return what is wrong with variables that are given elsewhere than in a document."""
    try:
        _ENVIRONMENT.validate_python(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = next(iter(first["loc"]), "")
        message = first["msg"].removeprefix("Value error, ")
        return f"{name}: {message}" if name else message
    return None
