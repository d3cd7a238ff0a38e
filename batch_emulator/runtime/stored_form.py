"""
How things of the account look in the data folder: JSON, made and read by the fields of dataclasses.

Nothing here names a field that is stored. A new field is stored as soon as it is declared; one with
a type that has no stored form is refused when the emulator starts, unless ``TRANSIENT`` lists it.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints

from batch_emulator.formula import Formula, parse_formula
from batch_emulator.runtime.applications import Application
from batch_emulator.runtime.collection import Collection
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.run import Run
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.state.visit import Visit

type Thing = Pool | Node | JobSchedule | Job | Task | Application
type Read = Callable[[Any, Mapping[int, Thing]], object]

KINDS: Final[Mapping[str, type[Thing]]] = {
    kind.__name__: kind for kind in (Pool, Node, JobSchedule, Job, Task, Application)
}
"""What has a row of its own; everything else is stored inside one of these."""

_NAMED: Final = {kind.__name__: kind for kind in (*KINDS.values(), Run)}
"""What the modules of these kinds import for type checkers alone, since they name each other."""

TRANSIENT: Final[Mapping[type, frozenset[str]]] = {
    Pool: frozenset(
        {"clock", "follower", "observer", "samples", "rescheduled", "changed", "nodes"}
    ),
    Node: frozenset(
        {"restored", "installed", "installing", "runs", "lives"}
        | {"entered", "side_tasks", "preemption"}
    ),
    Job: frozenset(
        {"backlog", "clock", "number", "tasks", "runs", "ready", "dependencies", "counts", "slots"}
        | {"told", "offered", "place", "on_change", "limit"}
    ),
    JobSchedule: frozenset({"changed", "clock"}),
    Task: frozenset({"conditions"}),
    Visit: frozenset({"preparing"}),
}
"""Fields that are not stored: processes, events, values that follow from the rest, and children."""

_MICROSECOND: Final = timedelta(microseconds=1)
_PLAIN: Final = (str, int, float, bool)


_SHOWN: Final[tuple[tuple[type, Callable[[Any], object]], ...]] = (
    (datetime, lambda value: value.isoformat()),
    (timedelta, lambda value: value // _MICROSECOND),
    (Path, str),
    (Formula, lambda value: value.text),
    (Enum, lambda value: value.value),
    (Collection, list),
    (frozenset, sorted),
)


class StoredFormError(ValueError):
    """A stored form that the emulator cannot read, or a value that has none."""


@cache
def stored_fields(kind: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields that are stored."""
    transient = TRANSIENT.get(kind, frozenset())
    return tuple(item.name for item in dataclasses.fields(kind) if item.name not in transient)


def write(thing: Thing, reference: Callable[[Thing], int]) -> str:
    """
    Return a thing as JSON.

    Args:
        thing: A thing with a row of its own.
        reference: Gives the row's number of another thing that this one refers to.
    """

    def plain(value: object) -> object:
        if type(value) in KINDS.values():
            return reference(value)  # type: ignore[arg-type]  # by the line above
        return _plain(value)

    return json.dumps(_fields(thing), default=plain, ensure_ascii=False, separators=(",", ":"))


def _fields(value: Any) -> dict[str, object]:  # noqa: ANN401 - any dataclass
    return {name: getattr(value, name) for name in stored_fields(value.__class__)}


def _plain(value: Any) -> object:  # noqa: ANN401 - whatever a field holds
    for kind, show in _SHOWN:
        if isinstance(value, kind):
            return show(value)
    if dataclasses.is_dataclass(value):
        return _fields(value)
    raise StoredFormError(f"{type(value).__name__} has no stored form")


def fill(thing: object, text: str, things: Mapping[int, Thing]) -> None:
    """
    Give an empty thing the fields that are stored, and the others their defaults.

    Raises:
        StoredFormError: A field is stored that this emulator does not know, or is missing.
    """
    _fill(thing, json.loads(text), things)


def _fill(thing: Any, given: dict[str, Any], things: Mapping[int, Thing]) -> None:  # noqa: ANN401 - any dataclass
    kind = thing.__class__
    readers = _readers(kind)
    if unknown := given.keys() - readers.keys():
        raise StoredFormError(f"{kind.__name__} is stored with unknown fields: {sorted(unknown)}")
    for item in dataclasses.fields(kind):
        if item.name in given:
            value = readers[item.name](given[item.name], things)
        elif item.default is not dataclasses.MISSING:
            value = item.default
        elif item.default_factory is not dataclasses.MISSING:
            value = item.default_factory()
        elif item.name in TRANSIENT.get(kind, ()):
            continue  # the store sets it
        else:
            raise StoredFormError(f"{kind.__name__} is stored without {item.name}")
        object.__setattr__(thing, item.name, value)


