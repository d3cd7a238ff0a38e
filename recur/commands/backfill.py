"""`recur backfill`: a plan first, then the request."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final

import typer
from azure.storage.blob import ContainerClient

from orchestrator.adapters.calls import first_line
from orchestrator.decisions.backfill import Rerun
from orchestrator.errors import RecordUnreadable, RequestRefused, ScheduleSyntaxError
from orchestrator.ids import ScheduleId
from orchestrator.ledger.request import RequestKind
from orchestrator.ledger.state import ScheduleState
from recur.arguments import TIME, By, Note, NoWait, Schedule, Wait
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import local
from recur.ledger_reader.moved_timings import with_moved
from recur.ledger_reader.record_blobs import RecordBlob, month_folder, months_back
from recur.ledger_reader.records import History
from recur.ledger_reader.snapshot import Snapshot, check_schedule, open_run_ids, zone_of
from recur.requests.answer_wait import Count
from recur.requests.backfill_plan import BackfillPlan, PlannedOccurrence, plan_backfill
from recur.requests.new_request import make_request, new_request, open_ledger
from recur.requests.options import WAIT_SECONDS, RequestOptions
from recur.tables import Column, show_table
from recur.times import parse_past_time, parse_time

_ENDS: Final = 5
_COLUMNS: Final = (
    Column(name="RUN", rank=0),
    Column(name="NOMINAL", rank=2),
    Column(name="UNTIL NOW", rank=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOptions:
    """
    What is asked for.

    Attributes:
        begin: As it was typed; exclusive.
        end: As it was typed; inclusive.
        rerun: What is to run besides what was skipped, missed or never recorded.
        yes: Do not ask whether to.
        dry_run: The plan alone.
    """

    begin: str
    end: str
    rerun: Rerun
    yes: bool
    dry_run: bool


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    begin: Annotated[
        str, typer.Option("--from", metavar="TIME", help=f"The start, exclusive. {TIME}")
    ],
    end: Annotated[
        str, typer.Option("--to", metavar="TIME", help="The end, inclusive; written as --from.")
    ],
    rerun: Annotated[
        bool,
        typer.Option(
            "--rerun",
            help="Also rerun runs that ended, and occurrences that `except` or a holiday leaves out.",
        ),
    ] = False,
    rerun_failed: Annotated[
        bool,
        typer.Option(
            "--rerun-failed",
            help="Also rerun runs that ended without success, such as failed or lost.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask. Scripts need it.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run; request nothing.")
    ] = False,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Run the past occurrences after --from, up to and including --to, that got no run.

    These are the skipped and missed ones. With --rerun-failed, it also reruns runs that ended with
    an outcome other than succeeded. It never reruns open runs.

    It first shows the plan: which occurrences run, which do not, and why. They run one at a time,
    oldest first, with the usual run ids, beside other runs of the schedule. One backfill has at
    most 1,000 occurrences. It cannot run undecided occurrences, or occurrences from before Recur
    knew the schedule.

    Example: recur backfill nightly-report --from 2026-11-01 --to 2026-12-01 --dry-run

    Example: recur backfill nightly-report --from 2026-11-01 --to 2026-12-01 --rerun-failed
    """
    if rerun and rerun_failed:
        raise typer.BadParameter("--rerun and --rerun-failed exclude each other")
    again = Rerun.ALL if rerun else Rerun.FAILED if rerun_failed else Rerun.NOTHING

    def ask(given: Context) -> Exit:
        options = BackfillOptions(begin=begin, end=end, rerun=again, yes=yes, dry_run=dry_run)
        request_options = RequestOptions.of(by, note, seconds=None if no_wait else wait)
        return request_backfill(given, schedule, options, request_options)

    run(context, ask)


def request_backfill(
    given: Context, schedule: str, options: BackfillOptions, request_options: RequestOptions
) -> Exit:
    """
    Show what a backfill would do, and ask for it.

    Raises:
        CliError: It cannot be planned, or nobody said yes.
    """
    ledger, snapshot = open_ledger(given)
    id_ = check_schedule(snapshot, schedule)
    zone = zone_of(snapshot, id_)
    after = parse_past_time(options.begin, zone, name="--from", now=snapshot.now)
    until = parse_time(options.end, zone, name="--to", now=snapshot.now)
    if after >= until:
        raise CliError(
            Exit.USAGE,
            f"--from {options.begin} is not before --to {options.end}",
            "give a later --to",
        )
    snapshot = with_moved(ledger, snapshot, after=after, schedule=id_)
    made = _plan(
        given, ledger, id_, _state_of_schedule(snapshot, id_), after, until, rerun=options.rerun
    )
    _show_plan(given, made, given.zone or zone or UTC, asked_until=until)
    if options.dry_run or not made.chosen:
        given.output.say("dry run: nothing was requested" if made.chosen else "nothing to run")
        given.output.result({"plan": _plan_json(made), "request": None, "answer": None})
        return Exit.DONE
    if not options.yes:
        _confirm(given, made)
    request = replace(
        new_request(RequestKind.BACKFILL, id_, request_options),
        after=made.after,
        until=made.until,
        rerun=made.rerun is Rerun.ALL,
        rerun_failed=made.rerun is Rerun.FAILED,
    )
    what = f"{len(made.chosen)} occurrence(s) of {id_} to run"
    details = {"plan": _plan_json(made)}
    return make_request(
        given, ledger, request, request_options, what, _count(ledger, made), details
    )


