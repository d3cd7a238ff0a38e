"""
The state of the submit pass and the work list of both passes, as values.

``submit.json`` has one writer, which holds the blob's lease.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from orchestrator import ids
from orchestrator.enums import After, AttemptState, BlockedReason
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import SCHEMA, Kind, Record
from orchestrator.ledger.state_blobs import load_state
from orchestrator.model import Pause, Timing
from orchestrator.stored import Stored


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleState(Stored):
    """
    How far one schedule is decided, and by which timings.

    Attributes:
        timings: In the order of ``since``; the last is in force.
        decided_until: The watermark: every occurrence up to it has been decided.
        pauses: By operators and after failures, in the order of ``since``.
        forgiven: The newest failed runs that a resume has seen, eight at most: neither they nor,
            where they are eight, those before them in the results pause the schedule.
        forgiven_until: A resume at this time did not know which runs had failed: it forgave those
            of all nominal times up to it.
        earlier: Since when the oldest of the timings held that were moved to ``history/``.
        returned: When the schedule had been removed before it came back, if that timing was moved.
    """

    timings: tuple[Timing, ...]
    decided_until: datetime
    pauses: tuple[Pause, ...] = ()
    forgiven: tuple[RunId, ...] = ()
    forgiven_until: datetime | None = None
    earlier: datetime | None = None
    returned: datetime | None = None

    @property
    def begin(self) -> datetime:
        """Since when its timings are known, here or in ``history/``."""
        return min(self.earlier or self.timings[0].since, self.timings[0].since)

    @property
    def removed(self) -> bool:
        """Whether the document no longer holds this schedule."""
        return self.timings[-1].removed

    @property
    def over(self) -> bool:
        """Whether it was removed and everything before that is decided: nothing comes due."""
        return self.removed and self.decided_until >= self.timings[-1].since


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitState(Stored):
    """
    The content of ``submit.json``.

    Attributes:
        ledger: Id of this ledger, made once; empty until then.
        owner: URL of the Batch account whose app works on it, on a laptop without its port.
        document: ETag that ``schedules.toml`` had with the version that was last taken over,
            ``missing`` if there was none.
        schedules: By schedule id, removed ones included.
        plan: Decisions written down and not yet all carried out, as the records they become.
        departed: Whether removed schedules were moved to ``history/``: a new one may be one of them.
        version: Number of the version that was last taken over; None if it had none.
    """

    schema: int = SCHEMA
    ledger: str = ""
    owner: str = ""
    document: str = ""
    schedules: dict[ScheduleId, ScheduleState] = field(
        default_factory=dict[ScheduleId, ScheduleState]
    )
    plan: tuple[Record, ...] = ()
    departed: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """
    One line of the work list: what the listing of ``open/`` says of a run.

    The attributes are those of its record and of the attempt in hand; ``untried``: its gate has
    never been open, so that it certainly has no job. ``taken``: another job has its id.
    ``start_by``: when the start timeout of its job ends, while the task waits; earlier versions did
    not write it. ``since``: when it came to stand as it does; earlier versions did not write it
    either, nor ``pool``, that of its job, and ``node``, which has its task. ``damaged``: the
    metadata cannot be read, so that only run id and schedule are certain.
    """

    run_id: RunId
    schedule: ScheduleId
    nominal: datetime
    kind: Kind
    forced: bool
    state: AttemptState
    attempt: int
    not_before: datetime | None
    after: After | None
    untried: bool
    blocked: bool
    stop: bool
    taken: bool = False
    claim: str | None = None
    account: str | None = None
    start_by: datetime | None = None
    since: datetime | None = None
    pool: str | None = None
    node: str | None = None
    damaged: bool = False

    @property
    def order(self) -> tuple[datetime, RunId]:
        """Older runs come first."""
        return self.nominal, self.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRequest:
    """A request that waits, and when it was made by the storage's clock."""

    id: str
    made: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HousekeepingMark:
    """
    When old jobs were last looked for.

    Attributes:
        at: By the storage's clock.
        after: Id of the job behind which the next tick goes on; None: all were looked at.
        etag: Of the mark.
    """

    at: datetime
    after: str | None
    etag: str


def read_open_run(blob: str, metadata: Mapping[str, str]) -> OpenRun | None:
    """
    Read one line of the work list.

    Returns:
        The run; None for a blob that is no open record, or that bears none of our metadata.

    Raises:
        RecordUnreadable: Its metadata say what this version does not know.
    """
    run_id = ids.open_run_id(blob)
    parsed = ids.parse_run_id(run_id) if run_id else None
    values = {key.lower(): value for key, value in metadata.items()}
    if run_id is None or parsed is None or "state" not in values:
        return None
    schedule, nominal = parsed
    try:
        not_before, after = values.get("not_before"), values.get("after")
        start_by, since = values.get("start_by"), values.get("since")
        return OpenRun(
            run_id=run_id,
            schedule=schedule,
            nominal=nominal or _parse_aware(values.get("nominal", "")),
            kind=Kind(values.get("kind", Kind.SCHEDULED)),
            forced="forced" in values,
            state=AttemptState(values["state"]),
            attempt=int(values.get("attempt", "1")),
            not_before=_parse_aware(not_before) if not_before else None,
            after=After(after) if after else None,
            untried=after is not None and "ready" not in values,
            blocked="blocked" in values,
            stop="stop" in values,
            taken=values.get("blocked") == BlockedReason.ID_TAKEN,
            claim=values.get("claim"),
            account=values.get("account"),
            start_by=_parse_aware(start_by) if start_by else None,
            since=_parse_aware(since) if since else None,
            pool=values.get("pool"),
            node=values.get("node"),
        )
    except ValueError as error:
        raise RecordUnreadable(f"the metadata of {blob}: {error}") from error


def damaged_open_run(blob: str, created: datetime) -> OpenRun | None:
    """
    Return the line of an open record whose metadata cannot be read: it counts as submitted.

    Args:
        blob: Its name.
        created: When the blob was made: it stands for the nominal time of a trigger's run.

    Returns:
        The run; None for a blob that is not an open record by its name.
    """
    run_id = ids.open_run_id(blob)
    parsed = ids.parse_run_id(run_id) if run_id else None
    if run_id is None or parsed is None:
        return None
    schedule, nominal = parsed
    return OpenRun(
        run_id=run_id,
        schedule=schedule,
        nominal=nominal or created,
        kind=Kind.SCHEDULED if nominal else Kind.TRIGGERED,
        forced=False,
        state=AttemptState.SUBMITTED,
        attempt=1,
        not_before=None,
        after=None,
        untried=False,
        blocked=False,
        stop=False,
        damaged=True,
    )


def _parse_aware(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return instant


_SUBMIT = TypeAdapter(SubmitState)


def dump_submit(state: SubmitState) -> bytes:
    """Return the JSON of ``submit.json``."""
    return _SUBMIT.dump_json(state)


def load_submit(data: bytes) -> SubmitState:
    """Return the state of ``submit.json``; raises RecordUnreadable if it is none."""
    return load_state(_SUBMIT, data, "submit.json")
