"""Quartz and NCRONTAB, from their own rules: what our translations are held against."""

from dataclasses import dataclass
from datetime import date, timedelta

_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCron:
    """
    Five fields of another dialect; where both days are given, both must match.

    Attributes:
        sunday: The number of Sunday.
        turned: Whether a range that ends before it begins has its ends changed over, as in NCrontab.
    """

    minute: str
    hour: str
    day: str
    month: str
    weekday: str
    sunday: int
    turned: bool = False

    def minutes(self, day: date) -> list[int]:
        """Return the minutes of a day at which all fields match, counted from 0:00."""
        if not (
            self._matches(self.month, day.month, 1, 12)
            and self._on_day(day)
            and self._on_weekday(day)
        ):
            return []
        hours = [one for one in range(24) if self._matches(self.hour, one, 0, 23)]
        minutes = [one for one in range(60) if self._matches(self.minute, one, 0, 59)]
        return [hour * 60 + minute for hour in hours for minute in minutes]

    def has_dates(self) -> bool:
        """Return whether a month that matches has a day that does; 30 February is none."""
        leap = [date(2028, 1, 1) + timedelta(days=n) for n in range(366)]
        return any(
            self._on_day(one) and self._matches(self.month, one.month, 1, 12) for one in leap
        )

    def _on_day(self, day: date) -> bool:
        last = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        if self.day == "L":
            return day == last
        if self.day == "LW":
            while last.isoweekday() > 5:
                last -= timedelta(days=1)
            return day == last
        return self._matches(self.day, day.day, 1, 31)

    def _on_weekday(self, day: date) -> bool:
        return any(self._on_term(term, day) for term in self.weekday.split(","))

    def _on_term(self, term: str, day: date) -> bool:
        number = day.isoweekday() % 7 + self.sunday
        if "#" in term:
            one, nth = term.split("#")
            return self._number(one) == number and (day.day - 1) // 7 + 1 == int(nth)
        if term.endswith("L") and len(term) > 1:
            return (
                self._number(term[:-1]) == number and (day + timedelta(days=7)).month != day.month
            )
        text, _, step = term.partition("/")
        if text in {"*", "?"}:
            return (number - self.sunday) % int(step or 1) == 0
        first, _, last = text.partition("-")
        begin = self._number(first)
        end = self._number(last) if last else (6 + self.sunday if step else begin)
        if begin > end and self.turned:
            begin, end = end, begin
        elif begin > end:
            end += 7
        reached = range(begin, end + 1, int(step or 1))
        return number in reached or number + 7 in reached

    def _number(self, text: str) -> int:
        return _NAMES.index(text) + self.sunday if text in _NAMES else int(text)

    def _matches(self, field: str, value: int, low: int, high: int) -> bool:
        return any(self._term(term, value, low, high) for term in field.split(","))

    def _term(self, term: str, value: int, low: int, high: int) -> bool:
        text, _, step = term.partition("/")
        if text in {"*", "?", ""}:
            return (value - low) % int(step or 1) == 0
        first, _, last = text.partition("-")
        begin = int(first)
        end = int(last) if last else (high if step else begin)
        size = high - low + 1
        if begin > end and self.turned:
            begin, end = end, begin
        elif begin > end:
            end += size
        reached = range(begin, end + 1, int(step or 1))
        return value in reached or value + size in reached
