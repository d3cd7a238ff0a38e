"""
The record of one run or of occurrences that did not run: what the operator reads.

A record lives below ``open/`` until it is final and below ``runs/`` from then on. Its JSON is
public: field names are those of the dataclasses, times ISO 8601 UTC, durations ISO 8601.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from orchestrator import ids
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.attempt import Attempt, FrozenTask, Stop
from orchestrator.model import About
from orchestrator.stored import Stored

SCHEMA: Final = 1

METADATA_KEYS: Final = frozenset(
    {
        "state",
        "attempt",
        "kind",
        "nominal",
        "forced",
        "claim",
        "account",
        "not_before",
        "after",
        "ready",
        "blocked",
        "stop",
        "start_by",
        "since",
        "pool",
        "node",
    }
)
"""What this version writes as metadata of an open record; some of them only where they apply."""


class Kind(StrEnum):
    """Who asked for a run."""

    SCHEDULED = "scheduled"
    TRIGGERED = "triggered"
    BACKFILLED = "backfilled"


class Action(StrEnum):
    """What was decided for an occurrence."""

    SUBMIT = "submit"
    SKIPPED = "skipped"
    MISSED = "missed"


class How(StrEnum):
    """How an output came to its blob, or that it did not."""

    PUSHED = "pushed"
    FETCHED = "fetched"
    UNVERIFIED = "unverified"
    MISSING = "output_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided(Stored):
    """
    What was decided, when, and which run was the cause.

    Attributes:
        action: Submitted, skipped or missed.
        reason: One of the skip or miss reasons; None for a submission.
        because: The run that was in the way, or that stands for this occurrence.
        at: The tick's now.
    """

    action: Action
    reason: str | None = None
    because: RunId | None = None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Output(Stored):
    """
    One output of the last attempt.

    Attributes:
        path: Below the run's folder in the outputs container.
        bytes: Its size; None if there is none.
        sha256: Hex digest of its bytes; None where the size alone was verified: what is beyond
            64 MiB of all the outputs of one attempt, or takes longer than ten seconds to read.
        how: Pushed by the node, fetched from it, there but never read back, or missing.
        code: Why it is missing or unverified, in a word.
        why: The same in a sentence.
        undeclared: Whether it matches no declared pattern: nothing vouches for what wrote it.
    """

    path: str
    bytes: int | None = None
    sha256: str | None = None
    how: How
    code: str | None = None
    why: str | None = None
    undeclared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords(Stored):
    """The ends of what a task wrote, decoded; control characters are escaped."""

    stderr: str = ""
    stdout: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Stored):
    """
    An estimate of what the attempts of a run cost: their task seconds at the price of their node.

    Attributes:
        amount: As a decimal number.
        currency: As in the document's table of prices.
    """

    amount: float
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Range(Stored):
    """
    The occurrences that one record of missed or skipped ones stands for.

    An occurrence in between that has a record of its own is that record's, and not counted here.

    Attributes:
        first: Nominal time of the first of them.
        last: Of the last of them.
        count: How many they are.
        also: How many of them were not going to run in any case, by their own reason: what
            ``except`` leaves out, what does not exist, or what a later version tells apart. The
            others have the record's reason.
    """

    first: datetime
    last: datetime
    count: int
    also: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions(Stored):
    """What decided and submitted: the product, and the zone rules in force."""

    product: str
    tzdata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Past(Stored):
    """
    What a final record said before a backfill opened it again.

    Attributes:
        kind: Who had asked for it.
        claim: Id of that claim, if it had one.
        request: Id of the request, if there was one.
        by: Who made that request.
        note: Why.
        decision: What had been decided.
        outcome: How it had ended, if it had run.
        reason: Why.
        sentence: The same in one sentence.
        attempts: How many attempts it had had.
    """

    kind: Kind
    claim: str | None = None
    request: str | None = None
    by: str | None = None
    note: str | None = None
    decision: Decided
    outcome: Outcome | None = None
    reason: Reason | None = None
    sentence: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Stored):
    """
    One run, or one occurrence or range of them that did not run.

    Attributes:
        ledger: Id of the ledger; None where it had none yet.
        claim: Id of this claim, which the metadata of its jobs repeat; None for records of
            earlier versions and for what did not run.
        request: Id of the request that asked for it; None for what the schedule asked for.
        by: Who made that request, as they said.
        note: Why.
        about: What the schedule's table said for people when this was decided; None: nothing.
        parameters: The variables that the request set for this run; ``task`` holds all.
        forced: Whether it starts whatever is in the way, and is in nobody's way.
        previous_success_unknown: Whether results of earlier runs were being made anew at its claim:
            its task does not know the last success.
        replaces: ETag of the final record that a backfill opened again.
        outputs: Of the last attempt, the first thousand.
        outputs_total: How many there are; None where they have not been counted.
        outputs_stored: When the last of them was stored, where storage tells.
        outputs_unread_since: When they could first not be read.
        unmatched: Declared patterns that matched no file.
        last_words: Of the last attempt, unless it succeeded.
        cost: Of all attempts, where the document has prices.
        history: What that record and those before it said.
        unknown_metadata: What the metadata of an open record's blob hold besides what this
            version writes. It stands beside the JSON and not in it.
    """

    schema: int = SCHEMA
    run_id: RunId
    schedule: ScheduleId
    nominal: datetime
    about: About | None = None
    kind: Kind = Kind.SCHEDULED
    ledger: str | None = None
    claim: str | None = None
    request: str | None = None
    by: str | None = None
    note: str | None = None
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    forced: bool = False
    previous_success_unknown: bool = False
    replaces: str | None = None
    decision: Decided
    merged: int = 1
    moved_from: Annotated[tuple[datetime, ...], Field(exclude_if=lambda times: not times)] = ()
    range: Range | None = None
    lateness_seconds: float | None = None
    task: FrozenTask | None = None
    attempts: tuple[Attempt, ...] = ()
    stop: Stop | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    sentence: str | None = None
    outputs: tuple[Output, ...] = ()
    outputs_total: int | None = None
    outputs_stored: datetime | None = None
    outputs_unread_since: datetime | None = None
    unmatched: tuple[str, ...] = ()
    last_words: LastWords | None = None
    cost: Cost | None = None
    packages: dict[str, str] = field(default_factory=dict[str, str])
    image: str | None = None
    versions: Versions
    history: tuple[Past, ...] = ()
    unknown_metadata: Annotated[dict[str, str], Field(exclude=True)] = field(
        default_factory=dict[str, str], compare=False, repr=False
    )

    @property
    def attempt(self) -> Attempt:
        """The attempt in hand; only a run that was claimed has one."""
        return self.attempts[-1]

    @property
    def blob(self) -> str:
        """The name of this record's blob once it is final."""
        if self.kind is Kind.TRIGGERED:
            return ids.triggered_blob(self.schedule, self.run_id)
        count = self.range.count if self.range else 1
        return ids.final_blob(self.schedule, self.nominal, self.run_id, count=count)

    @property
    def output_prefix(self) -> str:
        """The folder of the attempt in hand in the outputs container."""
        number = self.attempt.number
        return ids.output_prefix(self.schedule, self.nominal, self.run_id, number)

    @property
    def attempts_of_claim(self) -> tuple[Attempt, ...]:
        """The attempts of this life of the run, without those that its history tells of."""
        return self.attempts[self.history[-1].attempts if self.history else 0 :]

    def with_attempt(self, attempt: Attempt) -> "Record":
        """Return this record with ``attempt`` in the place of the one in hand."""
        return replace(self, attempts=(*self.attempts[:-1], attempt))


