"""Single fields of other cron dialects, written as ours has them."""

import re
from dataclasses import dataclass

DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONG_DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_LONG_MONTHS = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY"),
    *("AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_WEEK = len(DAYS)
_TERM = re.compile(
    r"(?:(?P<all>\*|)|(?P<first>[A-Z0-9]+)(?:-(?P<last>[A-Z0-9]+))?)(?:/(?P<step>[0-9]{1,4}))?"
)
_NUMBER = re.compile(r"[0-9]{1,4}")
_SPECIAL_DAY = re.compile(r"L|LW|WL|L-[0-9]{1,2}W?|[0-9]{1,2}W")
_NTH = re.compile(r"([A-Z0-9]+)#([0-9])")
_LAST = re.compile(r"([A-Z0-9]+)L")
_FIELD = re.compile(
    rf"(?:[0-9*?,/#LW-]|{'|'.join((*_LONG_DAYS, *_LONG_MONTHS, *DAYS, *_MONTHS))})+"
)
_SHORTEST_RANGE = 3
_MOST_OF_A_MONTH = 5


class OtherDialectError(ValueError):
    """A field is none of the dialect by which it is read."""


class NoSuchValueError(OtherDialectError):
    """A field has the form of the dialect and a value that does not exist; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldKind:
    """What the values of a field are: from ``low`` to ``high``, some with names."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    long_names: tuple[str, ...] = ()


SECOND = FieldKind(name="second", low=0, high=59)
MINUTE = FieldKind(name="minute", low=0, high=59)
HOUR = FieldKind(name="hour", low=0, high=23)
DAY = FieldKind(name="day of the month", low=1, high=31)
MONTH = FieldKind(name="month", low=1, high=12, names=_MONTHS, long_names=_LONG_MONTHS)
WEEKDAY = FieldKind(name="day of the week", low=0, high=7, names=DAYS, long_names=_LONG_DAYS)
"""Where 0 and 7 are Sunday."""
YEAR = FieldKind(name="year", low=1970, high=2199)


def translated(kind: FieldKind, text: str) -> str:
    """
    Return a field of minutes, hours, days of the month or months as our dialect has it.

    Raises:
        OtherDialectError: It cannot be read.
    """
    if text in {"*", "?"}:
        return "*"
    terms = [_translated_term(kind, term) for term in text.upper().split(",")]
    return "*" if "*" in terms else ",".join(dict.fromkeys(terms))


def with_its_stars(text: str, translated_text: str) -> str:
    """
    Return a field that begins with ``*`` in such a way that the translated one begins with it too.

    Args:
        text: The field as it is.
        translated_text: The same values, as our dialect has them.
    """
    star, *others = text.split(",")
    if translated_text.startswith("*") or not star.startswith("*"):
        return translated_text
    return ",".join([star, *([translated_text] if others else [])])


def translated_weekdays(text: str, sunday: int) -> str:
    """
    Return a field of days of the week as our dialect has it, in names.

    Args:
        text: The field.
        sunday: The number of Sunday: 1 or 0. Where it is 0, it is also 7.

    Raises:
        OtherDialectError: It cannot be read.
    """
    if text in {"*", "?"}:
        return "*"
    terms = [_weekday_term(term, sunday) for term in text.upper().split(",")]
    return "*" if "*" in terms else ",".join(dict.fromkeys(terms))


def values(kind: FieldKind, text: str) -> frozenset[int]:
    """
    Return the values of a field.

    Raises:
        OtherDialectError: It cannot be read.
    """
    if text in {"*", "?"}:
        return frozenset(range(kind.low, kind.high + 1))
    return frozenset(one for term in text.upper().split(",") for one in _numbers(kind, term))


def has_numbers(weekdays: str) -> bool:
    """Whether a field of weekdays has numbers whose meaning depends on the day that comes first."""
    terms = (re.sub(r"[#/].*", "", term) for term in weekdays.split(","))
    return any(re.search(r"[0-9]", term) for term in terms)


def is_field(text: str) -> bool:
    """Whether a word consists of what fields consist of: it is no command."""
    return bool(_FIELD.fullmatch(text.upper()))


def weekday_list(numbers: frozenset[int]) -> str:
    """Return days of the week, 0 for Sunday, by their names: a range where three or more follow."""
    if len(numbers) == _WEEK:
        return "*"
    ordered = sorted(numbers)
    if len(ordered) >= _SHORTEST_RANGE and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{DAYS[ordered[0]]}-{DAYS[ordered[-1]]}"
    return ",".join(DAYS[one] for one in sorted(numbers, key=lambda one: (one - 1) % _WEEK))


def number_list(kind: FieldKind, numbers: frozenset[int]) -> str:
    """Return values of a field as a list, with ranges where three or more follow."""
    runs: list[tuple[int, int]] = []
    for one in sorted(numbers):
        if runs and runs[-1][1] == one - 1:
            runs[-1] = (runs[-1][0], one)
        else:
            runs.append((one, one))
    if runs == [(kind.low, kind.high)]:
        return "*"
    return ",".join(
        f"{first}-{last}"
        if last - first + 1 >= _SHORTEST_RANGE
        else ",".join(map(str, range(first, last + 1)))
        for first, last in runs
    )


def _translated_term(kind: FieldKind, term: str) -> str:
    """Return one term of a list as our dialect has it."""
    if kind is DAY and _SPECIAL_DAY.fullmatch(term):
        return "LW" if term == "WL" else term
    read = _read_term(term)
    numbers = _numbers(kind, term)
    first, last = _by_name(kind, read["first"]), _by_name(kind, read["last"])
    if len(numbers) == 1:
        return first or str(numbers[0])
    step = _step(read)
    if read["last"] and number_of(kind, read["first"]) > number_of(
        kind, read["last"]
    ):  # it goes round
        return number_list(kind, frozenset(numbers))
    if step == 1:
        return f"{first}-{last}" if first and last else number_list(kind, frozenset(numbers))
    if numbers[0] == kind.low and read["last"] is None:
        return f"*/{step}"
    end = number_of(kind, read["last"]) if read["last"] else kind.high
    return f"{numbers[0]}-{end}/{step}"


def _by_name(kind: FieldKind, text: str | None) -> str | None:
    """Return the short name of a value that is written by its name."""
    for names in (kind.names, kind.long_names):
        if text in names:
            return kind.names[names.index(text)]
    return None


def _weekday_term(term: str, sunday: int) -> str:
    """Return one term of a list of weekdays as our dialect has it."""
    if nth := _NTH.fullmatch(term):
        if not 1 <= int(nth[2]) <= _MOST_OF_A_MONTH:
            raise NoSuchValueError(f"{term!r} must be the first to the fifth of a month")
        return f"{DAYS[_weekday(nth[1], sunday)]}#{nth[2]}"
    if term == "L":
        return DAYS[-1]
    if final := _LAST.fullmatch(term):
        return f"{_weekday(final[1], sunday)}L"
    read = _read_term(term)
    step = _step(read)
    if read["first"] is None:
        return weekday_list(frozenset(range(0, _WEEK, step)))
    first = _weekday(read["first"], sunday)
    if read["last"]:
        last = _weekday(read["last"], sunday)
        first_text, last_text = read["first"].lstrip("0"), read["last"].lstrip("0")
        if sunday == 0 and last_text == "7" != first_text:
            last = _WEEK  # the Sunday that ends the week: 0-7 are all days
        span = last - first if last >= first else last - first + _WEEK
    else:
        span = _WEEK - 1 - first if read["step"] else 0
    return weekday_list(frozenset((first + n) % _WEEK for n in range(0, span + 1, step)))


def _weekday(text: str, sunday: int) -> int:
    """Return a day of the week, 0 for Sunday."""
    for names in (DAYS, _LONG_DAYS):
        if text in names:
            return names.index(text)
    highest = _WEEK if sunday == 0 else _WEEK + sunday - 1
    if _NUMBER.fullmatch(text) and sunday <= int(text) <= highest:
        return (int(text) - sunday) % _WEEK
    if _NUMBER.fullmatch(text):
        raise NoSuchValueError(f"day of the week {text} is not from {sunday} to {highest}")
    raise OtherDialectError(text)


def _numbers(kind: FieldKind, term: str) -> list[int]:
    """Return the values of one term, in their order: a range may go round."""
    read = _read_term(term)
    step = _step(read)
    if read["first"] is None:
        return list(range(kind.low, kind.high + 1, step))
    first = number_of(kind, read["first"])
    last = number_of(kind, read["last"]) if read["last"] else first
    if read["step"] and not read["last"]:
        last = kind.high
    size = kind.high - kind.low + 1
    span = last - first if first <= last else last - first + size
    return [(first - kind.low + n) % size + kind.low for n in range(0, span + 1, step)]


def _read_term(term: str) -> re.Match[str]:
    read = _TERM.fullmatch(term)
    if not read or not term:
        raise OtherDialectError(term)
    return read


def _step(read: re.Match[str]) -> int:
    step = int(read["step"] or 1)
    if not step:
        raise NoSuchValueError(f"the step of {read[0]!r} is 0: a step is at least 1")
    return step


def number_of(kind: FieldKind, text: str) -> int:
    """
    Return the value that a number or a name stands for.

    Raises:
        OtherDialectError: The field has no such value.
    """
    for names in (kind.names, kind.long_names):
        if text in names:
            return names.index(text) + kind.low
    if _NUMBER.fullmatch(text) and kind.low <= int(text) <= kind.high:
        return int(text)
    if _NUMBER.fullmatch(text):
        raise NoSuchValueError(f"{kind.name} {text} is not from {kind.low} to {kind.high}")
    raise OtherDialectError(text)
