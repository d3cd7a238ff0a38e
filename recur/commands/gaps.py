"""`recur gaps`: what should be recorded and is not; none, as long as nobody meddles."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import typer

from orchestrator import ids
from orchestrator.enums import AttemptState
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Kind
from orchestrator.ledger.state import ScheduleState
from recur.arguments import AnySchedule, Since
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import age, local, utc
from recur.ledger_reader.coverage import Coverage, RangeRecord, Recorded, compare_coverage
from recur.ledger_reader.moved_timings import with_moved
from recur.ledger_reader.record_blobs import KEPT, RecordBlob, month_folder, months_back
from recur.ledger_reader.records import History, OpenRuns
from recur.ledger_reader.run_lookup import past_schedule
from recur.ledger_reader.snapshot import Snapshot, read_snapshot, zone_of
from recur.output import Printer
from recur.progress import progress
from recur.tables import Column, show_table
from recur.times import parse_past_time

_SHOWN: Final = 50
_FEW_MONTHS: Final = 2
_MISSING: Final = "what is missing"
_COLUMNS: Final = (
    Column(name="SCHEDULE", rank=0),
    Column(name="NOMINAL", rank=1),
    Column(name="UTC", rank=3),
    Column(name="WHAT", rank=2, prose=True),
)
_FIELDS: Final = (
    "schedule",
    "planned",
    "gaps",
    "short",
    "doubled",
    "unlisted",
    "overdue",
    "unplanned",
)


def command(
    context: typer.Context,
    schedule: AnySchedule = None,
    since: Since = None,
) -> None:
    """
    Check that every decided occurrence has a record; exit code 1 if anything is missing.

    Every decided occurrence has one record, or belongs to a record of several. Occurrences that are
    undecided for more than five minutes are listed as well: then no tick runs.

    Example: recur gaps --since 2026-11-01
    """
    run(context, lambda given: find_gaps(given, schedule, since))


def find_gaps(given: Context, schedule: str | None, since: str | None) -> Exit:
    """
    Compare what the timings plan with what is recorded.

    What is read follows the way of a record (plan, open, final), so that a tick at work meanwhile
    makes no gap.

    Raises:
        CliError: There is no such schedule, or nothing was ever decided.
    """
    ledger = given.target().ledger()
    snapshot = read_snapshot(ledger)
    if snapshot.state is None:
        raise CliError(
            Exit.FOUND,
            "; ".join(snapshot.doubts) or "nothing is decided yet: no tick has run",
            "recur doctor",
        )
    history = History(ledger, given.output)
    only = past_schedule(history, snapshot, schedule) if schedule is not None else None
    named = [only] if only else list(snapshot.state.schedules)
    zone = zone_of(snapshot, named[0]) if len(named) == 1 else UTC
    begin = snapshot.now - KEPT
    if since:
        begin = parse_past_time(since, zone, name="--since", now=snapshot.now)
    begin = max(begin, snapshot.now - KEPT)
    after = begin - timedelta(seconds=1)
    snapshot = with_moved(ledger, snapshot, after=after, schedule=only)
    states = snapshot.state.schedules if snapshot.state else {}
    states = {id_: one for id_, one in states.items() if only in {None, id_}}
    found = list(_compared(given.output, history, snapshot, states, after))
    _show_gaps(given, snapshot.now, found)
    schedules = [_coverage_json(one) for one in found]
    given.output.listing({"since": utc(begin), "schedules": schedules}, schedules, _FIELDS)
    return Exit.DONE if all(one.whole for one in found) else Exit.FOUND


def _compared(
    output: Printer,
    history: History,
    snapshot: Snapshot,
    states: dict[ScheduleId, ScheduleState],
    after: datetime,
) -> Iterator[Coverage]:
    """Yield the comparison of each schedule."""
    work = history.open_list()
    folders = [
        folder for id_, one in states.items() for folder in _folders(id_, after, one.decided_until)
    ]
    entries: dict[ScheduleId, list[RecordBlob]] = defaultdict(list)
    for entry in history.entries(folders):
        entries[entry.schedule].append(entry)
    spans = _spans(history, [one for some in entries.values() for one in some if one.count > 1])
    with progress(output, "comparing", len(states)) as advance:
        for id_, state in sorted(states.items()):
            recorded = _recorded(snapshot, id_, work, entries[id_], spans[id_])
            begin = max(after, state.timings[0].since)
            one = compare_coverage(id_, state, recorded, after=begin, now=snapshot.now)
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
        return [month_folder(schedule, year, number) for year, number in months]
    years = sorted({year for year, _ in months})
    return [f"{ids.FINAL_PREFIX}{schedule}/{year:04}/" for year in years]


def _spans(history: History, entries: Sequence[RecordBlob]) -> dict[ScheduleId, list[RangeRecord]]:
    """Read the range records: their names tell where they begin, not where they end."""
    spans: dict[ScheduleId, list[RangeRecord]] = defaultdict(list)
    records = history.records([one.blob for one in entries])
    history.check_read(_MISSING)
    for entry, record in zip(entries, records, strict=True):
        if record and record.range:
            one = record.range
            spans[entry.schedule].append(
                RangeRecord(first=one.first, last=one.last, count=one.count, blob=entry.blob)
            )
    return spans


def _recorded(
    snapshot: Snapshot,
    schedule: ScheduleId,
    work: OpenRuns,
    entries: Sequence[RecordBlob],
    spans: Sequence[RangeRecord],
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
    planned = (
        [one for one in snapshot.state.plan if one.schedule == schedule] if snapshot.state else []
    )
    single |= {run.nominal for run in runs} | unlisted
    single |= {
        one.nominal for one in planned if one.range is None and one.kind is not Kind.TRIGGERED
    }
    found = [*spans]
    for one in planned:
        if one.range and one.blob not in {span.blob for span in spans}:
            ends = one.range
            found.append(
                RangeRecord(first=ends.first, last=ends.last, count=ends.count, blob=one.blob)
            )
    return Recorded(single=single, spans=found, twice=twice, unlisted=unlisted)


def _without_earlier_ranges(history: History, one: Coverage) -> Coverage:
    """Leave out what lies in ranges that begin before the time looked at."""
    left = [gap for gap in one.gaps if history.range_with(one.schedule, gap) is None]
    if left:
        history.check_read(_MISSING)
    return replace(one, gaps=tuple(left))


def _show_gaps(given: Context, now: datetime, found: Sequence[Coverage]) -> None:
    output, rows = given.output, []
    for one in found:
        told = [
            *((gap, "decided, but has no record") for gap in one.gaps),
            *((gap, "has more than one record") for gap in one.doubled),
            *((gap, "open, but the ticks ignore it") for gap in one.unlisted),
            *((gap, f"undecided for {age(now - gap)}") for gap in one.overdue),
            *(
                (two.span.first, f"a record for {two.span.count} occurrences covers {two.bare}")
                for two in one.short
            ),
        ]
        rows += [(one.schedule, local(at, given.zone), utc(at), what) for at, what in sorted(told)]
    if rows:
        show_table(output, _COLUMNS, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        output.say(f"and {len(rows) - _SHOWN} more; --json has them all")
    output.say(summary(found))
    unplanned = sum(len(one.unplanned) for one in found)
    if unplanned:
        output.say(
            f"{unplanned} record(s) have times at which no schedule was due; --json lists them"
        )
    for step in _next_steps(found):
        output.say(f"  next: {step}")


def summary(found: Sequence[Coverage]) -> str:
    """Say in a line what was compared, and what is wrong; ``no gap`` only where nothing is."""
    planned = sum(one.planned for one in found)
    counts = (
        (sum(len(one.gaps) + len(one.short) for one in found), "gap(s)"),
        (sum(len(one.doubled) for one in found), "with more than one record"),
        (sum(len(one.unlisted) for one in found), "ignored by ticks"),
        (sum(len(one.overdue) for one in found), "overdue and undecided"),
    )
    wrong = ", ".join(f"{count} {what}" for count, what in counts if count)
    return f"{planned} occurrences of {len(found)} schedule(s) were decided; {wrong or 'no gap'}"


def _next_steps(found: Sequence[Coverage]) -> Iterator[str]:
    if any(one.overdue for one in found):
        yield "`recur doctor` finds out why no tick runs; `recur tick submit` does one tick now"
    for one in found:
        for gap in (*one.gaps, *one.unlisted)[:1]:
            yield f"recur explain {one.schedule} {utc(gap)}"
            return


def _coverage_json(one: Coverage) -> dict[str, Any]:
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
