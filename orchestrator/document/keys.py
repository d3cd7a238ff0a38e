"""The keys of the schedule document: pydantic models, and the JSON Schema that editors read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from orchestrator.document.types import (
    Backoff,
    CalendarName,
    Command,
    Cron,
    Currency,
    Description,
    Every,
    Exception_,
    ExitCode,
    Instant,
    Jitter,
    Owner,
    Pattern,
    PoolId,
    Price,
    Tag,
    TaskDuration,
    Text,
    Url,
    Variable,
    WallDate,
    WallTime,
    Window,
    Zone,
    bounded,
    one_or_more,
    one_or_more_times,
    unique,
)
from orchestrator.enums import (
    CatchUpMode,
    Fold,
    Gap,
    IntervalUnit,
    OnHoliday,
    Outcome,
    Overlap,
    Weekday,
)
from orchestrator.exit_codes import code_of
from orchestrator.ids import SCHEDULE_ID, ScheduleId
from orchestrator.model import (
    WEEKEND,
    About,
    CatchUp,
    Holidays,
    Interval,
    NodePrice,
    Prices,
    Recurrence,
    Retries,
    Schedule,
)
from orchestrator.timing.holidays import Range, packed
from orchestrator.timing.placement import EPOCH

MOST_CALENDARS = 50
_STRICT = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)
_ONE_PRICE: JsonDict = {"minProperties": 1}
_EITHER: JsonDict = {
    "not": {"required": ["every"], "anyOf": [{"required": [key]} for key in ("cron", "at")]}
}
_CRON_SCHEMA = {
    "anyOf": [
        {"type": "string", "minLength": 1, "examples": ["0 2 * * MON-FRI"]},
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "maxItems": 50,
        },
    ]
}


class _Schema(GenerateJsonSchema):
    """TOML has no null: a key that may be left out has one kind of value all the same."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401 - pydantic_core's own
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ANN401 - pydantic_core's own
        found = super().default_schema(schema)
        return {key: one for key, one in found.items() if key != "default" or one is not None}


class DstTable(BaseModel):
    """What happens at clock changes of the time zone; `auto` does what Debian's cron does."""

    model_config = _STRICT

    gap: Annotated[Gap, Field(strict=False)] = Gap.AUTO
    """Wall times that do not exist: run at the first instant after the gap (`shift`), or not."""
    overlap: Annotated[Fold, Field(strict=False)] = Fold.AUTO
    """Wall times that happen twice: which of the two runs."""


class CatchUpTable(BaseModel):
    """What happens to occurrences that came due while no tick ran."""

    model_config = _STRICT

    mode: Annotated[CatchUpMode, Field(strict=False)] = CatchUpMode.LATEST
    """`latest`: the newest late occurrence runs; `all`: the newest `max` run; `none`: none runs."""
    window: Window = timedelta(days=1)
    """Occurrences older than this are missed; a blocked attempt is also tried for this long."""
    max: Annotated[int, Field(ge=1, le=100)] = 10
    """With `all`: how many run. Also how many missed or skipped ones get their own record."""


class RetriesTable(BaseModel):
    """Which ended attempts are retried."""

    model_config = _STRICT

    max: Annotated[int, Field(ge=0, le=10)] = 0
    """How many attempts may follow the first one."""
    on: Annotated[
        list[Literal["lost", "never_started", "timed_out", "failed"]],
        Field(min_length=1),
        unique,
    ] = ["lost", "never_started"]
    """The outcomes that are retried."""
    exit_codes: Annotated[list[ExitCode], Field(max_length=100), unique] = []
    """If given, `failed` is retried only with one of these exit codes; signals also by name."""
    backoff: Backoff = timedelta(minutes=1)
    """The wait before the second attempt; it doubles for each later one, up to an hour."""


