"""
How people write cron, and what they may have meant.

The dialect is that of Debian's crontab(5) with ``L``, ``LW``, ``15W``, ``L-3``, ``5L`` and ``MON#1``. What other
programs add is named when it is refused, with what to write instead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

from orchestrator.document.dialects.recognition import NICKNAMES
from orchestrator.document.durations import foreign_duration, spelt
from orchestrator.document.values import shown
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.cron import ever_due, parse_cron
from orchestrator.timing.month_days import parse_month_day

_DAYS_OF_WEEK = 7
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LONGEST, _LONGEST_TERM, _MOST_OF_A_FIELD = 500, 60, 2
_TERM = re.compile(r"(?P<first>[A-Z0-9]+)(?:-(?P<last>[A-Z0-9]+))?(?:/(?P<step>[A-Z0-9]+))?")
_ZONE = re.compile(r"(?:CRON_)?TZ=['\"]?(?P<name>[^\s'\"]*)['\"]?", re.IGNORECASE)
_INTERVAL = re.compile(r"@every\b\s*(?P<span>.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One of the five: what its values are called and which there are."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """Return the value that a name or a number stands for."""
        if text in self.names:
            return self.names.index(text) + self.low
        return int(text) if text.isascii() and text.isdigit() else None

    def spelt(self, value: int, like: str) -> str:
        """Spell a value as the user spells others."""
        return self.names[value - self.low] if like in self.names else str(value)


_FIELDS = (
    _Field(name="minute", low=0, high=59),
    _Field(name="hour", low=0, high=23),
    _Field(name="day of month", low=1, high=31),
    _Field(name="month", low=1, high=12, names=_MONTHS),
    _Field(name="day of week", low=0, high=7, names=_DAYS),
)
_DAY, _WEEKDAY = _FIELDS[2], _FIELDS[4]


def normalised(text: str) -> str:
    """
    Return an expression of five fields: ``@daily`` written out, seconds of ``0`` left out.

    Anything else comes back as it is, but for its spaces.
    """
    words = text.split()
    if len(words) == 1:
        return NICKNAMES.get(text.strip().lower(), text.strip())
    return " ".join(words[1:] if has_seconds(text) else words)


def has_seconds(text: str) -> bool:
    """Whether an expression begins with a field of seconds that is ``0``, as NCRONTAB has it."""
    words = text.split()
    return len(words) == len(_FIELDS) + 1 and words[0] in {"0", "00"}


def check_length(text: str) -> None:
    """
    Refuse a text that is too long to be read.

    Raises:
        ScheduleSyntaxError: It is longer than any expression.
    """
    if len(text) > _LONGEST:
        raise ScheduleSyntaxError(f"longer than {_LONGEST} characters: make a list of several")


def check_cron(expression: str) -> None:
    """
    Refuse an expression that is not five fields of cron, or that can never come due.

    Raises:
        ScheduleSyntaxError: Says which fields, and what would be right.
    """
    check_length(expression)
    words = expression.upper().split()
    if wrong := _other_key(expression.strip()):
        raise ScheduleSyntaxError(wrong)
    if len(words) != len(_FIELDS):
        raise ScheduleSyntaxError(_miscounted(expression.strip(), words))
    found = [
        complaint
        for field, word in zip(_FIELDS, words, strict=True)
        for complaint in islice(_complaints(field, word), _MOST_OF_A_FIELD)
    ]
    if found:
        raise ScheduleSyntaxError("; ".join(found))
    try:
        read = parse_cron(expression)
    except ScheduleSyntaxError as error:  # each field is right by itself
        raise ScheduleSyntaxError(
            f"month {words[3]!r} has no day {words[2]!r}: write L for the last day of a month"
        ) from error
    if not ever_due(read):
        raise ScheduleSyntaxError("no date matches it")


def _other_key(text: str) -> str | None:
    """Say which key stands for what other programs write into an expression."""
    if zone := _ZONE.match(text):
        return f'leave out {zone[0]!r} and write time_zone = "{zone["name"]}", a separate key'
    if not (interval := _INTERVAL.match(text)):
        return None
    if meant := foreign_duration(interval["span"]):
        return (
            f'an interval is not a cron expression: write every = "{spelt(meant)}" instead of cron'
        )
    return 'an interval is not a cron expression: write every instead of cron, as in every = "30m"'


def _miscounted(text: str, words: list[str]) -> str:
    """Say what is wrong with an expression that has not five fields."""
    if text.startswith("@"):
        close = get_close_matches(text.lower(), NICKNAMES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(NICKNAMES)}"
        return f"{text} is unknown; {hint}"
    if len(words) == len(_FIELDS) + 1:
        if words[0].startswith("*"):
            return (
                "six fields, the first for seconds: a schedule's cron has five and no seconds; leave out "
                f"{words[0]!r}: the schedule is then due once in each matching minute"
            )
        return (
            "six fields; a schedule's cron has five, from minute to day of week, no seconds or year: "
            "recur convert translates lines of other schedulers"
        )
    return f"{len(words)} field(s) instead of five: minute, hour, day of month, month, day of week"


def _complaints(field: _Field, word: str) -> Iterator[str]:
    """Yield what is wrong with one field."""
    for term in word.split(","):
        complaint = _term_complaint(field, term)
        if complaint:
            yield f"{field.name} {shown(word)}: {complaint}"


def _term_complaint(field: _Field, term: str) -> str | None:
    """Say what is wrong with one term of a list."""
    if len(term) > _LONGEST_TERM:
        return "it cannot be read: write values, ranges 1-5, steps */15, lists 1,2"
    if _special(field, term) or re.fullmatch(r"\*(/0*[1-9]\d*)?", term):
        return None
    parts = _TERM.fullmatch(term)
    if (foreign := _foreign(field, term)) or not parts:
        return (
            foreign or f"{term!r} cannot be read: write values, ranges 1-5, steps */15, lists 1,2"
        )
    for text in (parts["first"], parts["last"]):
        if text is not None and (wrong := _value(field, text)):
            return wrong
    if parts["step"] and not (parts["step"].isdigit() and int(parts["step"])):
        return f"{parts['step']!r} is not a step: write a whole number from 1 on"
    return _range(field, parts["first"], parts["last"], parts["step"])


def _foreign(field: _Field, term: str) -> str | None:
    """Say what to write for something that other programs know."""
    if "?" in term:
        return "'?' is not supported: recur convert translates such a line"
    if re.fullmatch(r"H(\(.*\))?(/\d+)?", term):
        return "'H' is not supported: choose a value, or spread the load with the key jitter"
    if re.fullmatch(r"\*/\w*", term):
        return f"{term[2:]!r} is not a step: write a whole number from 1 on"
    if field is _DAY:
        return _foreign_day(term)
    return _foreign_weekday(term) if field is _WEEKDAY else None


def _foreign_day(term: str) -> str | None:
    if re.fullmatch(r"L-\w*|L?\d+W|WL|\d+L", term):
        return (
            f"{term!r} is not supported: write L, the last day; LW, the last weekday; L-3, three "
            "days before the last, up to L-30; or 15W, the weekday nearest to the 15th, 1W to 31W"
        )
    return None


def _foreign_weekday(term: str) -> str | None:
    if re.fullmatch(r"\w+#\w*", term):
        return f"{term!r} must be the first to the fifth of a month: write MON#1 to MON#5"
    if term[-1:] == "L" and term[:-1] in _DAYS:
        return f"write the last such day of a month with its number: {_DAYS.index(term[:-1])}L"
    return None


def _special(field: _Field, term: str) -> bool:
    """Whether a term is a day counted from the last, a nearest, last or n-th weekday of a month."""
    if field is _DAY:
        return term in {"L", "LW"} or parse_month_day(term) is not None
    if field is _WEEKDAY and (nth := re.fullmatch(r"(\w+)#[1-5]", term)):
        return _value(field, nth[1]) is None
    return field is _WEEKDAY and bool(re.fullmatch(r"[0-7]L", term))


def _value(field: _Field, text: str) -> str | None:
    """Say what is wrong with one value."""
    number = field.number(text)
    if number is not None and field.low <= number <= field.high:
        return None
    if number is not None:
        return f"{text} is not from {field.low} to {field.high}"
    close = get_close_matches(text, field.names, n=1, cutoff=0.5)
    if close:
        return f"{text!r} is unknown; did you mean {close[0]!r}?"
    names = f", or one of {', '.join(field.names)}" if field.names else ""
    return f"{text!r} is unknown: write a number from {field.low} to {field.high}{names}"


def _range(field: _Field, first: str, last: str | None, step: str | None) -> str | None:
    """Say what is wrong with a range of good values."""
    low, high = field.number(first), field.number(last) if last else None
    if low is None or high is None:
        return None
    if low == high and step:
        # cronsim reads 4-4/3 as 4/3, which goes on to the end of the field; Debian's cron does not
        return f"'{first}-{last}/{step}' is one value with a step: write {first}"
    if low > high:
        return f"a range must not wrap around: write {_unrolled(field, first, last or '', int(step or 1))}"
    return None


def _unrolled(field: _Field, first: str, last: str, step: int) -> str:
    """Spell the values of a range that goes round: those up to the field's end, and those after."""
    low, high = field.number(first) or 0, field.number(last) or 0
    size = _DAYS_OF_WEEK if field is _WEEKDAY else field.high - field.low + 1
    if field is _WEEKDAY:
        low %= size  # 7 is Sunday, as is 0
    values = [*range(low, high + 1 + (size if low > high else 0), step)]
    end = field.low + size
    parts = ([n for n in values if n < end], [n - size for n in values if n >= end])
    spelt_parts: list[str] = []
    for part in parts:
        if part:
            ends = [field.spelt(part[0], first), field.spelt(part[-1], first)]
            text = "-".join(ends) if len(part) > 1 else ends[0]
            spelt_parts.append(f"{text}/{step}" if len(part) > 1 and step > 1 else text)
    return ",".join(spelt_parts)
