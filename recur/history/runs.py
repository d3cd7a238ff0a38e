"""`recur runs`: what ran, what did not and why, newest first."""

from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Any

from recur.app import Context
from recur.errors import Exit
from recur.history.reading import History
from recur.history.search import Line, Search, Wanted
from recur.history.standing import duration, local, span, standing, utc
from recur.known import look_at, zone_of
from recur.tables import show_table


def list_runs(given: Context, wanted: Wanted) -> Exit:
    """
    Show the newest records that are wanted.

    Raises:
        CliError: There is no such schedule, or a time cannot be read.
    """
    ledger = given.target().ledger()
    known = look_at(ledger)
    history = History(ledger, given.output)
    search = Search(history, known, wanted)
    with history.as_one("reading the history"):
        lines = list(islice(search.newest(), wanted.count))
    zones = {one: zone_of(known, one) or UTC for one in {line.record.schedule for line in lines}}
    if lines:
        columns = ("RUN", "NOMINAL", "LATE", "STATE", "REASON", "TOOK")
        rows = [_row(line, zones[line.record.schedule], known.now) for line in lines]
        show_table(given.output, columns, rows)
    else:
        given.output.say(f"nothing is recorded that is asked for, since {utc(search.since)}")
    for text in history.complaints:
        given.output.progress.print(text, markup=False)
    given.output.result(
        {
            "runs": [told(line, zones[line.record.schedule], known.now) for line in lines],
            "unreadable": history.complaints,
        }
    )
    return Exit.FOUND if history.unreadable else Exit.DONE


def _row(line: Line, zone: tzinfo, now: datetime) -> tuple[str, ...]:
    record = line.record
    stands = standing(record, now, is_open=line.is_open)
    times = f" ({record.range.count} times)" if record.range else ""
    return (
        record.run_id,
        local(record.nominal, zone),
        span(record.lateness_seconds),
        f"{stands.word}{times}",
        stands.reason or "-",
        span(duration(record, now)),
    )


def told(line: Line, zone: tzinfo, now: datetime) -> dict[str, Any]:
    """Return what programs are told of a record; all of it is in `recur show --json`."""
    record = line.record
    stands = standing(record, now, is_open=line.is_open)
    took = duration(record, now)
    return {
        "run_id": record.run_id,
        "schedule": record.schedule,
        "nominal": utc(record.nominal),
        "local": record.nominal.astimezone(zone).isoformat(),
        "kind": record.kind,
        "decision": record.decision.action,
        "open": line.is_open,
        "state": stands.word,
        "outcome": record.outcome,
        "reason": stands.reason,
        "sentence": record.sentence,
        "lateness_seconds": record.lateness_seconds,
        "duration_seconds": took.total_seconds() if took else None,
        "attempts": len(record.attempts),
        "count": record.range.count if record.range else 1,
        "last": utc(record.range.last) if record.range else None,
    }
