"""`recur tick`: one pass by hand, with the deployment's settings, as whoever is signed in."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final, Literal

import typer

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import Settings
from orchestrator.errors import RecurError
from orchestrator.passes import Services, collect_finished, open_services, submit_due
from recur.app_settings import app_settings
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.pass_errors import pass_error
from recur.terminal_text import EscapedLine

_LOGGER: Final = logging.getLogger("recur")
_EVENT: Final = "microsoft.custom_event.name"
_QUIET: Final = ("open", "lease_taken", "problem")

type Counts = Mapping[str, int | str]


_PASSES: Final[dict[str, Callable[[Services], Awaitable[dict[str, int | str]]]]] = {
    "submit": submit_due,
    "collect": collect_finished,
}


def command(
    context: typer.Context,
    which: Annotated[
        Literal["submit", "collect", "both"],
        typer.Argument(metavar="PASS", help="submit, collect or both."),
    ] = "both",
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print each telemetry event on stderr.")
    ] = False,
) -> None:
    """
    Do one tick of the timers from this machine, with your identity: submit, collect, or both.

    Use it when the timers are down. It is safe while timers or other people do the same.

    Example: recur tick
    """
    run(context, lambda given: tick_by_hand(given, which, verbose=verbose))


def tick_by_hand(given: Context, which: str, *, verbose: bool) -> Exit:
    """
    Do one pass, or both one after the other; the second also where the first fails.

    Raises:
        CliError: Settings are missing, or a pass failed.
    """
    settings = app_settings(given.target())
    names = [one for one in _PASSES if which in {one, "both"}]
    done: dict[str, Counts] = {}
    failures: list[CliError] = []
    with _log_lines(verbose=verbose):
        for name in names:
            try:
                done[name] = asyncio.run(_run_pass(settings, name))
            except RecurError as error:
                failures.append(pass_error(name, error))
            else:
                for line in _pass_summary(name, done[name]):
                    given.output.say(line)
    if failures:
        first, *others = failures
        message = "; ".join([first.message, *(other.message for other in others)])
        raise CliError(first.code, message, first.next_step, details=done)
    given.output.result(done)
    return Exit.FOUND if any("problem" in counts for counts in done.values()) else Exit.DONE


async def _run_pass(settings: Settings, name: str) -> Counts:
    async with open_services(settings, Cache()) as services:
        return await _PASSES[name](services)


def _pass_summary(name: str, counts: Counts) -> Iterator[str]:
    """Say what a pass did."""
    if counts.get("lease_taken"):
        yield f"{name}: another tick is running and does the work"
        return
    did = [f"{count} {what}" for what, count in counts.items() if what not in _QUIET and count]
    yield f"{name}: {', '.join(did) or 'nothing to do'}; {counts.get('open', 0)} open before"
    if "problem" in counts:
        yield f"  {counts['problem']}"


@contextmanager
def _log_lines(*, verbose: bool) -> Iterator[None]:
    """Tell on stderr what went wrong with one run or schedule; with ``verbose`` every event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EscapedLine())  # it logs what is wrong with the deployment
    handler.addFilter(lambda record: verbose or _EVENT not in record.__dict__)
    before = _LOGGER.propagate
    _LOGGER.addHandler(handler)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.propagate = before
