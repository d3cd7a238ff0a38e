"""What is known of an instant of a schedule, and the explanation of it, as values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from orchestrator import ids
from orchestrator.enums import Outcome
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Record
from orchestrator.ledger.state import OpenRun, ScheduleState
from orchestrator.model import About, Interval, Occurrence, Recurrence
from orchestrator.timing.occurrences import in_force
from recur.causes.surroundings import Surroundings
from recur.formats import local, short_duration, utc

DUE: Final = timedelta(minutes=2)
"""So young may an undecided occurrence be before it tells that nothing ticks."""


class Verdict(StrEnum):
    """What is the matter with an occurrence, in one word for programs."""

    ENDED = "ended"
    OPEN = "open"
    SKIPPED = "skipped"
    MISSED = "missed"
    PLANNED = "planned"
    DUE = "due"
    UNDECIDED = "undecided"
    UNRECORDED = "unrecorded"
    UNREADABLE = "unreadable"
    FUTURE = "future"
    NOT_DUE = "not_due"
    NOT_BEGUN = "not_begun"
    REMOVED = "removed"
    UNKNOWN = "unknown"


CLOCK: Final = "clock"
"""The source of what a zone's rules say."""

POOL: Final = "pool"
"""The source of what Batch says of the pool."""

WRONG: Final = frozenset({Verdict.UNDECIDED, Verdict.UNRECORDED, Verdict.UNREADABLE})
"""What should not be: somebody has to do something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """
    One piece of evidence.

    Attributes:
        source: Where it stands: a blob's name, ``CLOCK`` or ``POOL``.
        says: What it says.
    """

    source: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    The answer for one instant.

    Attributes:
        verdict: In one word.
        nominal: The instant.
        sentence: In one sentence.
        facts: The evidence, in the order in which one leads to the next.
        next_step: What to do; None where nothing has to be done.
        last_lines: The end of what the run wrote, or of what a start task said that failed.
        outcome: Of a run that ended.
        run_id: Of a triggered run; None: that of the occurrence.
    """

    verdict: Verdict
    nominal: datetime
    sentence: str
    facts: tuple[Fact, ...] = ()
    next_step: str | None = None
    last_lines: tuple[str, ...] = ()
    outcome: Outcome | None = None
    run_id: RunId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """
    What holds for all occurrences of one schedule.

    Attributes:
        zone: Of its wall times.
        state: Its timings and watermark; of a schedule that no tick has seen yet, those that the
            document will give it; None if nothing tells them any more.
        taken_over: Whether a tick has seen the schedule.
        trouble: What is wrong with the document or with its table, and keeps it undecided.
        changed: When the document was changed, if no tick has taken that over yet.
        written: When submit.json was last written; None if there is none.
        open_runs: Its open runs, oldest first.
        about: What its table in the document in force says for people.
        around: What its runs run in; of those that have ended the pool does not matter.
    """

    schedule: ScheduleId
    zone: tzinfo
    around: Surroundings
    state: ScheduleState | None
    taken_over: bool = True
    trouble: str | None = None
    changed: datetime | None = None
    written: datetime | None = None
    open_runs: tuple[OpenRun, ...] = ()
    about: About | None = None

    @property
    def now(self) -> datetime:
        """The clock of the storage."""
        return self.around.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    What there is at one instant.

    Attributes:
        nominal: The instant.
        occurrence: By the timing in force at it; None if there is none.
        notes: What changes of the clock have to do with it.
        open: Its open record, the newer truth where there is a final one as well.
        final: Its final record, or that of the range it lies in.
        blob: The name of the final record's blob.
        planned: Its record in the plan that is being carried out.
        unreadable: Why what the ledger holds of it cannot be read, with each blob's name.
        triggered: The triggered runs at this time, which are no occurrences.
        day: The day that was asked for, where nothing at all falls on it.
        before: The nominal time of the newest occurrence before it.
        after: That of the next one.
        run_id: Of the triggered run that this is; None: it is an occurrence, or may be one.
    """

    nominal: datetime
    occurrence: Occurrence | None
    notes: tuple[str, ...] = ()
    open: Record | None = None
    final: Record | None = None
    blob: str | None = None
    planned: Record | None = None
    unreadable: tuple[Fact, ...] = ()
    triggered: tuple[Fact, ...] = ()
    day: date | None = None
    before: datetime | None = None
    after: datetime | None = None
    run_id: RunId | None = None


def subject(case: Case, background: Background) -> str:
    """Return schedule and time, as sentences begin."""
    at = local(case.nominal, background.zone)
    if case.run_id:
        return f"{case.run_id}, triggered for {at},"
    return f"{background.schedule} of {at}"


def timing_facts(case: Case, background: Background) -> list[Fact]:
    """Say by which timing an instant is judged, and how far the schedule is decided."""
    facts = [Fact(source=CLOCK, says=note) for note in case.notes]
    state = background.state
    if state is None:
        return facts
    timing = in_force(state.timings, case.nominal)
    source = ids.SUBMIT_STATE if background.taken_over else ids.DOCUMENT
    what = "the schedule is removed" if timing.removed else "nothing is due"
    if timing.recurrence:
        what = rule(timing.recurrence) + (", paused" if timing.paused else "")
    by = f", by version {timing.version} of the document" if timing.version is not None else ""
    facts.append(Fact(source=source, says=f"after {utc(timing.since)}: {what}{by}"))
    if background.taken_over:
        facts.append(Fact(source=source, says=f"decided up to {utc(state.decided_until)}"))
    return facts


def _counted(interval: Interval | None) -> Callable[[str], str]:
    """Return how an expression is spelt with the interval that it keeps to."""
    if interval is None:
        return str
    return f"{{}} every {interval.every} {interval.unit} from {interval.anchor}".format


def rule(recurrence: Recurrence) -> str:
    """Return a recurrence in the words of the document."""
    if recurrence.every:
        anchor = f" from {utc(recurrence.anchor)}" if recurrence.anchor else ""
        when = f"every {short_duration(recurrence.every)}{anchor}"
    else:
        single = (f"at {one:%Y-%m-%d %H:%M}" for one in recurrence.at)
        when = " or ".join((*map(_counted(recurrence.interval), recurrence.cron), *single))
    left_out = f", except {', '.join(recurrence.except_)}" if recurrence.except_ else ""
    if holidays := recurrence.holidays:
        left_out += f", on holidays of {', '.join(holidays.calendars)}: {holidays.policy}"
    end = f", until {utc(recurrence.end)}" if recurrence.end else ""
    return f"{when} in {recurrence.time_zone}{left_out}{end}"