class IntervalTable(BaseModel):
    """Which wall dates of cron count: every n-th day, week (from Monday) or month."""

    model_config = _STRICT

    every: Annotated[int, Field(ge=1, le=366, examples=[2])]
    """Which units count: 2 means every second one."""
    unit: Annotated[IntervalUnit, Field(strict=False, examples=["weeks"])]
    """The unit that is counted."""
    anchor: Annotated[WallDate, Field(examples=["2026-12-07"])]
    """A date in a unit that counts; Recur counts from it in both directions."""


class RangeTable(BaseModel):
    """Consecutive days."""

    model_config = _STRICT

    first: Annotated[WallDate, Field(examples=["2026-12-24"])]
    """The first day."""
    last: Annotated[WallDate, Field(examples=["2027-01-01"])]
    """The last day, included."""


class CalendarTable(BaseModel):
    """Holidays: dates, ranges of dates, days of the week."""

    model_config = _STRICT

    dates: Annotated[list[WallDate], Field(max_length=1000, examples=[["2026-12-25"]])] = []
    """Single days."""
    ranges: Annotated[list[RangeTable], Field(max_length=1000)] = []
    """Spans from a first to a last day."""
    weekdays: Annotated[
        list[Annotated[Weekday, Field(strict=False)]],
        Field(max_length=7, examples=[["SAT", "SUN"]]),
        unique,
    ] = []
    """Days of the week, in every week."""


class ScheduleTable(BaseModel):
    """One schedule; in [defaults], the values for schedules that do not set their own."""

    model_config = {**_STRICT, "json_schema_extra": _EITHER}

    cron: (
        Annotated[
            list[Cron],
            one_or_more,
            Field(min_length=1, max_length=50),
            WithJsonSchema(_CRON_SCHEMA),
        ]
        | None
    ) = None
    """When it is due, in local time of time_zone: five fields, or a list whose union counts."""
    interval: IntervalTable | None = None
    """With cron: keep only every n-th day, week or month."""
    at: (
        Annotated[
            list[WallTime],
            one_or_more_times,
            Field(min_length=1, max_length=400, examples=[["2026-12-24T18:00:00"]]),
        ]
        | None
    ) = None
    """Single local times of time_zone; with cron, both count."""
    every: Annotated[Every, Field(examples=["30m", "PT6H"])] | None = None
    """Instead of cron: elapsed time from one occurrence to the next, through clock changes."""
    anchor: Instant | None = None
    """With every: the time of one occurrence; default `start`, else 2000-01-01."""
    except_: Annotated[
        list[Exception_],
        Field(alias="except", max_length=400, examples=[["2026-12-25", "* * * 8 *"]]),
    ] = []
    """Dates and cron expressions, in local time, to leave out."""
    holidays: Annotated[list[CalendarName], Field(max_length=10, examples=[["bank"]]), unique] = []
    """With cron or at: the calendars whose days are holidays."""
    on_holiday: Annotated[OnHoliday, Field(strict=False)] = OnHoliday.SKIP
    """What happens on a holiday: skip, or move to the next or the previous working day."""
    weekend: Annotated[
        list[Annotated[Weekday, Field(strict=False)]], Field(max_length=6), unique
    ] = [*WEEKEND]
    """Days of the week that are not working days: no occurrence moves to them."""
    time_zone: Annotated[Zone, Field(examples=["Europe/Paris"])] = "UTC"
    """IANA name of the schedule's time zone."""
    dst: DstTable = DstTable()
    command: Annotated[Command, Field(examples=["python3 report.py"])] | None = None
    """The task's shell command line."""
    environment: Annotated[dict[Variable, Text], bounded] = {}
    """Environment variables of the task. No secrets: everyone who can read the ledger sees them."""
    overlap: Annotated[Overlap, Field(strict=False)] = Overlap.SKIP
    """What happens to an occurrence while an earlier run is still active."""
    max_queued: Annotated[int, Field(ge=1, le=1000)] = 1
    """With overlap queue: how many runs may wait."""
    max_parallel: Annotated[int, Field(ge=1, le=100)] = 10
    """With overlap allow: how many runs may be open at once."""
    catch_up: CatchUpTable = CatchUpTable()
    jitter: Jitter = timedelta()
    """Delays submission by up to this; each occurrence has its own fixed delay."""
    start_timeout: TaskDuration = timedelta(minutes=30)
    """A run that has not started after this is never_started, or lost if it had lost its node."""
    run_timeout: TaskDuration = timedelta(hours=6)
    """A run that takes longer is ended as timed_out."""
    retries: RetriesTable = RetriesTable()
    outputs: Annotated[
        list[Pattern], Field(max_length=20, examples=[["report/*.csv"]]), unique
    ] = []
    """Patterns of files to store besides stdout and stderr, in the task's working directory."""
    last_words: bool = True
    """Keep the last 2 KiB each of stderr and stdout in the record of a failed run."""
    pause_after_failures: Annotated[int, Field(ge=1, le=100)] | None = None
    """Pause the schedule after this many failed runs in a row; default: never."""
    start: Instant | None = None
    """Nothing is due before this; default: the time at which the schedule was first applied."""
    end: Instant | None = None
    """Nothing is due at or after this; default: no end."""
    paused: bool = False
    """Skip the occurrences; they are not caught up later."""
    description: (
        Annotated[Description, Field(examples=["Sales of the day, for finance"])] | None
    ) = None
    """What the schedule is for, in one line; commands, events and alert mails show it."""
    owner: Annotated[Owner, Field(examples=["finance-data@example.com"])] | None = None
    """Who is responsible for it."""
    runbook: Annotated[Url, Field(examples=["https://wiki.example/nightly-report"])] | None = None
    """The page that says what to do when a run fails: an http or https URL."""
    tags: Annotated[list[Tag], Field(max_length=10, examples=[["finance"]]), unique] = []
    """Words by which `recur runs --tag` finds its runs."""