_ADAPTER = TypeAdapter(Record)


def dump(record: Record) -> bytes:
    """Return the JSON of a record, the same bytes for the same record."""
    return _ADAPTER.dump_json(record, indent=2) + b"\n"


def load(data: bytes, metadata: Mapping[str, str] | None = None) -> Record:
    """
    Return the record of its JSON.

    Args:
        data: The JSON.
        metadata: Of its blob; what this version does not know of it is kept.

    Raises:
        RecordUnreadable: It is not a record, or one of a later version.
    """
    try:
        record = _ADAPTER.validate_json(data)
    except ValidationError as error:
        raise RecordUnreadable(f"not a record: {error}") from error
    if record.schema != SCHEMA:
        raise RecordUnreadable(f"a record of schema {record.schema}; this version reads {SCHEMA}")
    if not metadata:
        return record
    unknown = {key: value for key, value in metadata.items() if key.lower() not in METADATA_KEYS}
    return replace(record, unknown_metadata=unknown)


def metadata(record: Record) -> dict[str, str]:
    """
    Return the metadata of an open record's blob: one listing of them is the work list.

    Keys that another version wrote are among them.
    """
    attempt = record.attempt
    values = {
        "state": attempt.state.value,
        "attempt": str(attempt.number),
        "kind": record.kind.value,
        "nominal": record.nominal.isoformat(),
    }
    start_by = _start_by(record)
    where_they_apply = {
        "claim": record.claim,
        "account": attempt.account,
        "forced": "true" if record.forced else None,
        "not_before": attempt.not_before.isoformat() if attempt.not_before else None,
        "after": attempt.after,
        "ready": attempt.ready.isoformat() if attempt.ready else None,
        "blocked": attempt.blocked,
        "stop": record.stop.cause if record.stop else None,
        "start_by": start_by.isoformat() if start_by else None,
        "pool": attempt.pool if attempt.state is AttemptState.SUBMITTED else None,
        "node": attempt.node if attempt.is_running else None,
    }
    values |= {key: str(value) for key, value in where_they_apply.items() if value}
    values["since"] = _since(record).isoformat()
    return record.unknown_metadata | values


def _start_by(record: Record) -> datetime | None:
    """Return when the start timeout of a submitted run ends; None if it runs, or is not submitted."""
    attempt = record.attempt
    if record.task is None or attempt.submitted is None or attempt.state is AttemptState.ENDED:
        return None
    since = attempt.waiting_since or attempt.submitted
    if attempt.started and attempt.started >= since and not attempt.waits_again:
        return None
    return since + record.task.start_timeout


def _since(record: Record) -> datetime:
    """Return when a run came to stand as it does: claimed, blocked, waiting, running or ended."""
    attempt = record.attempt
    if record.stop:
        return record.stop.at
    match attempt.state:
        case AttemptState.ENDED:
            return attempt.finished or attempt.claimed
        case AttemptState.SUBMITTED:
            waiting = attempt.waiting_since or attempt.submitted or attempt.claimed
            return max(attempt.started or waiting, waiting)
        case AttemptState.CLAIMED:
            return attempt.ready or attempt.not_before or attempt.claimed
