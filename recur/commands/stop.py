"""`recur stop`: the end of open runs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import load
from orchestrator.ledger.request import RequestKind
from recur.arguments import By, Note, NoWait, Wait
from recur.completion import open_runs
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import did_you_mean, open_run_ids
from recur.requests.new_request import make_request, make_requests, new_request
from recur.requests.options import WAIT_SECONDS, RequestOptions


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    run_ids: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="The ids of open runs.", autocompletion=open_runs),
    ],
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Stop open runs; they are not retried.

    The next ticks end their Batch jobs: after a minute or two the runs are terminated.

    Example: recur stop nightly-report-20261123T070000Z --note "wrong input"
    """

    def ask(given: Context) -> Exit:
        return request_stop(
            given, run_ids, RequestOptions.of(by, note, seconds=None if no_wait else wait)
        )

    run(context, ask)


def request_stop(given: Context, runs: Sequence[str], request_options: RequestOptions) -> Exit:
    """
    Ask for the end of open runs.

    Raises:
        CliError: One has ended, or is not there; nothing is asked for then.
    """
    ledger = given.target().ledger()
    asked = []
    for run_id, schedule in dict.fromkeys(_find_open_run(ledger, one) for one in runs):
        request = replace(new_request(RequestKind.STOP, schedule, request_options), run_id=run_id)
        asked.append((request, f"the end of {run_id}"))
    if len(runs) == 1:
        request, what = asked[0]
        return make_request(given, ledger, request, request_options, what)
    return make_requests(given, ledger, asked, request_options)


def _find_open_run(ledger: ContainerClient, text: str) -> tuple[RunId, ScheduleId]:
    """
    Return an open run and its schedule.

    Raises:
        CliError: It has ended, or there is none; the message has those that are meant perhaps.
    """
    parsed = ids.parse_run_id(text)
    if parsed is not None:
        run = RunId(text)
        if ledger.get_blob_client(ids.open_blob(run)).exists():
            return run, parsed[0]
        if ended := _how_it_ended(ledger, ids.blob_of(run)):
            raise CliError(Exit.REFUSED, f"{text} {ended}", "nothing needs to be stopped")
    there = list(open_run_ids(ledger))
    listed = f"open runs: {', '.join(there[:10])}" if there else "no run is open"
    raise CliError(
        Exit.REFUSED, f"there is no open run {text!r}", did_you_mean(text, there) or listed
    )


def _how_it_ended(ledger: ContainerClient, final: str) -> str | None:
    """Say what a final record says; None if there is none."""
    try:
        record = load(ledger.download_blob(final).readall())
    except ResourceNotFoundError:
        return None
    except RecordUnreadable:
        return "has ended; this version of recur cannot read its record"
    if record.outcome is None:
        return f"did not run: {record.decision.action} ({record.decision.reason})"
    return f"has already ended: {record.outcome} ({record.reason})"