class NodePriceTable(BaseModel):
    """What one node of a pool costs for one hour."""

    model_config = {**_STRICT, "json_schema_extra": _ONE_PRICE}

    dedicated: Annotated[Price, Field(examples=[0.113])] | None = None
    """The price of a dedicated node."""
    spot: Annotated[Price, Field(examples=[0.023])] | None = None
    """The price of a Spot node."""


class PricesTable(BaseModel):
    """What one node costs for one hour; Recur estimates the costs of runs from it."""

    model_config = _STRICT

    currency: Annotated[Currency, Field(examples=["USD"])]
    """The currency of all prices and costs: three capital letters."""
    dedicated: Annotated[Price, Field(examples=[0.113])] | None = None
    """The price of a dedicated node, in every pool without prices of its own."""
    spot: Annotated[Price, Field(examples=[0.023])] | None = None
    """The price of a Spot node, in every pool without prices of its own."""
    pools: Annotated[dict[PoolId, NodePriceTable], Field(max_length=50)] = {}
    """Tables [prices.pools.<pool id>]: the prices of one pool, instead of the two above."""


class DocumentTable(BaseModel):
    """Schedules of Recur."""

    model_config = ConfigDict(
        extra="forbid", title="Recur's schedule document", use_attribute_docstrings=True
    )

    defaults: Annotated[ScheduleTable, Field(json_schema_extra={"default": {}})] = ScheduleTable()
    """Values for all schedules that do not set their own."""
    schedules: Annotated[
        dict[str, ScheduleTable],
        Field(
            max_length=1000,
            json_schema_extra={"propertyNames": {"pattern": f"^{SCHEDULE_ID.pattern}$"}},
        ),
    ] = {}
    """Tables [schedules.<id>]: 2 to 40 lower-case letters, digits and hyphens."""
    calendars: Annotated[
        dict[CalendarName, CalendarTable],
        Field(
            max_length=MOST_CALENDARS,
            json_schema_extra={"propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,40}$"}},
        ),
    ] = {}
    """Tables [calendars.<name>]: holidays for schedules that name the calendar."""
    prices: PricesTable | None = None
    """What nodes cost; without it, runs have no cost."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a document, draft 2020-12."""
    schema = DocumentTable.model_json_schema(schema_generator=_Schema)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema}


