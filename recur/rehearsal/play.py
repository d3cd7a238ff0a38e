"""Play a document: what is due is decided and dispatched minute by minute, as the ticks do it."""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from orchestrator import ids
from orchestrator.decisions.claims import jittered
from orchestrator.decisions.decide import decide
from orchestrator.decisions.decision import Decision, Submit
from orchestrator.decisions.due import Due, due
from orchestrator.decisions.timings import begun_anew
from orchestrator.enums import After
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Occurrence, Schedule
from recur.rehearsal.durations import Durations
from recur.rehearsal.simulated_pool import PlannedRun, Rehearsal, RehearsedRun

_MINUTE: Final = timedelta(minutes=1)
_QUIET: Final = timedelta(days=1)
"""How long runs may go on that are due on the last day."""


@dataclass(slots=True, kw_only=True, eq=False)
class PlayedRun:
    """
    A run from its decision on.

    Attributes:
        id: As the ledger would have it.
        nominal: When it was due.
        seconds: How long its task takes.
        cut_off: Whether its run timeout ends it before that.
        after: What it waits for.
        not_before: Its jitter.
        job: What came of its job; None as long as there is none.
        replaced: Whether a later run took its place.
    """

    id: RunId
    nominal: datetime
    seconds: float
    cut_off: bool
    after: After | None
    not_before: datetime | None
    job: RehearsedRun | None = None
    replaced: bool = False

    @property
    def open(self) -> bool:
        """Whether its job has not ended, or is still to come."""
        return not self.replaced if self.job is None else self.job.open


@dataclass(slots=True, kw_only=True, eq=False)
class Course:
    """
    What becomes of one schedule.

    Attributes:
        schedule: Its table.
        runs: All of them, in the order of decisions.
        open: Those that are in the way of others.
        skipped: How many occurrences did not run, by the reason.
    """

    schedule: Schedule
    runs: list[PlayedRun] = field(default_factory=list[PlayedRun])
    open: list[PlayedRun] = field(default_factory=list[PlayedRun])
    skipped: Counter[str] = field(default_factory=Counter[str])

    def forget_ended(self) -> None:
        """Let runs that have ended be in nobody's way."""
        self.open = [run for run in self.open if run.open]


type _Batch = tuple[datetime, int, Course, tuple[Occurrence, ...], datetime | None]
"""The tick, a number that keeps the order, whose, what is due, and when it is due again."""


async def play(
    stage: Rehearsal,
    schedules: Mapping[ScheduleId, Schedule],
    durations: Durations,
    *,
    until: datetime,
    after: datetime | None = None,
) -> list[Course]:
    """
    Decide and run everything that is due of these schedules.

    Args:
        stage: The pool, whose time is the begin.
        schedules: The tables of the document.
        durations: How long runs take.
        until: The last instant at which something is due; what then goes on has another day.
        after: What is due later than this counts; by default the begin.

    Returns:
        What became of each schedule, in the order of the document.
    """
    since = stage.now if after is None else after
    state = begun_anew(SubmitState(), dict(schedules), frozenset(), document="", now=since)
    courses = {id_: Course(schedule=schedule) for id_, schedule in schedules.items()}
    merged = heapq.merge(
        *(
            _batches(course, state.schedules[id_], number, until)
            for number, (id_, course) in enumerate(courses.items())
        )
    )
    waiting: list[tuple[Course, PlayedRun]] = []
    tick: datetime | None = None
    for batch in merged:
        while tick is not None and waiting and tick < batch[0]:
            await stage.advance_to(tick)
            waiting, tick = _dispatch(stage, waiting), tick + _MINUTE
        await stage.advance_to(batch[0])
        waiting += _decide(batch, durations)
        waiting, tick = _dispatch(stage, waiting), batch[0] + _MINUTE
    end = until + _QUIET
    while tick is not None and waiting and tick < end:
        await stage.advance_to(tick)
        waiting, tick = _dispatch(stage, waiting), tick + _MINUTE
    await stage.advance_to(end)
    return list(courses.values())


