"""`recur gaps`: what should be recorded and is not; none, as long as nobody meddles."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orchestrator import ids
from orchestrator.enums import AttemptState
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.state import ScheduleState
from recur.app import Context
from recur.errors import CliError, Exit
from recur.history.coverage import Coverage, Recorded, Span, compare
from recur.history.names import KEPT, Entry, month, months_back
from recur.history.past import past_schedule
from recur.history.reading import History, OpenList
from recur.history.standing import local, span, utc
from recur.known import Known, look_at, zone_of
from recur.output import Output
from recur.progress import progress
from recur.tables import show_table
from recur.times import parse_time

_SHOWN: Final = 50
_FEW_MONTHS: Final = 2
_MISSING: Final = "what is missing"


def find_gaps(given: Context, schedule: str | None, since: str | None) -> Exit:
    """
    Compare what the timings plan with what is recorded.

    What is read follows the way of a record (plan, open, final), so that a tick at work meanwhile
    makes no gap.

    Raises:
        CliError: There is no such schedule, or nothing was ever decided.
    """
    ledger = given.target().ledger()
    known = look_at(ledger)
    if known.state is None:
        raise CliError(
            Exit.FOUND,
            "; ".join(known.doubts) or "nothing has been decided yet: no tick has run",
            "recur doctor says what is wrong",
        )
    history = History(ledger, given.output)
    states = known.state.schedules
    if schedule is not None:
        id_ = past_schedule(history, known, schedule)
        states = {id_: states[id_]} if id_ in states else {}
    zone = zone_of(known, next(iter(states))) if len(states) == 1 else UTC
    begin = parse_time(since, zone, name="--since") if since else known.now - KEPT
    begin = max(begin, known.now - KEPT)
    after = begin - timedelta(seconds=1)
    found = list(_compared(given.output, history, known, states, after))
    _show(given.output, known, found)
    given.output.result({"since": utc(begin), "schedules": [_told(one) for one in found]})
    return Exit.DONE if all(one.whole for one in found) else Exit.FOUND


def _compared(
    output: Output,
    history: History,
    known: Known,
    states: dict[ScheduleId, ScheduleState],
    after: datetime,
) -> Iterator[Coverage]:
    """Yield the comparison of each schedule."""
    work = history.open_list()
    folders = [
        folder for id_, one in states.items() for folder in _folders(id_, after, one.decided_until)
    ]
    entries: dict[ScheduleId, list[Entry]] = defaultdict(list)
    for entry in history.entries(folders):
        entries[entry.schedule].append(entry)
    spans = _spans(history, [one for some in entries.values() for one in some if one.count > 1])
    with progress(output, "comparing", len(states)) as advance:
        for id_, state in sorted(states.items()):
            recorded = _recorded(known, id_, work, entries[id_], spans[id_])
            begin = max(after, state.timings[0].since)
            one = compare(id_, state, recorded, after=begin, now=known.now)
            if one.gaps and begin > state.timings[0].since:
                one = _without_earlier_ranges(history, one)
            advance(1)
            yield one


def _folders(schedule: ScheduleId, after: datetime, until: datetime) -> list[str]:
    """Return what to list: a few months, or else whole years."""
    if until <= after:
        return []
    months = list(months_back(until, after))
    if len(months) <= _FEW_MONTHS:
        return [month(schedule, year, number) for year, number in months]
    years = sorted({year for year, _ in months})
    return [f"{ids.FINAL_PREFIX}{schedule}/{year:04}/" for year in years]


def _spans(history: History, entries: Sequence[Entry]) -> dict[ScheduleId, list[Span]]:
    """Read the range records: their names tell where they begin, not where they end."""
    spans: dict[ScheduleId, list[Span]] = defaultdict(list)
    records = history.records([one.blob for one in entries])
    history.check_read(_MISSING)
    for entry, record in zip(entries, records, strict=True):
        if record and record.range:
            one = record.range
            spans[entry.schedule].append(
                Span(first=one.first, last=one.last, count=one.count, blob=entry.blob)
            )
    return spans


def _recorded(
    known: Known,
    schedule: ScheduleId,
    work: OpenList,
    entries: Sequence[Entry],
    spans: Sequence[Span],
) -> Recorded:
    single = {one.nominal for one in entries if one.count == 1 and one.nominal}
    runs = [run for run in work.runs if run.schedule == schedule and run.kind is not Kind.TRIGGERED]
    parsed = [ids.parse_run_id(run) for run in work.unlisted]
    unlisted = {one[1] for one in parsed if one and one[0] == schedule and one[1]}
    twice = [
        run.nominal
        for run in runs
        if run.kind is Kind.SCHEDULED
        and run.state is not AttemptState.ENDED
        and run.nominal in single
    ]
    planned = [one for one in known.state.plan if one.schedule == schedule] if known.state else []
    single |= {run.nominal for run in runs} | unlisted
    single |= {
        one.nominal for one in planned if one.range is None and one.kind is not Kind.TRIGGERED
    }
    found = [*spans]
    for one in planned:
        if one.range and one.blob not in {span.blob for span in spans}:
            ends = one.range
            found.append(Span(first=ends.first, last=ends.last, count=ends.count, blob=one.blob))
    return Recorded(single=single, spans=found, twice=twice, unlisted=unlisted)


def _without_earlier_ranges(history: History, one: Coverage) -> Coverage:
    """Leave out what lies in ranges that begin before the time looked at."""
    left = [gap for gap in one.gaps if history.range_with(one.schedule, gap) is None]
    if left:
        history.check_read(_MISSING)
    return replace(one, gaps=tuple(left))


def _show(output: Output, known: Known, found: Sequence[Coverage]) -> None:
    rows = []
    for one in found:
        zone = zone_of(known, one.schedule) or UTC
        told = [
            *((gap, "decided, and without a record") for gap in one.gaps),
            *((gap, "more than one record") for gap in one.doubled),
            *((gap, "open, and the ticks leave it alone") for gap in one.unlisted),
            *((gap, f"undecided, {span(known.now - gap)} late") for gap in one.overdue),
            *(
                (two.span.first, f"a range for {two.span.count}, and {two.bare} lie in it")
                for two in one.short
            ),
        ]
        rows += [(one.schedule, local(at, zone), utc(at), what) for at, what in sorted(told)]
    if rows:
        show_table(output, ("SCHEDULE", "NOMINAL", "UTC", "WHAT"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        output.say(f"and {len(rows) - _SHOWN} more; --json has them all")
    planned = sum(one.planned for one in found)
    gaps = sum(len(one.gaps) + len(one.short) for one in found)
    output.say(
        f"{planned} occurrences of {len(found)} schedule(s) were decided; "
        + (f"{gaps} gap(s)" if gaps else "no gap")
    )
    unplanned = sum(len(one.unplanned) for one in found)
    if unplanned:
        output.say(f"{unplanned} record(s) are of times that no timing has; --json names them")
    for step in _next_steps(found):
        output.say(f"  next: {step}")


def _next_steps(found: Sequence[Coverage]) -> Iterator[str]:
    if any(one.overdue for one in found):
        yield "recur doctor says why nothing ticks; `recur tick submit` makes one tick by hand"
    for one in found:
        for gap in (*one.gaps, *one.unlisted)[:1]:
            yield f"recur explain {one.schedule} {utc(gap)}"
            return


def _told(one: Coverage) -> dict[str, Any]:
    return {
        "schedule": one.schedule,
        "planned": one.planned,
        "gaps": one.gaps,
        "short": one.short,
        "doubled": one.doubled,
        "unlisted": one.unlisted,
        "overdue": one.overdue,
        "unplanned": one.unplanned,
    }
