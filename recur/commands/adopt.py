"""`recur adopt`: the ledger goes over to this deployment's Batch account."""

import asyncio
import time
from dataclasses import asdict
from typing import Annotated, Final

import typer

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import Settings
from orchestrator.errors import LeaseTaken, LedgerTrouble, RecurError
from orchestrator.passes import Adopted, adopt, open_services
from recur.app_settings import app_settings
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.pass_errors import pass_error

_WAIT_SECONDS: Final = 75
"""A lease is held for 60 s at most."""

_TRY_AGAIN_SECONDS: Final = 1.0
_SHOWN: Final = 10


def command(
    context: typer.Context,
    new: Annotated[
        bool,
        typer.Option(
            "--new", help="Start a new submit.json, from now on, if it is missing or unreadable."
        ),
    ] = False,
    give_up: Annotated[
        bool,
        typer.Option(
            "--give-up", help="End open runs of the old account as lost; never retry them."
        ),
    ] = False,
) -> None:
    """
    Make the Batch account of BATCH_ACCOUNT_URL the owner of the ledger.

    Ticks do not work on the ledger of another account. Open runs wait for the account that has
    their job. --give-up ends these runs instead: check first what still runs in that account.

    Example: recur adopt
    """
    run(context, lambda given: adopt_ledger(given, new=new, give_up=give_up))


def adopt_ledger(given: Context, *, new: bool, give_up: bool) -> Exit:
    """
    Move the ledger, while no tick is at work, and say which runs stay behind.

    Raises:
        CliError: ``submit.json`` is missing or unreadable, or a tick is at work for too long.
    """
    settings = app_settings(given.target())
    try:
        done = asyncio.run(_adopt(settings, new=new, give_up=give_up))
    except LeaseTaken as error:
        message = "a tick is running; nothing was changed"
        raise CliError(Exit.CONFLICT, message, "run `recur adopt` again") from error
    except LedgerTrouble as error:
        step = "restore it (docs/operations.md), or start a new one with `recur adopt --new`"
        raise CliError(Exit.REFUSED, str(error).partition("\n")[0], step) from error
    except RecurError as error:
        raise pass_error("adopt", error) from error
    for line in _summary(done):
        given.output.say(line)
    given.output.result(asdict(done))
    return Exit.DONE


async def _adopt(settings: Settings, *, new: bool, give_up: bool) -> Adopted:
    """Try again while a tick is at work."""
    end = time.monotonic() + _WAIT_SECONDS
    async with open_services(settings, Cache()) as services:
        while True:
            try:
                return await adopt(services, new=new, give_up=give_up)
            except LeaseTaken:
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(_TRY_AGAIN_SECONDS)


def _summary(done: Adopted) -> list[str]:
    before = f" (before: {done.was})" if done.was not in {"", done.owner} else ""
    lines = [f"the ledger {done.ledger} belongs to {done.owner}{before}"]
    if done.kept:
        lines.append(
            f"submit.json could not be read: a copy is kept as {done.kept}, and a new one is in place"
        )
    for what, runs in (
        ("wait for the account that has their job", done.waiting),
        ("are given up: the next collect ticks end them as lost", done.given_up),
        ("have a record that cannot be read", done.unreadable),
    ):
        if runs:
            more = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
            lines.append(f"{len(runs)} open runs {what}: {', '.join(runs[:_SHOWN])}{more}")
    return lines
