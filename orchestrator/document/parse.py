"""
The schedule document: TOML in, schedules and problems out.

Every problem is reported at once, with its table, its key, what is wrong and what would be right.
A table with a problem stops its own schedule and no other; a value of ``[defaults]`` with a problem
is told once, and stops the schedules that inherit it. So is one of a calendar, which stops those
that name it; one of ``[prices]`` stops none.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, cast

from orchestrator.document.calendars import Calendars, read_calendars
from orchestrator.document.dialects.refusal import Refusals
from orchestrator.document.key_hints import close_key
from orchestrator.document.keys import PricesTable, ScheduleTable, prices, schedule
from orchestrator.document.messages import (
    EITHER,
    KEYS,
    WHEN,
    Path,
    Table,
    dotted,
    wrong,
    wrong_prices,
    wrong_together,
)
from orchestrator.document.text_bounds import check_text
from orchestrator.document.values import cut_short, short_name
from orchestrator.enums import Overlap
from orchestrator.errors import DocumentError, Problem
from orchestrator.ids import SCHEDULE_ID, ScheduleId
from orchestrator.model import Prices, Recurrence, Schedule

MAX_SCHEDULES = 1000
MOST_TIMING_BYTES = 700_000
"""Of all ``cron``, ``at``, ``except`` and ``holidays``: ``submit.json`` holds them twice during a change."""

_INNER = frozenset({"dst", "catch_up", "retries", "environment"})
"""Tables in tables: these merge key by key with those of ``[defaults]``."""
_DEFAULTS, _SCHEDULES, _PRICES = "defaults", "schedules", "prices"
_CALENDARS = "calendars"
_MOST_PROBLEMS, _MOST_OF_A_TABLE = 1000, 50
_PARTS = (_SCHEDULES, _DEFAULTS, _PRICES, _CALENDARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """
    What a document says.

    Attributes:
        schedules: Its valid tables.
        invalid: Ids of its other tables: these schedules stand still.
        problems: What is wrong with those, with ``[defaults]``, with ``[prices]``, and with tables
            whose name is no schedule id.
        prices: What nodes cost; None where nothing is said of it, or something is wrong with it.
    """

    schedules: dict[ScheduleId, Schedule]
    invalid: frozenset[ScheduleId]
    problems: tuple[Problem, ...]
    prices: Prices | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """What all schedules of a document share."""

    prices: Prices | None
    calendars: Calendars
    lines: Refusals


def parse(text: str, *, after: datetime | None = None) -> Document:
    """
    Return the schedules of a document.

    Args:
        text: TOML.
        after: The occurrences that a problem shows come after it; None: the same at all times.

    Raises:
        DocumentError: It is not TOML, or not a document of schedules: it decides nothing. The
            problems of its tables are told with it, of the first 1,000.
    """
    content = read(text)
    costs, wrong_costs = _read_prices(content.get(_PRICES))
    common = _Common(
        prices=costs, calendars=read_calendars(content.get(_CALENDARS)), lines=Refusals(after)
    )
    document = _read_tables(*_tables(content), common)
    unusable = sorted([*_unusable(content), *_too_long(document)], key=str)
    problems = (*document.problems, *common.calendars.problems, *wrong_costs)
    document = replace(document, problems=problems, prices=costs)
    if unusable:
        raise DocumentError([*unusable, *document.problems])
    return document


def _read_prices(table: object) -> tuple[Prices | None, list[Problem]]:
    """Return the prices of a document, or what is wrong with them."""
    if table is None:
        return None, []
    if not isinstance(table, dict):
        return None, [Problem(message="must be a table", in_prices=True)]
    try:
        found = [*wrong_prices(cast("Table", table))]
    except Exception as error:  # noqa: BLE001 - as in a table
        return None, [Problem(message=f"cannot be understood: {error!r:.300}", in_prices=True)]
    if found:
        return None, [
            Problem(key=dotted(path), message=message, in_prices=True)
            for path, message in found[:_MOST_OF_A_TABLE]
        ]
    return prices(PricesTable.model_validate(table)), []


def _read_tables(defaults: Table | None, tables: Mapping[str, object], common: _Common) -> Document:
    """Return the schedules of tables, and the problems of these."""
    schedules: dict[ScheduleId, Schedule] = {}
    invalid: set[ScheduleId] = set()
    inherited = _read_defaults(defaults, common)
    problems = [*inherited.problems]
    for name, table in tables.items():
        id_ = ScheduleId(name)
        found = [*_problems_of_name(name)]
        result = _schedule(id_, table, inherited, common)
        if isinstance(result, Schedule) and not found:
            schedules[id_] = result
            continue
        invalid.add(id_)
        problems += found
        problems += [] if isinstance(result, Schedule) else result
        if len(problems) > _MOST_PROBLEMS:  # nobody reads more, and the tables may be odd ones
            problems[_MOST_PROBLEMS:] = [
                Problem(message="there are more problems; correct these first")
            ]
    return Document(schedules=schedules, invalid=frozenset(invalid), problems=tuple(problems))


def read(text: str) -> dict[str, Any]:
    """
    Return the tables of a text.

    Raises:
        DocumentError: It is not TOML, or holds more than any document needs.
    """
    check_text(text)
    try:
        return tomllib.loads(text)
    except ValueError as error:  # what is no TOML, and numbers that Python refuses
        raise DocumentError([Problem(message=f"not TOML: {error}")]) from error


def merged(table: Table, defaults: Table) -> dict[str, object]:
    """
    Return a table with what ``[defaults]`` says where it says nothing itself.

    A schedule's own ``cron``, ``at`` or ``every`` takes the place of all three. What belongs to another policy
    than the schedule's, such as ``max_queued``, is not inherited.
    """
    inherited = dict(defaults)
    if WHEN & table.keys():
        inherited = {key: one for key, one in inherited.items() if key not in WHEN}
    both = {**inherited, **table}
    for key in _INNER & table.keys() & defaults.keys():
        outer, inner = defaults[key], table[key]
        if isinstance(outer, Mapping) and isinstance(inner, Mapping):
            both[key] = {**outer, **inner}
    belongs = {
        "anchor": "every" in both,
        "interval": "cron" in both,
        **dict.fromkeys(("holidays", "on_holiday", "weekend"), bool({"cron", "at"} & both.keys())),
        "max_queued": both.get("overlap") == Overlap.QUEUE,
        "max_parallel": both.get("overlap") == Overlap.ALLOW,
    }
    return {key: one for key, one in both.items() if key in table or belongs.get(key, True)}


def _unusable(content: Mapping[str, object]) -> Iterator[Problem]:
    """Yield why a document cannot be used at all."""
    for key in _unknown_parts(content):
        close = close_key(key, _PARTS)
        hint = f"did you mean {close!r}?" if close else "write schedules as [schedules.<id>]"
        yield Problem(key=short_name(key), message=f"unknown; {hint}")
    if not isinstance(content.get(_DEFAULTS, {}), dict):
        yield Problem(key=_DEFAULTS, message=f"must be a table [{_DEFAULTS}]")
    tables = content.get(_SCHEDULES, {})
    if not isinstance(tables, dict):
        yield Problem(key=_SCHEDULES, message=f"must be tables [{_SCHEDULES}.<id>]")
    elif (count := len(cast("Table", tables))) > MAX_SCHEDULES:
        message = f"{count} schedules; at most {MAX_SCHEDULES} are supported"
        yield Problem(key=_SCHEDULES, message=message)


def _too_long(document: Document) -> Iterator[Problem]:
    """Yield a problem if the timings of a document are more than the ledger keeps in one blob."""
    size = sum(_timing_bytes(one.recurrence) for one in document.schedules.values())
    if size > MOST_TIMING_BYTES:
        message = (
            f"cron, at, except and holidays of all schedules have {size:,} bytes, counting inherited keys for "
            f"each; at most {MOST_TIMING_BYTES:,} are supported: leave out past dates, or "
            "combine several into one expression"
        )
        yield Problem(key=_SCHEDULES, message=message)


def _timing_bytes(recurrence: Recurrence) -> int:
    """Return how much of ``submit.json`` a recurrence takes, about."""
    holidays = recurrence.holidays.days if recurrence.holidays else ()
    single = (one.isoformat() for one in recurrence.at)
    texts = (*recurrence.cron, *recurrence.except_, *single, *holidays)
    return sum(len(text.encode()) + len('"",') for text in texts)


def _tables(content: Mapping[str, object]) -> tuple[Table | None, dict[str, object]]:
    """
    Return ``[defaults]`` and the tables below ``schedules``, as far as these can be told.

    A misspelt name is taken for what it is close to, so that no schedule is said to lack what it
    would inherit; None stands for defaults that are no table.
    """
    parts = {key: content[key] for key in _PARTS if key in content}
    for key in _unknown_parts(content):
        if meant := close_key(key, _PARTS):
            parts.setdefault(meant, content[key])
    defaults, found = parts.get(_DEFAULTS, {}), parts.get(_SCHEDULES, {})
    tables = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    return (
        cast("Table", defaults) if isinstance(defaults, dict) else None,
        dict(islice(tables.items(), MAX_SCHEDULES)),
    )


def _problems_of_name(name: str) -> Iterator[Problem]:
    if not SCHEDULE_ID.fullmatch(name):
        message = (
            "a schedule's id has 2 to 40 lower-case letters, digits and hyphens; it begins with a "
            "letter and does not end with a hyphen"
        )
        yield Problem(schedule=short_name(name), message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Defaults:
    """
    What ``[defaults]`` says.

    Attributes:
        given: Whether it is a table, or is left out.
        table: As it stands in the document, as far as schedules are to inherit it.
        sound: Without the values in which something is wrong: these are complained of once.
        wrong: The places of those: a key, or a key of an inner table.
        problems: What is wrong with them.
    """

    given: bool
    table: Table
    sound: Table
    wrong: frozenset[Path]
    problems: tuple[Problem, ...]


def _read_defaults(given: Table | None, common: _Common) -> _Defaults:
    """Return what ``[defaults]`` says, and what is wrong with it, whoever inherits it."""
    known = {key: one for key, one in (given or {}).items() if key in KEYS}
    table = cut_short({**known, **(given or {})})  # it is merged into each of 1,000 tables
    try:
        found = [*wrong(table, common.lines), *common.calendars.lack(table.get("holidays"))]
    except Exception as error:  # noqa: BLE001 - as in a table
        problem = Problem(message=f"cannot be understood: {error!r:.300}", in_defaults=True)
        everything: frozenset[Path] = frozenset((key,) for key in table)
        return _Defaults(
            given=given is not None, table=table, sound={}, wrong=everything, problems=(problem,)
        )
    places: frozenset[Path] = frozenset(path[: 2 if path[0] in _INNER else 1] for path, _ in found)
    sound: dict[str, object] = {}
    for key, value in table.items():
        if (key,) in places:
            continue
        if key in _INNER and isinstance(value, Mapping):
            keys = cast("Table", value)
            sound[key] = {inner: one for inner, one in keys.items() if (key, inner) not in places}
        else:
            sound[key] = value
    if "every" in table and len(WHEN & table.keys()) > 1:
        found.append((("every",), EITHER))
    problems = (
        Problem(key=dotted(path), message=message, in_defaults=True)
        for path, message in found[:_MOST_OF_A_TABLE]
    )
    return _Defaults(
        given=given is not None, table=table, sound=sound, wrong=places, problems=tuple(problems)
    )


def _schedule(
    id_: ScheduleId, table: object, inherited: _Defaults, common: _Common
) -> Schedule | list[Problem]:
    """Return the schedule of one table, or everything that is wrong with it and not inherited."""
    try:
        return _understood(id_, table, inherited, common)
    except Exception as error:  # noqa: BLE001 - whatever it holds, it stops no other schedule
        return [Problem(schedule=short_name(id_), message=f"cannot be understood: {error!r:.300}")]


def _understood(
    id_: ScheduleId, table: object, inherited: _Defaults, common: _Common
) -> Schedule | list[Problem]:
    defaults = inherited.table
    if not isinstance(table, Mapping):
        return [Problem(schedule=short_name(id_), message="must be a table")]
    own = cast("Table", table)
    whole = merged(own, defaults)
    judged, calendars = merged(own, inherited.sound), common.calendars
    found = [
        *wrong(judged, common.lines),
        *wrong_together(own, whole),
        *calendars.lack(judged.get("holidays")),
    ]
    spoiled = any(path[0] in whole and _inherited(path, own, defaults) for path in inherited.wrong)
    if found or spoiled or calendars.any_invalid(whole.get("holidays")):
        told = (
            Problem(schedule=short_name(id_), key=dotted(path), message=message)
            for path, message in found
            if not _inherited(path, own, defaults) and (inherited.given or path[0] in own)
        )
        return [*islice(told, _MOST_OF_A_TABLE)]
    return schedule(id_, ScheduleTable.model_validate(whole), common.prices, calendars.valid)


def _inherited(path: Path, own: Table, defaults: Table) -> bool:
    """Whether the value at a path is one of ``[defaults]``."""
    key, *below = path
    if key not in own:
        return key in defaults
    inner, outer = own[str(key)], defaults.get(str(key))
    if key in _INNER and below and isinstance(inner, Mapping) and isinstance(outer, Mapping):
        return below[0] not in inner and below[0] in outer
    return False


def _unknown_parts(content: Mapping[str, object]) -> list[str]:
    """Return the first keys of a document that it cannot have."""
    return [*islice((key for key in content if key not in _PARTS), _MOST_OF_A_TABLE)]
