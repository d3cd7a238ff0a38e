"""What an error of a pass means for the person at the keyboard."""

from azure.core.exceptions import AzureError

from orchestrator.decisions.places import LOOPBACK
from orchestrator.errors import (
    BatchUnavailable,
    LedgerConflict,
    LedgerUnavailable,
    OutOfTime,
    RecurError,
)
from recur.errors import CliError, Exit
from recur.service_errors import MAKE_UP, in_our_words


def pass_error(name: str, error: RecurError) -> CliError:
    """Say what a pass could not do, and what to do about it."""
    again = "recur tick" if name in {"submit", "collect"} else f"recur {name}"
    message = f"{name}: {str(error).partition(chr(10))[0]}"
    if isinstance(error.__cause__, AzureError) and isinstance(error, LedgerUnavailable):
        told = in_our_words(error.__cause__)
        if told.code is Exit.NO_ACCESS:
            return CliError(told.code, message, told.next_step)
    if isinstance(error, LedgerUnavailable | BatchUnavailable):
        here = any(f"{host}:" in message for host in LOOPBACK)
        step = MAKE_UP if here else "check the address and the network, then try again"
        return CliError(Exit.UNAVAILABLE, message, step)
    if isinstance(error, OutOfTime | LedgerConflict):
        return CliError(Exit.CONFLICT, message, f"run `{again}` again: it continues from here")
    return CliError(Exit.FOUND, message, "recur doctor")
