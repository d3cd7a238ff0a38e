"""
What operators ask for, and what became of it: public JSON, written by `recur`, read by the tick.

A request is created as ``open/request/<id>.json`` and answered in ``answers/<id>.json``.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    Strict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from orchestrator.errors import RecordUnreadable
from orchestrator.ids import FIRST_YEAR, LAST_YEAR, RunId, ScheduleId
from orchestrator.stored import Stored

SCHEMA: Final = 1
MOST_BYTES: Final = 256 * 1024
"""A request has a few kilobytes, and at most 16 KiB of variables, which JSON may make longer."""

MOST_RUNS: Final = 1000
"""So many occurrences one backfill looks at, at most."""


def _within_years(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie between the years {FIRST_YEAR} and {LAST_YEAR}")
    return value.astimezone(UTC)


def _written(value: object) -> object:
    """Refuse numbers, and texts that are one: what they would be counted in nobody can tell."""
    if isinstance(value, datetime) or (isinstance(value, str) and "-" in value[1:]):
        return value
    raise ValueError("must be a time such as 2026-11-23T07:00:00Z")


def _unset(flag: bool) -> bool:
    return not flag


type Words = Annotated[str, StringConstraints(max_length=1000)]
type RequestTime = Annotated[
    AwareDatetime, BeforeValidator(_written), AfterValidator(_within_years)
]
type Flag = Annotated[bool, Strict()]


class RequestKind(StrEnum):
    """What is asked for."""

    TRIGGER = "trigger"
    BACKFILL = "backfill"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"


class Status(StrEnum):
    """What became of a request."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Stored):
    """
    One request.

    Attributes:
        id: Up to 64 lower-case letters and digits; its blob's name.
        kind: What is asked for.
        by: Who asks, for the record.
        schedule: Which schedule; of a stop it is the run's.
        run_id: With stop: which run.
        key: With trigger: the same key makes the same run, however often it is asked for.
        force: With trigger: start whatever is in the way, and be in nobody's way.
        environment: With trigger: variables of this run, in the place of those of its schedule.
        nominal: With trigger: the nominal time of its run, instead of when it is claimed.
        after: With backfill: exclusive.
        until: With backfill: inclusive, and required; with pause: its end, if it has one.
        rerun: With backfill: also what has ended, however it ended, and what ``except`` or a
            holiday leaves out.
        rerun_failed: With backfill: also what has ended without success.
        note: Why.

    Texts have 1,000 characters at most, times have an offset.
    """

    schema: int = SCHEMA
    id: str
    kind: RequestKind
    by: Words
    schedule: ScheduleId
    run_id: RunId | None = None
    key: Words | None = None
    force: Flag = False
    environment: dict[str, str] | None = None
    nominal: RequestTime | None = None
    after: RequestTime | None = None
    until: RequestTime | None = None
    rerun: Flag = False
    rerun_failed: Annotated[Flag, Field(exclude_if=_unset)] = False
    note: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Stored):
    """
    What became of a request.

    Attributes:
        request: The request; None if what stood there was none.
        made: When it was made, by the storage's clock.
        at: When it was answered.
        status: Done, or refused.
        sentence: What was done, or why it was refused and what would help.
        runs: Ids of the runs that there are because of it.
    """

    schema: int = SCHEMA
    request: Request | None = None
    made: datetime
    at: datetime
    status: Status
    sentence: str
    runs: tuple[RunId, ...] = ()


_LONGEST_NAME: Final = 80
_REQUEST = TypeAdapter(Request)
_ANSWER = TypeAdapter(Answer)


def dump_request(request: Request) -> bytes:
    """Return the JSON of a request."""
    return _REQUEST.dump_json(request, indent=2, exclude_none=True) + b"\n"


def load_request(data: bytes) -> Request:
    """
    Return the request of its JSON.

    Raises:
        RecordUnreadable: It is none, or has more than 256 KiB.
    """
    if len(data) > MOST_BYTES:
        raise RecordUnreadable(f"not a request: it has more than {MOST_BYTES // 1024} KiB")
    return _load_message(_REQUEST, data, "a request")


def dump_answer(answer: Answer) -> bytes:
    """Return the JSON of an answer."""
    return _ANSWER.dump_json(answer, indent=2, exclude_none=True) + b"\n"


def load_answer(data: bytes) -> Answer:
    """Return the answer of its JSON; raises RecordUnreadable if it is none."""
    return _load_message(_ANSWER, data, "an answer")


def _load_message[T: (Request, Answer)](adapter: TypeAdapter[T], data: bytes, what: str) -> T:
    try:
        value = adapter.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part)[:_LONGEST_NAME] for part in first["loc"])
        place = place if place.isprintable() else ascii(place)
        raise RecordUnreadable(f"not {what}: {place}: {first['msg']}") from error
    if value.schema != SCHEMA:
        raise RecordUnreadable(f"{what} of schema {value.schema}; this version reads {SCHEMA}")
    return value
