"""`recur explain`: one sentence about an occurrence, whatever became of it, and the evidence."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from orchestrator import ids
from recur.causes.pool_reader import read_surroundings, without_pool
from recur.completion import schedules
from recur.context import Context, run
from recur.errors import Exit
from recur.explain.case import WRONG, Background, Explanation
from recur.explain.case_reader import read_background, read_cases
from recur.explain.explanation import explain
from recur.explain.latest import latest_instant, latest_triggered
from recur.explain.rendering import show_explanations
from recur.explain.time_argument import parse_time_argument, questions
from recur.formats import utc
from recur.ledger_reader.moved_timings import with_moved
from recur.ledger_reader.record_blobs import KEPT
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import past_schedule
from recur.ledger_reader.snapshot import read_snapshot


def command(
    context: typer.Context,
    schedule: Annotated[
        str, typer.Argument(help="The id of a schedule.", autocompletion=schedules)
    ],
    time: Annotated[
        str | None,
        typer.Argument(
            metavar="[TIME]",
            help="A time, or a whole day. Default: the latest run or occurrence.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """
    Explain in one sentence what happened to an occurrence and why, then show the evidence.

    It explains any time: runs that ended or are active, skipped and missed occurrences, times at
    which nothing is due, times in the future, and overdue occurrences that are not decided (exit
    code 1). Without TIME it explains the latest occurrence, or the run that was triggered after
    it; if there was none, the next occurrence. For a problem it shows the cause, the last lines of output, and a command to run next.

    TIME is ISO 8601, with an offset or Z, or in the schedule's time zone; if that time happens
    twice, it explains both. TIME can also be yesterday, now, 1h for one hour ago, or 22:38 for the
    most recent one. A date means all occurrences of that day; if there are more than twenty, those
    without success come first, and the others are counted. --json has all of them.

    Example: recur explain nightly-report

    Example: recur explain nightly-report 2026-11-01T01:30
    """
    run(context, lambda given: explain_time(given, schedule, time))


def explain_time(given: Context, schedule: str, text: str | None) -> Exit:
    """
    Explain the occurrences that ``text`` means; None: the latest, or a run triggered since.

    Raises:
        CliError: There is no such schedule, ``text`` is no time, or nothing was ever due.
    """
    target = given.target()
    ledger = target.ledger()
    snapshot = read_snapshot(ledger)
    history = History(ledger, given.output)
    id_ = past_schedule(history, snapshot, schedule)
    snapshot = with_moved(ledger, snapshot, after=snapshot.now - KEPT, schedule=id_)
    work = history.open_list()
    around = without_pool(target, snapshot.now)
    background = read_background(ledger, snapshot, id_, work, around)
    shown = replace(background, zone=given.zone or background.zone)
    if text is None and (triggered := latest_triggered(history, snapshot, background)):
        cases = [triggered]
    else:
        instant = (
            latest_instant(history, snapshot, background)
            if text is None
            else parse_time_argument(text, background.zone, snapshot.now)
        )
        timings = background.state.timings if background.state else ()
        asked = questions(instant, timings, background.zone)
        cases = read_cases(history, snapshot, asked, shown, work)
    if opened := next((case.open for case in cases if case.open and case.open.attempts), None):
        around = read_surroundings(target, snapshot.now, opened.attempt.pool)
        shown = replace(shown, around=around)
    found = [explain(case, shown) for case in cases]
    show_explanations(given.output, found, shown)
    given.output.result(
        {
            "schedule": id_,
            "asked": text,
            "explanations": [_explanation_json(one, background) for one in found],
        }
    )
    return Exit.FOUND if any(one.verdict in WRONG for one in found) else Exit.DONE


def _explanation_json(one: Explanation, background: Background) -> dict[str, Any]:
    return {
        "verdict": one.verdict,
        "run_id": one.run_id or ids.run_id(background.schedule, one.nominal),
        "nominal": utc(one.nominal),
        "local": one.nominal.astimezone(background.zone).isoformat(),
        "sentence": one.sentence,
        "facts": one.facts,
        "last_lines": one.last_lines,
        "next": one.next_step,
    }
