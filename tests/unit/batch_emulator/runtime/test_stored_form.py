"""What is stored: every field of everything that the account holds, or a field that is listed."""

import dataclasses
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import get_type_hints

import pytest

from batch_emulator.clock import RealClock
from batch_emulator.formula import parse_formula
from batch_emulator.runtime import stored_form
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.applications import Application
from batch_emulator.runtime.backlog import Backlog
from batch_emulator.runtime.collection import Collection
from batch_emulator.runtime.enums import NodeState, TaskState
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool, Scaling
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.stored_form import (
    KINDS,
    TRANSIENT,
    StoredFormError,
    Thing,
    fill,
    parts,
    stored_fields,
    write,
)

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 890123, tzinfo=UTC)


def restored(thing: Thing, *others: Thing) -> Thing:
    """Return what is read from a thing's stored form."""
    numbers = {other: number for number, other in enumerate(others)}
    text = write(thing, numbers.__getitem__)
    made = type(thing).__new__(type(thing))
    fill(made, text, {number: other for other, number in numbers.items()})
    return made


def assert_same(one: object, other: object, kind: type) -> None:
    """Compare two things field by field, as far as they are stored."""
    for name in stored_fields(kind):
        before, after = getattr(one, name), getattr(other, name)
        if isinstance(before, Collection):
            for left, right in zip(before, after, strict=True):
                assert_same(left, right, type(left))
        elif dataclasses.is_dataclass(before) and type(before) not in KINDS.values():
            assert_same(before, after, type(before))
        else:
            assert after == before
            assert type(after) is type(before)


def test_every_field_has_a_stored_form_or_is_listed() -> None:
    """A new field is stored, or its author has to say that it is not."""
    assert Execution in parts()  # raises for a field that cannot be stored
    for kind, names in TRANSIENT.items():
        fields = {item.name: item for item in dataclasses.fields(kind)}
        assert names <= fields.keys()
        without = {
            name
            for name in names
            if fields[name].default is dataclasses.MISSING
            and fields[name].default_factory is dataclasses.MISSING
        }
        assert without <= {"backlog", "clock"}  # set from the account by who reads things
    account = {item.name for item in dataclasses.fields(Account)}
    assert account == {
        *("pools", "job_schedules", "jobs", "applications"),  # stored
        *("options", "url", "storage", "background", "started"),  # of the process
        "_backlogs",  # follows from the jobs
    }


def test_a_field_without_a_stored_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal names the class and the field."""

    @dataclasses.dataclass
    class Odd:
        handle: memoryview

    monkeypatch.setattr(stored_form, "KINDS", {"Odd": Odd})

    with pytest.raises(StoredFormError, match=r"Odd\.handle: memoryview has no stored form"):
        parts()


def test_things_come_back_as_they_were() -> None:
    """Pool, node, job, task and application with a value in every field."""
    formula = parse_formula("$TargetDedicated = 1;")
    pool = Pool({"id": "p", "tags": [1, {"a": None}]}, (), RealClock(), formula)
    pool.tags = {"a": "b"}
    pool.scaling = Scaling(MOMENT, "$TargetDedicatedNodes=1", None)
    pool.resize_errors = (Failure("Code", "text", (("a", "b"),)),)
    pool.auto_scale_enabled = MOMENT
    node = Node("n", pool, dedicated=True, root=Path("/nodes/n"), state=NodeState.IDLE)
    node.booted, node.start = MOMENT, Execution(started=MOMENT, exit_code=3)
    node.errors.append(Failure("Code", "text"))
    job = Job({"id": "j"}, Backlog(), RealClock())
    job.remembered.append("gone")
    task = Task(job, {"id": "t"}, state=TaskState.COMPLETED, node=node)
    task.previous = (TaskState.RUNNING, MOMENT)
    task.execution = Execution(ended=MOMENT, failure=Failure("Code", "text"), requeues=2)
    application = Application("app", MOMENT, display_name="äöü")
    application.open("1", MOMENT).activate(MOMENT)

    for thing in (pool, node, job, task, application):
        assert_same(thing, restored(thing, pool, node, job, task), type(thing))


def test_transient_fields_begin_anew() -> None:
    """What is not stored has its default after reading."""
    pool = Pool({"id": "p"}, (), RealClock())
    pool.changed.set()

    again = restored(pool)

    assert isinstance(again, Pool)
    assert not again.changed.is_set()
    assert again.nodes == {}


def test_a_missing_field_has_its_default_and_an_unknown_one_is_refused() -> None:
    """What an older emulator stored is read; what a newer one stored is not half read."""
    job = Job.__new__(Job)
    moments = {name: MOMENT.isoformat() for name in ("modified", "state_since", "created")}
    body = ", ".join(f'"{name}": "{text}"' for name, text in moments.items())

    fill(job, f'{{"body": {{"id": "j"}}, {body}}}', {})

    assert (job.id, job.reason, job.created) == ("j", None, MOMENT)
    with pytest.raises(StoredFormError, match=r"Job is stored with unknown fields: \['colour'\]"):
        fill(job, f'{{"body": {{}}, {body}, "colour": 1}}', {})
    with pytest.raises(StoredFormError, match="Job is stored without body"):
        fill(job, f"{{{body}}}", {})


def test_the_forms_of_values() -> None:
    """A form for each kind of type that a field may have."""

    class Word(StrEnum):
        ONE = "one"

    values: dict[str, tuple[object, object]] = {
        "moment": (datetime, MOMENT),
        "duration": (timedelta, timedelta(days=3, microseconds=7)),
        "word": (Word, Word.ONE),
        "maybe": (Word | None, None),
        "many": (list[Word], [Word.ONE]),
        "pair": (tuple[str, datetime], ("a", MOMENT)),
        "names": (frozenset[str], frozenset({"b", "a"})),
        "texts": (dict[str, timedelta], {"a": timedelta(seconds=1)}),
        "either": (str | int | None, 3),
    }
    names = [(name, hint) for name, (hint, _) in values.items()]
    kind = dataclasses.make_dataclass("Made", names, slots=True)
    thing = kind(**{name: value for name, (_, value) in values.items()})

    assert get_type_hints(kind).keys() == values.keys()
    assert_same(thing, restored(thing), kind)
