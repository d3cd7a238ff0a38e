"""What an examination says of each thing it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How a thing was found."""

    GOOD = "good"
    NOTE = "note"
    PROBLEM = "problem"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing that was looked at.

    Attributes:
        check: What was looked at.
        grade: How it was found.
        what: What it is.
        why: Why that matters; empty where all is good.
        fix: The command, or else the words, that mend it.
    """

    check: str
    grade: Grade
    what: str
    why: str = ""
    fix: str = ""


def good(check: str, what: str) -> Finding:
    """Return a finding that needs nobody."""
    return Finding(check=check, grade=Grade.GOOD, what=what)


def note(check: str, what: str, why: str, fix: str = "") -> Finding:
    """Return a finding that somebody should know of."""
    return Finding(check=check, grade=Grade.NOTE, what=what, why=why, fix=fix)


def problem(check: str, what: str, why: str, fix: str) -> Finding:
    """Return a finding that keeps runs from happening."""
    return Finding(check=check, grade=Grade.PROBLEM, what=what, why=why, fix=fix)


def unchecked(check: str, what: str) -> Finding:
    """Return a finding about what could not be looked at, and why not."""
    return Finding(check=check, grade=Grade.UNCHECKED, what=what)
