"""The tables ``[calendars.<name>]`` of a document: holidays that schedules name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from typing import cast

from orchestrator.document.keys import MOST_CALENDARS, Calendar, CalendarTable, calendar
from orchestrator.document.messages import Path, Table, dotted, wrong_calendar
from orchestrator.document.types import is_calendar_name
from orchestrator.document.values import MOST_ITEMS, short_name
from orchestrator.errors import Problem

_MOST_OF_A_TABLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendars:
    """
    The calendars of a document.

    Attributes:
        valid: By name.
        invalid: The names of the others: schedules that name them stand still.
        problems: What is wrong with those.
    """

    valid: Mapping[str, Calendar] = field(default_factory=dict[str, Calendar])
    invalid: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()

    def lack(self, names: object) -> Iterator[tuple[Path, str]]:
        """Yield the place and the complaint for each name in ``holidays`` that no calendar has."""
        known = [*self.valid, *self.invalid]
        for n, name in enumerate(_texts(names)):
            if name not in known:
                shown = short_name(name)
                close = get_close_matches(shown, known, n=1)
                hint = (
                    f"did you mean {close[0]!r}?" if close else f"define it as [calendars.{shown}]"
                )
                yield ("holidays", n), f"there is no calendar {shown!r}; {hint}"

    def any_invalid(self, names: object) -> bool:
        """Whether something is wrong with one of the calendars that ``holidays`` names."""
        return any(name in self.invalid for name in _texts(names))


def read_calendars(tables: object) -> Calendars:
    """Return the calendars of a document, and what is wrong with them."""
    if tables is None:
        return Calendars()
    if not isinstance(tables, dict):
        return Calendars(
            problems=(Problem(key="calendars", message="must be tables [calendars.<name>]"),)
        )
    given = cast("dict[str, object]", tables)
    valid: dict[str, Calendar] = {}
    problems: list[Problem] = []
    if len(given) > MOST_CALENDARS:
        message = f"{len(given)} calendars; at most {MOST_CALENDARS} are supported"
        problems.append(Problem(key="calendars", message=message))
    for name, table in islice(given.items(), MOST_CALENDARS):
        found = _read(name, table)
        if isinstance(found, Calendar):
            valid[name] = found
        else:
            problems += found
    return Calendars(valid=valid, invalid=frozenset(given.keys() - valid), problems=tuple(problems))


def _read(name: str, table: object) -> Calendar | list[Problem]:
    if not is_calendar_name(name):
        message = "the name of a calendar has 1 to 40 letters, digits, - or _"
        return [Problem(calendar=short_name(name), message=message)]
    if not isinstance(table, dict):
        return [Problem(calendar=name, message="must be a table")]
    try:
        found = [*wrong_calendar(cast("Table", table))]
    except Exception as error:  # noqa: BLE001 - whatever it holds, it stops no other calendar
        return [Problem(calendar=name, message=f"cannot be read: {error!r:.300}")]
    if found:
        return [
            Problem(calendar=name, key=dotted(path), message=says)
            for path, says in found[:_MOST_OF_A_TABLE]
        ]
    return calendar(CalendarTable.model_validate(table))


def _texts(names: object) -> Iterable[str]:
    values = cast("list[object]", names)[:MOST_ITEMS] if isinstance(names, list) else []
    return [one for one in values if isinstance(one, str)]
