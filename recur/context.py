"""What every command is given, and how one runs and ends."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

import typer

from recur.errors import CliError, Exit
from recur.output import Printer
from recur.target import Target, find_target


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
    except ValueError as error:  # from the Azure clients, for a wrong key or address
        told = CliError(Exit.REFUSED, f"a setting is invalid: {error}", "recur doctor")
        given.output.fail(told)
        raise typer.Exit(told.code) from error
    except Exception as error:
        service_error = _of_a_service(given, error)
        if service_error is None:
            raise
        given.output.fail(service_error)
        raise typer.Exit(service_error.code) from error
    raise typer.Exit(code)


def _of_a_service(given: Context, error: Exception) -> CliError | None:
    """Return what an error of an Azure client means; None if it is not one."""
    # Commands that speak to no service do not wait for the clients' modules.
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    from recur.service_errors import in_our_words  # noqa: PLC0415

    if not isinstance(error, AzureError):
        return None
    try:
        target = given.target()
    except CliError:
        target = None
    return in_our_words(error, target)
