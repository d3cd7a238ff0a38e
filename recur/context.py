"""What every command is given, and how one runs and ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

import typer
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from recur.errors import CliError, Exit
from recur.output import Printer
from recur.target import Target, find_target

_FORBIDDEN = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    What every command is given: where to work and where to speak.

    Attributes:
        settings: The settings file that is named.
        output: Where the command's words go.
        zone: That of all times in tables; None: the terminal's.
    """

    settings: Path | None
    output: Printer
    zone: tzinfo | None = None

    def target(self) -> Target:
        """Find the deployment."""
        return find_target(self.settings)


def run(context: typer.Context, command: Callable[[Context], Exit]) -> None:
    """Run a command and end with its exit code; whatever fails is told in our words."""
    given: Context = context.obj
    try:
        code = command(given)
    except CliError as error:
        given.output.fail(error)
        raise typer.Exit(error.code) from error
    except AzureError as error:
        told = in_our_words(error)
        given.output.fail(told)
        raise typer.Exit(told.code) from error
    except ValueError as error:  # from the Azure clients, for a wrong key or address
        told = CliError(Exit.REFUSED, f"a setting cannot be used: {error}", "recur doctor")
        given.output.fail(told)
        raise typer.Exit(told.code) from error
    raise typer.Exit(code)


def in_our_words(error: AzureError) -> CliError:
    """Say what an error of an Azure client means for the person at the keyboard."""
    first = str(error.message).partition("\n")[0]
    if isinstance(error, ClientAuthenticationError) or (
        isinstance(error, HttpResponseError) and error.status_code == _FORBIDDEN
    ):
        return CliError(Exit.NO_ACCESS, first, "sign in by `az login`, then `recur doctor`")
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return CliError(Exit.UNAVAILABLE, first, "check the address and the network, try again")
    return CliError(Exit.FOUND, first, "`recur doctor` checks the deployment")