def _field_types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, localns=dict(_NAMED))


@cache
def _readers(kind: type) -> dict[str, Read]:
    hints = _field_types(kind)
    found: dict[str, Read] = {}
    for name in stored_fields(kind):
        try:
            found[name] = _reader(hints[name])
        except StoredFormError as error:
            raise StoredFormError(f"{kind.__name__}.{name}: {error}") from error
    return found


def _reader(hint: Any) -> Read:  # noqa: ANN401, PLR0911 - any type; a return for each form
    if isinstance(hint, TypeAliasType):
        return _reader(hint.__value__)
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any or hint is object or hint in _PLAIN or origin is Literal:
        return lambda value, _: value
    if origin in {Union, UnionType}:
        return _optional(hint, arguments)
    if origin is Collection:
        return _collection(_reader(arguments[0]))
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _fixed(tuple(map(_reader, arguments)))
    if origin in {list, tuple, frozenset}:  # nobody would see a change within a set
        return _many(origin, _reader(arguments[0]))
    if origin is dict and arguments[0] is str:
        one = _reader(arguments[1])
        return lambda value, things: {name: one(each, things) for name, each in value.items()}
    if origin is None and isinstance(hint, type):
        return _single(hint)
    raise StoredFormError(f"{hint} has no stored form")


def _single(kind: type) -> Read:
    if kind is datetime:
        return lambda value, _: datetime.fromisoformat(value)
    if kind is timedelta:
        return lambda value, _: value * _MICROSECOND
    if kind is Formula:
        return lambda value, _: parse_formula(value)
    if kind in KINDS.values():
        return lambda value, things: things[value]
    if issubclass(kind, Path | Enum):
        return lambda value, _: kind(value)
    if dataclasses.is_dataclass(kind):
        _readers(kind)
        return lambda value, things: _made(kind, value, things)
    raise StoredFormError(f"{kind.__name__} has no stored form")


def _made(kind: Any, given: dict[str, Any], things: Mapping[int, Thing]) -> object:  # noqa: ANN401 - any dataclass
    value = kind.__new__(kind)
    _fill(value, given, things)
    return value


def _optional(hint: object, arguments: tuple[Any, ...]) -> Read:
    others = [one for one in arguments if one is not NoneType]
    if all(one in _PLAIN for one in others):
        return lambda value, _: value
    if len(others) > 1:
        raise StoredFormError(f"{hint} has no stored form: the type of a value cannot be told")
    one = _reader(others[0])
    return lambda value, things: None if value is None else one(value, things)


def _many(make: Callable[[Iterator[object]], object], one: Read) -> Read:
    return lambda value, things: make(one(each, things) for each in value)


def _fixed(each: tuple[Read, ...]) -> Read:
    return lambda value, things: tuple(
        one(item, things) for one, item in zip(each, value, strict=True)
    )


def _collection(one: Read) -> Read:
    def read(value: list[Any], things: Mapping[int, Thing]) -> object:
        made: Collection[Any] = Collection()
        for each in value:
            item: Any = one(each, things)
            made.add(item.id, item)
        return made

    return read


def parts() -> frozenset[type]:
    """
    Return the changeable dataclasses that are stored inside things.

    Raises:
        StoredFormError: A field has no stored form and is not listed as transient.
    """
    found: set[type] = set()
    waiting: list[Any] = [*KINDS.values()]
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        if isinstance(hint, TypeAliasType) or not dataclasses.is_dataclass(
            get_origin(hint) or hint
        ):
            continue
        kind: Any = get_origin(hint) or hint
        if kind in found or kind is Formula:
            continue
        found.add(kind)
        if kind is not Collection:
            _readers(kind)
            hints = _field_types(kind)
            waiting += [hints[name] for name in stored_fields(kind)]
    changeable = {kind for kind in found if not kind.__dataclass_params__.frozen}  # type: ignore[attr-defined]
    return frozenset(changeable) - frozenset(KINDS.values())
