"""Reads what is said of a timing in words back into wall times: independent of what wrote it."""

import re
from calendar import day_name, month_name, monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

type Days = Callable[[date], bool]

DAY = timedelta(days=1)
_WHOLE = (1 << 1440) - 1
_LIST = r"(?:{0}(?:(?:, | and ){0})*)"
_CLOCK = r"\d\d:\d\d"
_CLOCKS = _LIST.format(_CLOCK)
_MINUTES = _LIST.format(r":\d\d(?: to :\d\d)?")
_HOURS = r"every hour|the hours? " + _LIST.format(r"\d+(?: to \d+)?")
_LENGTH = r"minute|hour|day|(?:\d+ d ?)?(?:\d+ h ?)?(?:\d+ min ?)?"
_TIMES = (
    rf"at (?P<clocks>{_CLOCKS})",
    rf"at (?P<minutes>{_MINUTES}) of (?P<hours>{_HOURS})",
    rf"every (?P<step>{_LENGTH})(?: from :(?P<low>\d\d) to :(?P<high>\d\d))? of (?P<hours>{_HOURS})",
    rf"every (?P<step>{_LENGTH})(?: at :(?P<at>\d\d))?",
    rf"every (?P<step>{_LENGTH}) from (?P<first>{_CLOCK}) to (?P<last>{_CLOCK})",
)
_MONTHS = "|".join(month_name[1:])
_WEEKDAYS = "|".join(day_name)
_PLACES = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}


def read_timing(text: str, days: list[date]) -> dict[date, int]:
    """
    Return the minutes of each day at which a timing in UTC is due, as bits, by its words alone.

    Args:
        text: Without start and end.
        days: Those to look at.
    """
    found, single = dict.fromkeys(days, 0), dict.fromkeys(days, 0)
    for part in text.replace(", UTC", "", 1).split("; "):
        phrase = part.removeprefix("also ")
        if phrase.startswith("only every "):
            counted = _counted(phrase)
            found = {day: minutes if counted(day) else 0 for day, minutes in found.items()}
        elif phrase == "at no time" or phrase.startswith("not "):
            for day, minutes in _left_out(phrase.removeprefix("not "), days):
                found[day] &= ~minutes
                single[day] &= ~minutes
        else:
            of_cron = not re.match(r"at \d{4}-", phrase)
            for day, minutes in _given(phrase, days):
                (found if of_cron else single)[day] |= minutes
    return {day: minutes | single[day] for day, minutes in found.items()}


def _given(phrase: str, days: list[date]) -> Iterator[tuple[date, int]]:
    """Yield what a phrase gives; of a day it may do so several times."""
    if re.match(r"at \d{4}-", phrase):
        instants = iter([_instant(one) for one in _items(phrase.removeprefix("at "))])
    elif " counted from " in phrase:
        instants = _intervals(phrase, days)
    else:
        yield from _phrase(phrase, days)
        return
    for one in instants:
        if days[0] <= one.date() <= days[-1]:
            yield one.date(), 1 << one.hour * 60 + one.minute


def _items(text: str) -> list[str]:
    return re.split(", | and ", text)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _left_out(text: str, days: list[date]) -> Iterator[tuple[date, int]]:
    if text == "at no time":
        yield from ((day, _WHOLE) for day in days)
    elif re.match(r"on \d{4}-", text):
        dates = {date.fromisoformat(one) for one in _items(text.removeprefix("on "))}
        yield from ((day, _WHOLE) for day in days if day in dates)
    elif text.startswith(("at ", "every ")):
        yield from _phrase(text, days)
    else:
        fits = _days(text)
        yield from ((day, _WHOLE) for day in days if fits(day))


