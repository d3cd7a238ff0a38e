"""Roles take minutes to be known everywhere: wait for them, visibly, and no longer than that."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from azure.core.exceptions import HttpResponseError
from rich.console import Console
from rich.text import Text

from cli.errors import CliError, Exit

LIMIT: Final = timedelta(minutes=5)
"""How long a role assignment takes at most, as Azure says."""

_FORBIDDEN: Final = 403
_SAID_EVERY_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """
    A role that a call needs.

    Attributes:
        name: As Azure names it.
        scope: The ARM id of what it is needed for, or a command in ``$( )`` that prints it.
    """

    name: str
    scope: str

    @property
    def command(self) -> str:
        """The command by which somebody who may do so gives it to whoever is signed in."""
        return (
            f'az role assignment create --role "{self.name}" '
            '--assignee-object-id "$(az ad signed-in-user show --query id --output tsv)" '
            f'--assignee-principal-type User --scope "{self.scope}"'
        )


class Patience:
    """
    Try calls again while they are forbidden, until the time for that is used up.

    All calls share the time: a role that is there for one is soon there for the next.
    """

    def __init__(
        self,
        console: Console,
        limit: timedelta = LIMIT,
        *,
        pause: timedelta = timedelta(seconds=10),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Prepare it.

        Args:
            console: Where the countdown is shown.
            limit: How long calls may be forbidden altogether.
            pause: From one try to the next.
            sleep: Waits; may raise to give up.
        """
        self._console = console
        self._limit = limit.total_seconds()
        self._pause = pause.total_seconds()
        self._sleep = sleep
        self._until: float | None = None
        self._said = 0.0

    def call[T](self, role: Role, work: Callable[[], T]) -> T:
        """
        Return what ``work`` returns, once it is allowed.

        Raises:
            CliError: It never is; the message names the role, its scope and the command.
        """
        while True:
            try:
                return work()
            except HttpResponseError as error:
                if error.status_code != _FORBIDDEN:
                    raise
                self._wait(role, error)

    def _wait(self, role: Role, error: HttpResponseError) -> None:
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._limit
        if now >= self._until:
            first = str(error.message).partition("\n")[0]
            raise CliError(
                Exit.NO_ACCESS,
                f"still forbidden after {self._limit:g} s: the role {role.name!r} is missing on "
                f"{role.scope} ({first})",
                role.command,
            ) from error
        again = min(now + self._pause, self._until)
        with self._console.status("") as status:
            while (now := time.monotonic()) < again:
                left = timedelta(seconds=round(self._until - now))
                text = f"waiting for the role {role.name!r} to be known everywhere: {left} left"
                status.update(Text(text))
                self._say(text, now)
                self._sleep(min(1, again - now))

    def _say(self, text: str, now: float) -> None:
        """Print a line now and then where no countdown can be shown."""
        if not self._console.is_terminal and now - self._said >= _SAID_EVERY_SECONDS:
            self._said = now
            self._console.print(text, markup=False)
