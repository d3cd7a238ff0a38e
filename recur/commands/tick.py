"""`recur tick`: one pass by hand, with the deployment's settings, as whoever is signed in."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Final, Literal

import typer
from azure.core.exceptions import AzureError

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import Settings, read_settings
from orchestrator.errors import (
    BatchUnavailable,
    LedgerConflict,
    LedgerUnavailable,
    OutOfTime,
    RecurError,
    SettingsError,
)
from orchestrator.passes import Services, collect_finished, open_services, submit_due
from recur.context import Context, in_our_words, run
from recur.errors import CliError, Exit
from recur.target import Target

# What the host reads and a pass does not; and who the function app is: see below.
_NOT_NEEDED: Final = {
    "SUBMIT_CRON": "0 * * * * *",
    "COLLECT_CRON": "30 * * * * *",
    "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
}
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
        Literal["submit", "collect", "both"], typer.Argument(metavar="PASS", help="Which one.")
    ] = "both",
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Tell each event on stderr, as telemetry has it.")
    ] = False,
) -> None:
    """
    Do the timers' work once, from here, as whoever is signed in: submit, collect, or both.

    For when the timers are down. Safe beside them, and beside others who do the same.

    Example: recur tick
    """
    run(context, lambda given: tick_by_hand(given, which, verbose=verbose))


def tick_by_hand(given: Context, which: str, *, verbose: bool) -> Exit:
    """
    Do one pass, or both one after the other; the second also where the first fails.

    Raises:
        CliError: Settings are missing, or a pass failed.
    """
    settings = _settings(given.target())
    names = [one for one in _PASSES if which in {one, "both"}]
    done: dict[str, Counts] = {}
    failures: list[CliError] = []
    with _log_lines(verbose=verbose):
        for name in names:
            try:
                done[name] = asyncio.run(_run_pass(settings, name))
            except RecurError as error:
                failures.append(_in_our_words(name, error))
            else:
                given.output.say(_pass_summary(name, done[name]))
    if failures:
        first, *others = failures
        message = "; ".join([first.message, *(other.message for other in others)])
        raise CliError(first.code, message, first.next_step, details=done)
    given.output.result(done)
    return Exit.FOUND if any("problem" in counts for counts in done.values()) else Exit.DONE


def _settings(target: Target) -> Settings:
    try:
        given = {name: value for name, value in target.values.items() if value.strip()}
        settings = read_settings({**_NOT_NEEDED, **given})
    except SettingsError as error:
        raise CliError(
            Exit.REFUSED,
            f"{'; '.join(error.problems)} in {target.source}",
            "docs/deploy.md says where the settings come from",
        ) from error
    # By hand it is whoever is signed in: no identity is asked for where none is named.
    return settings if given.get("AZURE_CLIENT_ID") else replace(settings, client_id="")


async def _run_pass(settings: Settings, name: str) -> Counts:
    async with open_services(settings, Cache()) as services:
        return await _PASSES[name](services)


def _pass_summary(name: str, counts: Counts) -> str:
    """Say what a pass did."""
    if counts.get("lease_taken"):
        return f"{name}: another tick is at work; it does what is to be done"
    did = [f"{count} {what}" for what, count in counts.items() if what not in _QUIET and count]
    text = f"{name}: {', '.join(did) or 'nothing to do'}; {counts.get('open', 0)} open before"
    return f"{text}\n  {counts['problem']}" if "problem" in counts else text


def _in_our_words(name: str, error: RecurError) -> CliError:
    """Say what a pass could not do, and what to do about it."""
    message = f"{name}: {str(error).partition(chr(10))[0]}"
    if isinstance(error.__cause__, AzureError) and isinstance(error, LedgerUnavailable):
        told = in_our_words(error.__cause__)
        if told.code is Exit.NO_ACCESS:
            return CliError(told.code, message, told.next_step)
    if isinstance(error, LedgerUnavailable | BatchUnavailable):
        return CliError(Exit.UNAVAILABLE, message, "check the address and the network, try again")
    if isinstance(error, OutOfTime | LedgerConflict):
        return CliError(Exit.CONFLICT, message, "recur tick once more: it goes on where this ended")
    return CliError(Exit.FOUND, message, "`recur doctor` checks the deployment")


class _Line(logging.Formatter):
    """A line for each, without the stack: what is told here is trouble of the deployment."""

    def format(self, record: logging.LogRecord) -> str:
        return f"  {record.getMessage()}"


@contextmanager
def _log_lines(*, verbose: bool) -> Iterator[None]:
    """Tell on stderr what went wrong with one run or schedule; with ``verbose`` every event."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(lambda record: verbose or _EVENT not in record.__dict__)
    before = _LOGGER.propagate
    _LOGGER.addHandler(handler)
    _LOGGER.propagate = False
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)
        _LOGGER.propagate = before
