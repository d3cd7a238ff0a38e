"""`recur resume`: the end of pauses."""

import typer

from orchestrator.ledger.request import RequestKind
from recur.arguments import All, By, Note, NoWait, Schedules, Tag, Wait
from recur.context import Context, run
from recur.errors import Exit
from recur.requests.new_request import make_request, make_requests, new_request, open_ledger
from recur.requests.options import WAIT_SECONDS, RequestOptions
from recur.requests.selection import Selection, paused


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedules: Schedules = None,
    everything: All = False,
    tag: Tag = None,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Resume schedules that `recur pause` or failures paused.

    --all and --tag choose only paused schedules. A schedule with paused = true in the document is
    resumed with `recur apply`.

    Example: recur resume nightly-report
    """

    def ask(given: Context) -> Exit:
        request_options = RequestOptions.of(by, note, seconds=None if no_wait else wait)
        selection = Selection(named=schedules or (), everything=everything, tags=tag or ())
        return request_resume(given, selection, request_options)

    run(context, ask)


def request_resume(given: Context, selection: Selection, request_options: RequestOptions) -> Exit:
    """
    Ask for the end of pauses, by whomever.

    Raises:
        CliError: No schedule is chosen, or in more than one way.
    """
    selection.check()
    ledger, snapshot = open_ledger(given)
    chosen = selection.schedules(snapshot)
    if not selection.named:
        chosen = paused(snapshot, chosen)
    asked = [
        (
            new_request(RequestKind.RESUME, id_, request_options),
            f"the end of a pause of {id_}",
        )
        for id_ in chosen
    ]
    if selection.is_one:
        request, what = asked[0]
        return make_request(given, ledger, request, request_options, what)
    if not asked:
        given.output.say("none of these schedules is paused")
    return make_requests(given, ledger, asked, request_options)
