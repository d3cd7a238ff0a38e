"""`recur trigger`: a run now, besides the occurrences of its schedule."""

from dataclasses import replace
from typing import Annotated
from uuid import uuid4

import typer

from orchestrator import ids
from orchestrator.ledger.request import RequestKind
from recur.arguments import By, Note, NoWait, Schedule, Wait
from recur.commands.logs import LogsOptions, show_output
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import check_schedule
from recur.requests.new_request import make_request, new_request, open_ledger
from recur.requests.options import WAIT_SECONDS, RequestOptions, check_text


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    key: Annotated[
        str | None,
        typer.Option(
            help="The same key never makes a second run, so a command with one may be repeated.",
            show_default="a random one, which is printed",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Whatever else of the schedule runs; and be in nobody's way."),
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="Then show what it writes, until it has ended; 1 unless it succeeded."
        ),
    ] = False,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Run a schedule now, once, besides its occurrences.

    Its overlap policy holds as for an occurrence; a pause does not keep it from running.

    Example: recur trigger nightly-report --key ticket-4711 --note "figures were wrong"
    """

    def ask(given: Context) -> Exit:
        request_options = RequestOptions.of(by, note, seconds=None if no_wait else wait)
        return request_trigger(
            given, schedule, request_options, key=key, force=force, follow=follow
        )

    run(context, ask)


def request_trigger(  # noqa: PLR0913 - one argument for each option
    given: Context,
    schedule: str,
    request_options: RequestOptions,
    *,
    key: str | None,
    force: bool,
    follow: bool = False,
) -> Exit:
    """
    Ask for a run of a schedule now; the same key never makes a second run.

    Raises:
        CliError: It was refused, or not answered in time.
    """
    if follow and (given.output.as_json or request_options.wait is None):
        raise CliError(
            Exit.USAGE,
            "--follow goes with neither --json nor --no-wait",
            "leave it out; `recur logs RUN --follow` follows a run at any time",
        )
    key = check_text(key, "--key") if key is not None else uuid4().hex
    ledger, snapshot = open_ledger(given)
    id_ = check_schedule(snapshot, schedule)
    request = replace(new_request(RequestKind.TRIGGER, id_, request_options), key=key, force=force)
    run = ids.trigger_id(id_, key)
    code = make_request(
        given, ledger, request, request_options, f"a run of {id_}, {run}, with --key {key}"
    )
    return show_output(given, LogsOptions(run=run, follow=True)) if follow else code
