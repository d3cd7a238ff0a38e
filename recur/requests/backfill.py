"""`recur backfill`: a plan first, then the request."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

import typer
from azure.storage.blob import ContainerClient

from orchestrator.errors import RecordUnreadable, RequestRefused, ScheduleSyntaxError
from orchestrator.ids import ScheduleId
from orchestrator.ledger.request import RequestKind
from orchestrator.ledger.state import ScheduleState
from recur.app import Context
from recur.errors import CliError, Exit
from recur.history.names import Entry, month, months_back
from recur.history.reading import History
from recur.known import Known, check_schedule, open_run_ids, zone_of
from recur.requests.ask import ask, look_around, request_of
from recur.requests.manner import Manner
from recur.requests.plan import Line, Plan, plan
from recur.requests.waiting import Count
from recur.times import parse_time

_ENDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """
    What is asked for.

    Attributes:
        begin: As it was typed; exclusive.
        end: As it was typed; inclusive.
        rerun: Also what has run.
        yes: Do not ask whether to.
        dry_run: The plan alone.
    """

    begin: str
    end: str
    rerun: bool
    yes: bool
    dry_run: bool


def backfill(given: Context, schedule: str, wish: Wish, manner: Manner) -> Exit:
    """
    Show what a backfill would do, and ask for it.

    Raises:
        CliError: It cannot be planned, or nobody said yes.
    """
    ledger, known = look_around(given)
    id_ = check_schedule(known, schedule)
    zone = zone_of(known, id_)
    after = parse_time(wish.begin, zone, name="--from")
    until = parse_time(wish.end, zone, name="--to")
    if after >= until:
        raise CliError(
            Exit.USAGE, f"--from {wish.begin} is not before --to {wish.end}", "exchange them"
        )
    made = _plan(given, ledger, id_, _state(known, id_), after, until, rerun=wish.rerun)
    _show(given, made, zone or UTC, asked_until=until)
    if wish.dry_run or not made.chosen:
        given.output.say("a dry run: nothing is asked for" if made.chosen else "nothing to run")
        given.output.result({"plan": _plain(made), "request": None, "answer": None})
        return Exit.DONE
    if not wish.yes:
        _confirm(given, made)
    request = replace(
        request_of(RequestKind.BACKFILL, id_, manner),
        after=made.after,
        until=made.until,
        rerun=made.rerun,
    )
    what = f"{len(made.chosen)} occurrence(s) of {id_} to run"
    details = {"plan": _plain(made)}
    return ask(given, ledger, request, manner, what, _count(ledger, made), details)


def _state(known: Known, schedule: ScheduleId) -> ScheduleState:
    state = known.schedule(schedule)
    if state is not None:
        return state
    if known.state is None and known.doubts:
        raise CliError(
            Exit.FOUND,
            f"what is decided cannot be read, so there is nothing to plan by: {known.doubts[0]}",
            "use the `recur` of the version that is deployed; `recur doctor`",
        )
    raise CliError(
        Exit.REFUSED,
        f"no tick has seen schedule {schedule} yet: nothing of it is decided",
        "wait for the next tick; `recur doctor` says whether the timers run",
    )


def _plan(  # noqa: PLR0913, PLR0917 - where to look, and what for
    given: Context,
    ledger: ContainerClient,
    schedule: ScheduleId,
    state: ScheduleState,
    after: datetime,
    until: datetime,
    *,
    rerun: bool,
) -> Plan:
    until = min(until, state.decided_until)
    try:
        empty = plan(
            schedule, state, after=after, until=until, rerun=True, opened=set(), records={}
        )
        opened = set(open_run_ids(ledger, f"{schedule}-"))
        history = History(ledger, given.output)
        entries = _entries(history, schedule, empty.lines)
        records = history.records([one.blob for one in entries])
        for text in history.complaints:
            given.output.progress.print(text, markup=False)
        return plan(
            schedule,
            state,
            after=after,
            until=until,
            rerun=rerun,
            opened=opened,
            records={one.run_id: one for one in records if one},
            unreadable={one.run_id for one in entries if one.blob in history.unreadable},
        )
    except (RequestRefused, ScheduleSyntaxError) as error:
        raise CliError(Exit.REFUSED, str(error), "bring --from and --to closer together") from error
    except RecordUnreadable as error:
        raise CliError(
            Exit.FOUND,
            str(error).partition("\n")[0],
            "use the `recur` of the version that is deployed",
        ) from error


def _entries(history: History, schedule: ScheduleId, lines: Sequence[Line]) -> list[Entry]:
    """Return the final records of some occurrences, by the listing of their months."""
    if not lines:
        return []
    wanted = {line.run_id for line in lines}
    folders = [
        month(schedule, year, number)
        for year, number in months_back(lines[-1].nominal, lines[0].nominal)
    ]
    return [
        entry for entry in history.entries(folders) if entry.count == 1 and entry.run_id in wanted
    ]


def _show(given: Context, made: Plan, zone: tzinfo, *, asked_until: datetime) -> None:
    say = given.output.say
    say(
        f"{made.schedule}, after {_wall(made.after, zone)} and up to {_wall(made.until, zone)} "
        f"({zone}): {len(made.lines)} occurrence(s)"
    )
    if made.until < asked_until:
        say("  up to there its occurrences are decided; later ones are still the tick's")
    if made.after < made.known_after:
        say(
            f"  what is known of {made.schedule} begins after {_wall(made.known_after, zone)}: "
            "a backfill cannot reach before that"
        )
    for words, chosen in (("to run", True), ("left", False)):
        counts = made.counts(chosen=chosen)
        listed = ", ".join(f"{count} {what}" for what, count in counts.items())
        say(f"  {words}: {sum(counts.values())}" + (f" ({listed})" if listed else ""))
    hidden = len(made.chosen) - 2 * _ENDS
    for line in _ends(made.chosen):
        say(_told(line, zone) if line else f"    ... {hidden} more: --json has all of them")


def _ends(lines: Sequence[Line]) -> Iterator[Line | None]:
    """Yield the first and the last few, with None for what is between."""
    if len(lines) <= 2 * _ENDS + 1:
        yield from lines
        return
    yield from lines[:_ENDS]
    yield None
    yield from lines[-_ENDS:]


def _told(line: Line, zone: tzinfo) -> str:
    because = f" ({line.because})" if line.because else ""
    return f"    {line.run_id}  {_wall(line.nominal, zone)}  {line.standing}{because}"


def _wall(instant: datetime, zone: tzinfo) -> str:
    shown = instant.astimezone(zone)
    return shown.isoformat(timespec="seconds" if shown.second else "minutes")


def _confirm(given: Context, made: Plan) -> None:
    """
    Ask whether to.

    Raises:
        CliError: The answer is no, or there is nobody to ask.
    """
    if given.output.as_json or not sys.stdin.isatty():
        raise CliError(
            Exit.USAGE,
            f"{len(made.chosen)} occurrence(s) would run, and there is nobody here to say yes",
            "add --yes, or --dry-run for the plan alone",
            details={"plan": _plain(made)},
        )
    if not typer.confirm(f"run {len(made.chosen)} occurrence(s), one at a time?", err=True):
        raise CliError(Exit.FOUND, "nothing was asked for")


def _count(ledger: ContainerClient, made: Plan) -> Count:
    """Return what counts the planned runs that are open: a tick claims them in pieces."""
    wanted = {line.run_id for line in made.chosen}

    def count() -> tuple[int, int]:
        return len(wanted.intersection(open_run_ids(ledger, f"{made.schedule}-"))), len(wanted)

    return count


def _plain(made: Plan) -> dict[str, Any]:
    return {
        "schedule": made.schedule,
        "after": made.after,
        "until": made.until,
        "known_after": made.known_after,
        "rerun": made.rerun,
        "occurrences": len(made.lines),
        "to_run": {"count": len(made.chosen), "of_them": made.counts(chosen=True)},
        "left": {
            "count": len(made.lines) - len(made.chosen),
            "of_them": made.counts(chosen=False),
        },
        "runs": [
            {"run_id": line.run_id, "nominal": line.nominal, "was": line.standing}
            | ({"because": line.because} if line.because else {})
            for line in made.chosen
        ],
    }