def _state_of_schedule(snapshot: Snapshot, schedule: ScheduleId) -> ScheduleState:
    state = snapshot.schedule(schedule)
    if state is not None:
        return state
    if snapshot.state is None and snapshot.doubts:
        raise CliError(
            Exit.FOUND,
            f"the decisions of the ticks cannot be read, so nothing can be planned: {snapshot.doubts[0]}",
            "use the `recur` of the version that is deployed; `recur doctor`",
        )
    raise CliError(
        Exit.REFUSED,
        f"no tick has seen schedule {schedule} yet, so none of its occurrences is decided",
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
    rerun: Rerun,
) -> BackfillPlan:
    until = min(until, state.decided_until)
    try:
        empty = plan_backfill(
            schedule, state, after=after, until=until, rerun=Rerun.ALL, opened=set(), records={}
        )
        opened = set(open_run_ids(ledger, f"{schedule}-"))
        history = History(ledger, given.output)
        entries = _record_blobs(history, schedule, empty.lines)
        records = history.records([one.blob for one in entries])
        for text in history.complaints:
            given.output.progress.print(text, markup=False)
        return plan_backfill(
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
            first_line(error),
            "use the `recur` of the version that is deployed",
        ) from error


def _record_blobs(
    history: History, schedule: ScheduleId, lines: Sequence[PlannedOccurrence]
) -> list[RecordBlob]:
    """Return the final records of some occurrences, by the listing of their months."""
    if not lines:
        return []
    wanted = {line.run_id for line in lines}
    folders = [
        month_folder(schedule, year, number)
        for year, number in months_back(lines[-1].nominal, lines[0].nominal)
    ]
    return [
        entry for entry in history.entries(folders) if entry.count == 1 and entry.run_id in wanted
    ]


def _show_plan(given: Context, made: BackfillPlan, zone: tzinfo, *, asked_until: datetime) -> None:
    say = given.output.say
    say(
        f"{made.schedule}, after {local(made.after, zone)} and up to {local(made.until, zone)} "
        f"({zone}): {len(made.lines)} occurrence(s)"
    )
    if made.until < asked_until:
        say("  later occurrences are not decided yet and are not part of this")
    if made.after < made.known_after:
        say(
            f"  what is known of {made.schedule} begins after {local(made.known_after, zone)}: "
            "a backfill cannot reach before that"
        )
    for words, chosen in (("to run", True), ("left", False)):
        counts = made.counts(chosen=chosen)
        listed = ", ".join(f"{count} {what}" for what, count in counts.items())
        say(f"  {words}: {sum(counts.values())}" + (f" ({listed})" if listed else ""))
    if made.rerun is Rerun.NOTHING and (failed := made.failed_and_left):
        say(f"  {failed} of them ended without success: --rerun-failed runs them again")
    shown = _first_and_last(made.chosen)
    if shown:
        show_table(given.output, _COLUMNS, [_plan_row(line, zone) for line in shown])
    if hidden := len(made.chosen) - len(shown):
        say(f"and {hidden} more between them: --json has all of them")


def _first_and_last(lines: Sequence[PlannedOccurrence]) -> Sequence[PlannedOccurrence]:
    """Return all of a few, else the first and the last ones."""
    few = len(lines) <= 2 * _ENDS + 1
    return lines if few else [*lines[:_ENDS], *lines[-_ENDS:]]


def _plan_row(line: PlannedOccurrence, zone: tzinfo) -> tuple[str, str, str]:
    because = f" ({line.because})" if line.because else ""
    return line.run_id, local(line.nominal, zone), f"{line.prior}{because}"


def _confirm(given: Context, made: BackfillPlan) -> None:
    """
    Ask whether to.

    Raises:
        CliError: The answer is no, or there is nobody to ask.
    """
    if given.output.as_json or not sys.stdin.isatty():
        raise CliError(
            Exit.USAGE,
            f"{len(made.chosen)} occurrence(s) would run, and without a terminal nobody can confirm that",
            "add --yes, or --dry-run for the plan alone",
            details={"plan": _plan_json(made)},
        )
    if not given.output.confirm(f"run {len(made.chosen)} occurrence(s), one at a time?"):
        raise CliError(Exit.FOUND, "nothing was requested")


def _count(ledger: ContainerClient, made: BackfillPlan) -> Count:
    """Return what counts the planned runs that are open: a tick claims them in pieces."""
    wanted = {line.run_id for line in made.chosen}

    def count() -> tuple[int, int]:
        return len(wanted.intersection(open_run_ids(ledger, f"{made.schedule}-"))), len(wanted)

    return count


def _plan_json(made: BackfillPlan) -> dict[str, Any]:
    return {
        "schedule": made.schedule,
        "after": made.after,
        "until": made.until,
        "known_after": made.known_after,
        "rerun": made.rerun is Rerun.ALL,
        "rerun_failed": made.rerun is Rerun.FAILED,
        "occurrences": len(made.lines),
        "to_run": {"count": len(made.chosen), "of_them": made.counts(chosen=True)},
        "left": {
            "count": len(made.lines) - len(made.chosen),
            "of_them": made.counts(chosen=False),
        },
        "runs": [
            {"run_id": line.run_id, "nominal": line.nominal, "was": line.prior}
            | ({"because": line.because} if line.because else {})
            for line in made.chosen
        ],
    }
