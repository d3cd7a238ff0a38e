"""How something is asked for: by whom, why, and how long to wait for the answer."""

import getpass
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

from orchestrator.decisions.request_rules import LONGEST, one_line
from recur.errors import CliError, Exit

WAIT_SECONDS: Final = 150
"""Two ticks, and what they take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOptions:
    """
    How something is asked for.

    Attributes:
        by: Who asks: what they say of themselves, or login name and host; nobody checks it.
        note: Why.
        wait: For the answer; None: not at all.
    """

    by: str
    note: str | None
    wait: timedelta | None

    @classmethod
    def of(cls, by: str | None, note: str | None, *, seconds: int | None) -> Self:
        """
        Return what the options say.

        Raises:
            CliError: A text is not fit for the record.
        """
        return cls(
            by=login_and_host() if by is None else check_text(by, "--by"),
            note=None if note is None else check_text(note, "--note"),
            wait=None if seconds is None else timedelta(seconds=seconds),
        )


def login_and_host() -> str:
    """Return the login name and the host: a claim for the record, and no proof."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        name = "somebody"
    return f"{name}@{socket.gethostname()}"


def check_text(text: str, name: str) -> str:
    """
    Return what goes into the record: one line, not empty, not endless.

    Raises:
        CliError: It is none.
    """
    text, most = text.strip(), LONGEST[name.removeprefix("--")]
    if one_line(text, most):
        return text
    raise CliError(
        Exit.USAGE, f"{name} must be one line of 1 to {most} characters", "write one line"
    )
