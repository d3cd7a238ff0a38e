"""
The errors of the orchestrator, one class per reaction.

    RecurError
    +-- SettingsError          the operator must change settings; nothing runs until then
    +-- DocumentError          the document decides nothing until the operator mends it
    +-- ScheduleSyntaxError    one schedule stands still until the operator mends it
    +-- LedgerUnavailable      storage did not answer or refused; the next tick tries again
    |   +-- BlobRefused        storage refused one blob, such as an archived one; others go on
    +-- LedgerTrouble          the operator must mend the ledger; nothing is done until then
    +-- LedgerConflict         somebody else wrote first; the next tick looks again
    +-- NotNow                 what is asked for cannot be told now; the next tick tries again
    +-- RequestRefused         an operator asked for what cannot be done; the answer says why
    +-- RecordUnreadable       one blob is not what it should be; everything else goes on
    +-- LeaseTaken             another tick is at work; this one ends quietly
    +-- OutputUnreadable       an output cannot be read back now; the next tick tries again
    +-- OutOfTime              the tick took too long; the next tick goes on
    +-- BatchUnavailable       Batch did not answer; the next tick tries again
    +-- BatchRefused           Batch answered with an error; its code says what follows
"""

from collections.abc import Sequence
from dataclasses import dataclass


class RecurError(Exception):
    """The root: caught once per schedule or run in the passes and once in the function app."""


class SettingsError(RecurError):
    """
    Settings are missing or malformed.

    Attributes:
        problems: One sentence for each setting, with its name.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("settings to correct: " + "; ".join(self.problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One thing to correct in the schedule document.

    Attributes:
        schedule: The table's name; None if the problem is not one schedule's.
        key: The key in that table, dotted below it; None for the table itself.
        message: What is wrong, and what would be right.
        in_defaults: Whether the table is ``[defaults]``.
        in_prices: Whether the table is ``[prices]``.
        calendar: The name of the table ``[calendars.<name>]`` that it is in.
    """

    schedule: str | None = None
    key: str | None = None
    message: str
    in_defaults: bool = False
    in_prices: bool = False
    calendar: str | None = None

    def __str__(self) -> str:
        """Return the place and the message as one sentence."""
        place = f"[schedules.{self.schedule}]" if self.schedule else ""
        place = "[defaults]" if self.in_defaults else place
        place = "[prices]" if self.in_prices else place
        place = place if self.calendar is None else f"[calendars.{self.calendar}]"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class DocumentError(RecurError):
    """
    The whole schedule document cannot be used.

    Attributes:
        problems: All of them, with their places.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class ScheduleSyntaxError(RecurError):
    """A cron expression or a time zone cannot be understood."""


class LedgerUnavailable(RecurError):  # noqa: N818 - named for the state, not for the exception
    """The blob storage of the ledger did not answer in time, or refused."""


class LedgerTrouble(RecurError):  # noqa: N818 - the same
    """
    The ledger is not one that this app may work on.

    Attributes:
        what: In a word, for programs: foreign, missing or unreadable.
        blob: Its name.
    """

    def __init__(self, what: str, blob: str, detail: str) -> None:
        self.what = what
        self.blob = blob
        super().__init__(f"{blob}: {detail}")


class BlobRefused(LedgerUnavailable):
    """Blob storage refused what was asked of one blob; it answers for others."""


class LedgerConflict(RecurError):  # noqa: N818 - the same
    """A blob is there already, changed between our read and our write, or is leased."""


class NotNow(RecurError):  # noqa: N818 - the same
    """What an operator asks for cannot be done at this moment."""


class RequestRefused(RecurError):  # noqa: N818 - the same
    """An operator asked for what cannot be done; the message says why, and what would help."""


class RecordUnreadable(RecurError):  # noqa: N818 - the same
    """A blob of the ledger is not the JSON that this version writes."""


class OutputUnreadable(RecurError):  # noqa: N818 - the same
    """An output is there, and could not be read back in time."""


class LeaseTaken(RecurError):  # noqa: N818 - the same
    """Another tick holds the lease."""


class OutOfTime(RecurError):  # noqa: N818 - the same
    """A tick was cut off before its lease ran out."""


class BatchUnavailable(RecurError):  # noqa: N818 - the same
    """
    Batch gave no answer, or one that says nothing about the request (429, 5xx).

    What was asked for may have been done all the same.
    """


class BatchRefused(RecurError):  # noqa: N818 - the same
    """
    Batch answered with an error.

    Attributes:
        status: The HTTP status.
        code: The service's error code, such as ``JobExists``: the only thing to branch on,
            since the client library raises one class for every 409.
        detail: The service's message, without its request id and time.
    """

    def __init__(self, *, status: int, code: str, detail: str) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        super().__init__(f"{code} ({status}): {detail}")
