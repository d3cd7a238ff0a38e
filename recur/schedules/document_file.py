"""A schedule document in a file: read, and refused with every problem at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError, Problem
from recur.errors import CliError, Exit


def read_file(file: Path) -> str:
    """
    Return the text of a file, without a byte order mark.

    Raises:
        CliError: It cannot be read, or is not UTF-8.
    """
    return read_text(file, "name a schedule document, a TOML file")


def read_text(file: Path, next_step: str) -> str:
    """
    Return the text of a file, without a byte order mark.

    Args:
        file: The file.
        next_step: What to do where it cannot be read.

    Raises:
        CliError: It cannot be read, or is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise CliError(Exit.REFUSED, message, next_step) from error
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8, at byte {error.start}"
        raise CliError(Exit.REFUSED, message, "save it as UTF-8") from error


def valid_document(text: str, file: Path, next_step: str) -> Document:
    """
    Return the document in a text.

    Args:
        text: TOML.
        file: Where it stands, for messages.
        next_step: What to do once it is corrected.

    Raises:
        CliError: There are problems; the message has all of them.
    """
    try:
        document = parse(text, after=datetime.now(UTC))
    except DocumentError as error:
        raise refused_document(file, error.problems, next_step) from error
    if document.problems:
        raise refused_document(file, document.problems, next_step)
    return document


def _table(problem: Problem) -> str | None:
    if problem.calendar is not None:
        return f"calendars.{problem.calendar}"
    if problem.in_prices:
        return "prices"
    return "defaults" if problem.in_defaults else problem.schedule


def refused_document(file: Path, problems: Sequence[Problem], next_step: str) -> CliError:
    """Return the error that tells every problem of a document, each in a line of its own."""
    found = [
        {
            "table": _table(one),
            "key": one.key,
            "message": one.message,
        }
        for one in problems
    ]
    return CliError(
        Exit.REFUSED,
        f"{file} is refused, {len(problems)} problem(s):",
        next_step,
        lines=[str(problem) for problem in problems],
        details={"problems": found},
    )
