"""Notes on steps of cron that do not give one distance throughout."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recur.lint.notes import Code, KeyNote, key_note, quoted

_STEP = re.compile(r"(?P<first>\*|\d{1,4})(?:-(?P<last>\d{1,4}))?/(?P<step>\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """
    One of the five.

    Attributes:
        name: What it is called.
        low: Its first value.
        size: How many values there are, at most.
        within: What begins anew after them.
        unit: Of a step, as ``every`` or ``interval`` has it; None where neither has one.
    """

    name: str
    low: int
    size: int
    within: str
    unit: str | None


_FIELDS = (
    _Field(name="minute", low=0, size=60, within="hour", unit="m"),
    _Field(name="hour", low=0, size=24, within="day", unit="h"),
    _Field(name="day", low=1, size=31, within="month", unit="days"),
    _Field(name="month", low=1, size=12, within="year", unit="months"),
    _Field(name="weekday", low=0, size=7, within="week", unit=None),
)


def step_notes(cron: str) -> Iterator[KeyNote]:
    """Note steps that begin anew before they come round, and steps beyond their field."""
    words = cron.split()
    for field, word in zip(_FIELDS, words, strict=True):
        for term in word.split(","):
            if (step := _STEP.fullmatch(term)) and (note := _note(field, step, words)):
                yield note


def _note(field: _Field, step: re.Match[str], words: list[str]) -> KeyNote | None:
    first = field.low if step["first"] == "*" else int(step["first"])
    width = int(step["step"])
    last = field.low + field.size - 1
    if step["last"]:
        last = min(last, int(step["last"]))
    values = range(first, last + 1, width)
    if width == 1 or not values:
        return None
    keeps = f"; {_keeping(field, width)} keeps an even distance" if field.unit else ""
    shown = f"{field.name} {quoted(step[0])}"
    if len(values) == 1:
        longer = "range" if step["last"] else field.within
        message = f"{shown} matches only {first}, since the step is longer than the {longer}{keeps}"
        return key_note(Code.STEP_OVER_FIELD, "cron", message)
    if step["last"] or field.size % width == 0 or not _goes_round(field, words):
        return None
    message = f"{shown} starts again each {field.within}: after {values[-1]} comes {first}{keeps}"
    return key_note(Code.UNEVEN_STEP, "cron", message)


def _keeping(field: _Field, width: int) -> str:
    """Return the key that keeps a distance: elapsed time, or dates."""
    if field.unit in {"m", "h"}:
        return f'every = "{width}{field.unit}"'
    return f"an interval of {width} {field.unit}"


def _goes_round(field: _Field, words: list[str]) -> bool:
    """Whether the last value of a field can be followed by its first."""
    _, hour, day, month, weekday = words
    return {
        "minute": not hour.isdigit(),
        "hour": not day.isdigit(),
        "day": weekday == "*" and not month.isdigit(),
        "month": True,
        "weekday": day == "*",
    }[field.name]
