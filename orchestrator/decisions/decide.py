"""
What becomes of the occurrences that are due: a pure function of values.

An occurrence more than 90 s late came due while nothing ticked: catch-up decides on it. A younger
one is simply due. Each decision carries its reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from orchestrator import ids
from orchestrator.decisions.decision import Decision, Missed, Skip, Span, Submit
from orchestrator.decisions.due import LATE, Due
from orchestrator.enums import After, CatchUpMode, MissReason, Overlap, SkipReason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.model import CatchUp, Occurrence, Schedule

_WAITS = {Overlap.QUEUE: After.QUEUE, Overlap.REPLACE: After.REPLACE}


def decide(
    schedule_id: ScheduleId,
    schedule: Schedule | None,
    due: Due,
    *,
    in_the_way: Sequence[RunId] = (),
    now: datetime,
) -> list[Decision]:
    """
    Decide every occurrence of ``due``, oldest first.

    Args:
        schedule_id: Whose occurrences these are.
        schedule: Its table; None if the document no longer holds it: then all are removed.
        due: The undecided occurrences.
        in_the_way: The runs of this schedule whose jobs have not ended, oldest first.
        now: The tick's only clock.

    Returns:
        One decision for each occurrence; but beyond the newest ``catch_up.max`` that are missed,
        and as many that are skipped, one for all neighbours with the same cause.
    """
    open_runs = list(in_the_way)
    newer = sum(one.can_run for one in due.occurrences) + due.later
    submitted: RunId | None = None
    decisions: list[Decision] = []
    for occurrence in due.occurrences:
        if (reason := _refusal(occurrence)) is not None:
            decisions.append(Skip(occurrence=occurrence, reason=reason))
            continue
        assert schedule is not None, "what is not removed has a table"  # noqa: S101
        newer -= 1
        missed = _miss_reason(occurrence, schedule.catch_up, now, newer=newer)
        if missed is not None:
            decisions.append(Missed(occurrence=occurrence, reason=missed))
            continue
        decision = overlapping(schedule, occurrence, open_runs)
        if isinstance(decision, Submit):
            submitted = ids.run_id(schedule_id, occurrence.nominal)
            open_runs.append(submitted)
        decisions.append(decision)
    named = [_name(decision, submitted) for decision in decisions]
    most = schedule.catch_up.max if schedule else CatchUp().max
    return list(_shared(due.written_off, named, most))


def overlapping(
    schedule: Schedule, occurrence: Occurrence, in_the_way: Sequence[RunId]
) -> Submit | Skip:
    """
    Decide by the overlap policy alone.

    Args:
        schedule: Whose policy it is.
        occurrence: What is to run.
        in_the_way: The runs of this schedule whose jobs have not ended, oldest first.
    """
    if not in_the_way:
        return Submit(occurrence=occurrence)
    count = len(in_the_way)
    refused: SkipReason | None = None
    match schedule.overlap:
        case Overlap.SKIP:
            refused = SkipReason.OVERLAP
        case Overlap.QUEUE if count > schedule.max_queued:
            refused = SkipReason.QUEUE_FULL
        case Overlap.ALLOW if count >= schedule.max_parallel:
            refused = SkipReason.MAX_PARALLEL
        case _:
            pass
    if refused:
        return Skip(occurrence=occurrence, reason=refused, because=in_the_way[0])
    return Submit(occurrence=occurrence, after=_WAITS.get(schedule.overlap))


def _refusal(occurrence: Occurrence) -> SkipReason | None:
    """Say why an occurrence is skipped whatever the time and whatever else runs."""
    if occurrence.removed:
        return SkipReason.REMOVED
    if not occurrence.exists:
        return SkipReason.NONEXISTENT
    if occurrence.excluded:
        return SkipReason.EXCLUDED
    if occurrence.holiday:
        return SkipReason.HOLIDAY
    return SkipReason.PAUSED if occurrence.paused else None


def _miss_reason(
    occurrence: Occurrence, catch_up: CatchUp, now: datetime, *, newer: int
) -> MissReason | None:
    """Say why a late occurrence is missed; None if it is young, or one that is made up for."""
    lateness = now - occurrence.nominal
    if lateness <= LATE:
        return None
    if catch_up.mode is CatchUpMode.NONE:
        return MissReason.OFF
    if lateness > catch_up.window:
        return MissReason.WINDOW
    most = catch_up.max if catch_up.mode is CatchUpMode.ALL else 1
    return MissReason.SUPERSEDED if newer >= most else None


def _name(decision: Decision, run: RunId | None) -> Decision:
    """Let an occurrence that a later one stands for name the run that there is."""
    if isinstance(decision, Missed) and decision.reason is MissReason.SUPERSEDED:
        return replace(decision, because=run)
    return decision


def _shared(
    written_off: Iterable[Skip | Missed], decisions: Sequence[Decision], most: int
) -> Iterator[Decision]:
    """Let all but the newest ``most`` missed, and skipped, share a decision with neighbours."""
    sharing = Counter({Skip: -most, Missed: -most})
    sharing.update(type(one) for one in decisions if not isinstance(one, Submit))
    members = [*written_off]
    for decision in decisions:
        if isinstance(decision, Submit) or sharing[type(decision)] <= 0:
            yield from _merged(members)
            members = []
            yield decision
        else:
            sharing[type(decision)] -= 1
            members.append(decision)
    yield from _merged(members)


def _merged(members: Sequence[Skip | Missed]) -> Iterator[Skip | Missed]:
    """
    Merge neighbours with one cause into one decision each.

    What its timing alone leaves out parts no neighbours: every fifth minute in ``except`` would
    else cut a week's pause into thousands of pieces.
    """
    group: list[Skip | Missed] = []
    left_out: list[Skip | Missed] = []  # seen since the last of the group
    for one in members:
        if not group or _cause(one) == _cause(group[0]):
            group += [*left_out, one]
            left_out = []
        elif _is_left_out(one) and not _is_left_out(group[0]):
            left_out.append(one)
        else:
            yield from (_one(group), *_merged(left_out))
            group, left_out = [one], []
    if group:
        yield from (_one(group), *_merged(left_out))


def _one(group: Sequence[Skip | Missed]) -> Skip | Missed:
    """Return the decision that stands for all of a group, which begins with its cause."""
    first = group[0]
    if len(group) == 1:
        return first
    count, also = 0, Counter[SkipReason]()
    for one in group:
        span = _span(one)
        count += span.count
        also.update(span.also)
        if isinstance(one, Skip) and _cause(one) != _cause(first):
            also[one.reason] += span.count - sum(span.also.values())
    return replace(first, span=Span(last=_span(group[-1]).last, count=count, also=dict(also)))


def _span(one: Skip | Missed) -> Span:
    return one.span or Span(last=one.occurrence.nominal, count=1)


def _cause(decision: Skip | Missed) -> tuple[SkipReason | MissReason, RunId | None]:
    return decision.reason, decision.because


def _is_left_out(decision: Skip | Missed) -> bool:
    """Whether the occurrence was not going to run in any case, as its timing tells."""
    return decision.reason in {SkipReason.EXCLUDED, SkipReason.HOLIDAY, SkipReason.NONEXISTENT}