def _intervals(text: str, days: list[date]) -> Iterator[datetime]:
    length, anchor = text.removeprefix("every ").split(" counted from ")
    step, instant = _length(length), datetime.fromisoformat(anchor)
    begin = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    instant += -((instant - begin) // step) * step
    while instant.date() <= days[-1]:
        yield instant
        instant += step


def _counted(text: str) -> Days:
    match = re.fullmatch(
        r"only every (\d+)(?:st|nd|rd|th) (day|week|month) counted from (.*)", text
    )
    assert match, text
    every = int(match[1])
    if match[2] == "month":
        year, month = map(int, match[3].split("-"))
        return lambda day: ((day.year - year) * 12 + day.month - month) % every == 0
    anchor = date.fromisoformat(match[3].removeprefix("that of "))
    if match[2] == "day":
        return lambda day: (day - anchor).days % every == 0
    monday = anchor - anchor.weekday() * DAY
    return lambda day: (day - monday).days // 7 % every == 0


def _phrase(text: str, days: list[date]) -> Iterator[tuple[date, int]]:
    for pattern in _TIMES:
        match = re.fullmatch(rf"{pattern}(?:, (?P<days>[^\d:].*))?", text)
        if match:
            minutes, fits = _times(match.groupdict()), _days(match["days"] or "every day")
            bits = sum(1 << minute for minute in minutes)
            yield from ((day, bits) for day in days if fits(day))
            return
    raise AssertionError(f"not understood: {text}")


def _times(found: dict[str, str | None]) -> set[int]:
    if clocks := found.get("clocks"):
        return {_minute(one) for one in _items(clocks)}
    step = int(_length(found["step"]) / timedelta(minutes=1)) if found.get("step") else 0
    if hours := found.get("hours"):
        numbers = set(range(24))
        if hours != "every hour":
            numbers = _numbers(re.sub("^the hours? ", "", hours))
        if minutes := found.get("minutes"):
            of_hour = _numbers(minutes.replace(":", ""))
        else:
            of_hour = set(range(int(found["low"] or 0), int(found["high"] or 59) + 1, step))
        return {hour * 60 + minute for hour in numbers for minute in of_hour}
    if first := found.get("first"):
        return set(range(_minute(first), _minute(found["last"] or "") + 1, step))
    return set(range(int(found.get("at") or 0), 1440, step))


def _minute(clock: str) -> int:
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def _length(text: str | None) -> timedelta:
    units = {"d": 1440, "h": 60, "min": 1, "minute": 1, "hour": 60, "day": 1440}
    words = (text or "").split()
    if len(words) == 1:
        return timedelta(minutes=units[words[0]])
    pairs = zip(words[::2], words[1::2], strict=True)
    return timedelta(minutes=sum(int(count) * units[unit] for count, unit in pairs))


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for item in _items(text):
        first, _, last = item.partition(" to ")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _days(text: str) -> Days:
    months = set(range(1, 13))
    if match := re.fullmatch(rf"(?:(.*), )?(in|from) ((?:{_MONTHS}).*)", text):
        text = match[1] or "every day"
        months = _named(match[3], month_name)
    if text == "every day":
        return lambda day: day.month in months
    if " and also " in text:
        month, week = map(_one_side, text.split(" and also "))
        return lambda day: day.month in months and (month(day) or week(day))
    sides = [_one_side(side) for side in text.split(", only ")]
    return lambda day: day.month in months and all(side(day) for side in sides)


def _named(text: str, names: object) -> set[int]:
    order = list(names)  # type: ignore[call-overload]
    found: set[int] = set()
    for item in _items(text):
        first, _, last = item.partition(" to ")
        found |= set(range(order.index(first), order.index(last or first) + 1))
    return found


def _one_side(text: str) -> Days:
    """Return what one side says: a day of the month, or a day of the week."""
    text = text.removeprefix("on ")
    if match := re.fullmatch(rf"(.*) of (?:the month|({_MONTHS}))", text):
        month = list(month_name).index(match[2]) if match[2] else None
        if not re.search(rf"\b({_WEEKDAYS})\b", text):
            fits = _of_month(match[1])
            return lambda day: fits(day) and month in {None, day.month}
    if re.match(rf"\d+ ({_MONTHS})", text):
        dates = {tuple(one.split()) for one in _items(text)}
        return lambda day: (str(day.day), month_name[day.month]) in dates
    sides = [_week_item(one) for one in _items(text)]
    return lambda day: any(side(day) for side in sides)


def _week_item(text: str) -> Days:
    if match := re.fullmatch(r"the (\w+) (\w+) of the month", text):
        weekday, place = list(day_name).index(match[2]), match[1]
        if place == "last":
            return lambda day: day.weekday() == weekday and (day + 7 * DAY).month != day.month
        return lambda day: day.weekday() == weekday and (day.day + 6) // 7 == _PLACES[place]
    weekdays = _named(text, day_name)
    return lambda day: day.weekday() in weekdays


def _of_month(text: str) -> Days:
    if match := re.fullmatch(r"every (\d+)(?:st|nd|rd|th) day from (\d+) to (\d+)", text):
        numbers = set(range(int(match[2]), int(match[3]) + 1, int(match[1])))
        return lambda day: day.day in numbers
    items = _items(re.sub(r"^days? (?=\d)", "", text))
    sides = [_month_item(one) for one in items]
    return lambda day: any(side(day) for side in sides)


def _month_item(text: str) -> Days:
    if text.startswith("the weekday nearest to "):
        place = _place(text.removeprefix("the weekday nearest to "))
        return lambda day: day == _nearest(place(day))
    if text == "the last weekday":
        return lambda day: day == _nearest(day.replace(day=_length_of_month(day)))
    if text.startswith("the "):
        place = _place(text)
        return lambda day: day == place(day)
    numbers = _numbers(text)
    return lambda day: day.day in numbers


def _length_of_month(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _place(text: str) -> Callable[[date], date | None]:
    """Return the day that a month has at a place; None if it is too short."""

    def place(day: date) -> date | None:
        last = _length_of_month(day)
        if text == "the last day":
            return day.replace(day=last)
        if match := re.fullmatch(r"the (\d+)(?:st|nd|rd|th) day before the last", text):
            number = last - int(match[1])
        else:
            number = int(text.removeprefix("day "))
        return day.replace(day=number) if 1 <= number <= last else None

    return place


def _nearest(day: date | None) -> date | None:
    """Return the day from Monday to Friday that is nearest, in the same month."""
    if day is None or day.weekday() < 5:
        return day
    days = [day + n * DAY for n in ((-1, 2) if day.weekday() == 5 else (1, -2))]
    return next(one for one in days if one.month == day.month)