def prices(table: PricesTable) -> Prices:
    """Return the prices of a table in which nothing is wrong."""
    return Prices(
        currency=table.currency,
        every=NodePrice(dedicated=table.dedicated, spot=table.spot),
        pools={
            pool: NodePrice(dedicated=one.dedicated, spot=one.spot)
            for pool, one in table.pools.items()
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of one table ``[calendars.<name>]``."""

    ranges: tuple[Range, ...]
    weekdays: tuple[Weekday, ...]


def calendar(table: CalendarTable) -> Calendar:
    """Return the calendar of a table in which nothing is wrong."""
    single = ((day, day) for day in table.dates)
    return Calendar(
        ranges=(*single, *((one.first, one.last) for one in table.ranges)),
        weekdays=tuple(table.weekdays),
    )


def schedule(
    id_: ScheduleId,
    table: ScheduleTable,
    costs: Prices | None = None,
    calendars: Mapping[str, Calendar] | None = None,
) -> Schedule:
    """
    Return the schedule of a table in which nothing is wrong.

    Args:
        id_: Its id.
        table: With what it inherits.
        costs: The prices of the document.
        calendars: Its calendars, those that the table names among them.
    """
    assert table.command is not None, "a command is asked for before"  # noqa: S101
    return Schedule(
        id=id_,
        recurrence=_recurrence(table, calendars or {}),
        command=table.command,
        environment=table.environment,
        overlap=table.overlap,
        max_queued=table.max_queued,
        max_parallel=table.max_parallel,
        catch_up=CatchUp(**dict(table.catch_up)),
        jitter=table.jitter,
        start_timeout=table.start_timeout,
        run_timeout=table.run_timeout,
        retries=Retries(
            max=table.retries.max,
            on=tuple(Outcome(one) for one in table.retries.on),
            exit_codes=tuple(dict.fromkeys(map(code_of, table.retries.exit_codes))),
            backoff=table.retries.backoff,
        ),
        outputs=tuple(table.outputs),
        last_words=table.last_words,
        pause_after_failures=table.pause_after_failures,
        start=table.start,
        paused=table.paused,
        prices=costs,
        about=_about(table),
    )


def _about(table: ScheduleTable) -> About | None:
    about = About(
        description=table.description,
        owner=table.owner,
        runbook=table.runbook,
        tags=tuple(table.tags),
    )
    return None if about == About() else about


def _recurrence(table: ScheduleTable, calendars: Mapping[str, Calendar]) -> Recurrence:
    return Recurrence(
        cron=tuple(dict.fromkeys(table.cron or ())),
        at=tuple(sorted(set(table.at or ()))),
        interval=Interval(**dict(table.interval)) if table.interval else None,
        every=table.every,
        anchor=(table.anchor or table.start or EPOCH) if table.every else None,
        time_zone=table.time_zone,
        gap=table.dst.gap,
        fold=table.dst.overlap,
        except_=tuple(dict.fromkeys(table.except_)),
        holidays=_holidays(table, calendars),
        end=table.end,
    )


def _holidays(table: ScheduleTable, calendars: Mapping[str, Calendar]) -> Holidays | None:
    if not table.holidays:
        return None
    named = [calendars[name] for name in table.holidays]
    weekdays = {day for one in named for day in one.weekdays}
    return Holidays(
        calendars=tuple(table.holidays),
        days=packed(days for one in named for days in one.ranges),
        weekdays=tuple(day for day in Weekday if day in weekdays),
        policy=table.on_holiday,
        weekend=tuple(day for day in Weekday if day in table.weekend),
    )
