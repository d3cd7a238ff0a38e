"""
What a command ends with: an exit code for each reaction, and a message that says what to do next.

    0  done
    1  something was found, or it did not work
    2  the command line itself is wrong
    3  what was given is refused: the document, a package, a setting, a request
    4  somebody else changed it in the meantime
    5  no access: a sign-in or a role is missing
    6  the service gave no answer
"""

from collections.abc import Mapping, Sequence
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes, as documented."""

    DONE = 0
    FOUND = 1
    USAGE = 2
    REFUSED = 3
    CONFLICT = 4
    NO_ACCESS = 5
    UNAVAILABLE = 6


class CliError(Exception):
    """
    A command that cannot go on.

    Attributes:
        code: The exit code.
        message: What is wrong, with its place; each of further lines begins with two spaces.
        lines: The same, line by line and without these spaces.
        next_step: What to do about it; a command where there is one.
        details: What else programs are told, beside ``error`` in the JSON document.
    """

    def __init__(
        self,
        code: Exit,
        message: str,
        next_step: str | None = None,
        *,
        lines: Sequence[str] = (),
        details: Mapping[str, object] | None = None,
    ) -> None:
        r"""
        Say what went wrong.

        Args:
            code: The exit code.
            message: What is wrong, in one line: a line feed in it is printed as ``\n``.
            next_step: What to do about it.
            lines: What follows the message in lines of its own.
            details: What else programs are told.
        """
        self.code = code
        self.lines = (message, *lines)
        self.message = "\n  ".join(self.lines)
        self.next_step = next_step
        self.details = dict(details or {})
        super().__init__(self.message)