def that_run(
    schedules: Mapping[ScheduleId, Schedule], after: datetime, until: datetime
) -> list[ScheduleId]:
    """Return the schedules with an occurrence in ``(after, until]`` that their timing lets run."""
    state = begun_anew(SubmitState(), dict(schedules), frozenset(), document="", now=after)
    return [
        id_
        for id_ in schedules
        if any(one.can_run for one in _occurrences(state.schedules[id_], until))
    ]


def _batches(
    course: Course, state: ScheduleState, number: int, until: datetime
) -> Iterator[_Batch]:
    """Yield what is due of a schedule, tick by tick."""
    tick: datetime | None = None
    mine: list[Occurrence] = []
    for occurrence in _occurrences(state, until):
        at = _tick_of(occurrence.nominal)
        if tick is not None and at != tick:
            yield tick, number, course, tuple(mine), occurrence.nominal
            mine = []
        tick = at
        mine.append(occurrence)
    if tick is not None:
        yield tick, number, course, tuple(mine), None


def _occurrences(state: ScheduleState, until: datetime) -> Iterator[Occurrence]:
    found = due(state, until)
    yield from found.occurrences
    while found.until < until:
        # The state is a value: the watermark of the next look is where this one ended.
        found = due(_decided(state, found.until), until)
        yield from found.occurrences


def _decided(state: ScheduleState, until: datetime) -> ScheduleState:
    return ScheduleState(timings=state.timings, decided_until=until, pauses=state.pauses)


def _tick_of(nominal: datetime) -> datetime:
    """Return the first tick that finds something due: the timer fires each minute."""
    whole = nominal.replace(second=0, microsecond=0)
    return whole if whole == nominal else whole + _MINUTE


def _decide(batch: _Batch, durations: Durations) -> list[tuple[Course, PlayedRun]]:
    now, _, course, occurrences, upcoming = batch
    schedule = course.schedule
    course.forget_ended()
    decisions = decide(
        schedule.id,
        schedule,
        Due(occurrences=occurrences, until=now),
        in_the_way=[run.id for run in course.open],
        now=now,
    )
    made = []
    for decision in decisions:
        if isinstance(decision, Submit):
            nominal = decision.occurrence.nominal
            seconds = durations.seconds(schedule.id, len(course.runs))
            limit = schedule.run_timeout.total_seconds()
            run = PlayedRun(
                id=ids.run_id(schedule.id, nominal),
                nominal=nominal,
                seconds=min(seconds, limit),
                cut_off=seconds > limit,
                after=decision.after,
                not_before=jittered(schedule, nominal, upcoming),
            )
            course.runs.append(run)
            course.open.append(run)
            made.append((course, run))
        else:
            _count(course.skipped, decision)
    return made


def _count(skipped: Counter[str], decision: Decision) -> None:
    assert not isinstance(decision, Submit)  # noqa: S101 - by the caller
    others = decision.span.also if decision.span else {}
    for reason, count in others.items():
        skipped[str(reason)] += count
    whole = decision.span.count if decision.span else 1
    skipped[str(decision.reason)] += whole - sum(others.values())


def _dispatch(
    stage: Rehearsal, waiting: list[tuple[Course, PlayedRun]]
) -> list[tuple[Course, PlayedRun]]:
    """Submit the runs whose gates are open, and return the others."""
    left = []
    for course, run in waiting:
        if run.replaced:
            continue
        if (run.not_before is None or run.not_before <= stage.now) and _passes(stage, course, run):
            run.job = stage.submit(PlannedRun(id=run.id, seconds=run.seconds))
        else:
            left.append((course, run))
    return left


def _passes(stage: Rehearsal, course: Course, run: PlayedRun) -> bool:
    """Tell whether no earlier run is in the way; one that is replaced is ended."""
    if run.after is None:
        return True
    course.forget_ended()
    before = []
    for other in course.open:
        if other is run:
            break
        before.append(other)
    if run.after is After.REPLACE:
        for other in before:
            other.replaced = True
            if other.job is not None:
                stage.stop(other.id)
    return not before
