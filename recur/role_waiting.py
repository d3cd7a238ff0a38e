"""A new role assignment takes minutes to reach every service: try again, show the time left."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from azure.core.exceptions import HttpResponseError
from rich.console import Console
from rich.text import Text

from orchestrator.duration_text import duration_text
from recur.errors import CliError, Exit
from recur.roles import Missing, Role

LIMIT: Final = timedelta(minutes=30)
"""The longest that Microsoft's documentation gives a role assignment to take effect."""

PAUSE: Final = timedelta(seconds=10)
"""From one try to the next."""

_SAID_EVERY_SECONDS: Final = 30


class RoleWait:
    """
    Repeat calls that are refused for want of a role, for a limited time.

    All calls share the time: a role that is there for one call is soon there for the next.
    """

    def __init__(
        self,
        console: Console,
        limit: timedelta = LIMIT,
        *,
        pause: timedelta = PAUSE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Prepare it.

        Args:
            console: Where the countdown is shown.
            limit: How long to wait altogether, from the first refusal on.
            pause: From one try to the next.
            clock: Returns seconds that never go back.
            sleep: Waits; may raise to give up.
        """
        self._console = console
        self._limit = limit
        self._pause = pause.total_seconds()
        self._clock = clock
        self._sleep = sleep
        self._until: float | None = None
        self._next_line = float("-inf")

    def call[T](self, work: Callable[[], T], missing: Missing) -> T:
        """
        Return what ``work`` returns, once it is allowed.

        Args:
            work: The call.
            missing: Judges its refusals; those that mean no role are raised as they are.

        Raises:
            CliError: The time is over; the message names role, holder and place.
        """
        while True:
            try:
                return work()
            except HttpResponseError as error:
                role = missing(error)
                if role is None:
                    raise
                self._wait(role, error)

    def _wait(self, role: Role, error: HttpResponseError) -> None:
        now = self._clock()
        if self._until is None:
            self._until = now + self._limit.total_seconds()
        if now >= self._until:
            first = str(error.message).partition("\n")[0]
            raise CliError(
                Exit.NO_ACCESS,
                f"access is still refused after {duration_text(self._limit)}: the {role} is missing ({first}){role.doubt}",
                role.command,
            ) from error
        again = min(now + self._pause, self._until)
        with self._console.status("") as status:
            while (now := self._clock()) < again:
                left = timedelta(seconds=round(self._until - now))
                text = (
                    f"waiting for the {role} to take effect: {duration_text(left)} left{role.doubt}"
                )
                status.update(Text(text))
                self._say(text, now)
                self._sleep(min(1, again - now))

    def _say(self, text: str, now: float) -> None:
        """Print a line now and then where no countdown can be shown."""
        if not self._console.is_terminal and now >= self._next_line:
            self._next_line = now + _SAID_EVERY_SECONDS
            self._console.print(text, markup=False)
