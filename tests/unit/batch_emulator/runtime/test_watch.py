"""A watch notes every change, wherever it is made."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batch_emulator.clock import RealClock
from batch_emulator.runtime.applications import Application, Applications
from batch_emulator.runtime.backlog import Backlog
from batch_emulator.runtime.execution import Execution, Failure
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.run import Run
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.stored_form import Thing
from batch_emulator.runtime.watch import Watch

JOB = {"priority": 0, "onAllTasksComplete": "noaction", "usesTaskDependencies": True}
TASK = {"id": "t", "requiredSlots": 1}
CLOCK = RealClock()


class World:
    """A few things, watched."""

    def __init__(self) -> None:
        self.begun = 0
        self.watch = Watch(self.begin)
        self.pool = Pool({"id": "p", "taskSlotsPerNode": 1}, (), CLOCK)
        self.node = Node("n", self.pool, dedicated=True, root=Path("/nodes/n"))
        self.pool.nodes["n"] = self.node
        self.job = Job({"id": "j", **JOB}, Backlog(), CLOCK)
        self.task = Task(self.job, TASK)
        self.job.add(self.task)
        self.application = Application("a", CLOCK.now())
        self.applications = Applications()
        self.applications.add("a", self.application)
        for thing in (self.pool, self.node, self.job, self.task, self.application):
            self.watch.adopt(thing)
        self.watch.adopt(self.applications)
        self.watch.install()

    def begin(self) -> None:
        """Count the calls for the first change."""
        self.begun += 1

    def changed(self) -> tuple[Thing, ...]:
        """Take the changes."""
        changed = self.watch.take()
        self.watch.stored(changed)
        return changed


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.watch.remove()


CHANGES: dict[str, tuple[Callable[[World], object], str]] = {
    "a field": (lambda world: setattr(world.pool, "deallocation", "terminate"), "pool"),
    "a field of a part": (lambda world: setattr(world.task.execution, "exit_code", 1), "task"),
    "a new part": (lambda world: world.application.open("1", CLOCK.now()), "application"),
    "an item of a list": (lambda world: world.node.errors.append(Failure("a", "b")), "node"),
    "a list that grows in place": (
        lambda world: world.node.errors.__iadd__([Failure("a", "b")]),
        "node",
    ),
    "an entry of a dict": (lambda world: world.pool.tags.update(a="b"), "pool"),
    "a child that leaves": (lambda world: world.pool.nodes.pop("n"), "pool node"),
    "a child that is deleted": (lambda world: world.job.remove(world.task), "job task"),
    "an item of a collection": (lambda world: world.applications.remove("a"), "application"),
    "a step of a life cycle": (lambda world: world.job.end("enough"), "job"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_noted(world: World, case: str) -> None:
    """With the things that it concerns, and no others."""
    change, names = CHANGES[case]

    change(world)

    assert set(world.changed()) == {getattr(world, name) for name in names.split()}
    assert world.begun == 1


def test_new_things_and_their_parts_are_noted(world: World) -> None:
    """From their making; their parts from the moment that they have an owner."""
    job = Job({"id": "k", **JOB}, Backlog(), CLOCK)
    task = Task(job, TASK)
    job.add(task)

    assert set(world.changed()) == {job, task}
    task.execution.retries += 1
    assert world.changed() == (task,)


def test_what_is_not_stored_is_not_noted(world: World) -> None:
    """Runs and processes come and go without a write."""
    world.node.runs[world.task] = Run(world.task, world.node, 1)
    world.node.lives.clear()
    world.job.on_change = lambda: None

    assert world.changed() == ()


def test_a_replaced_part_concerns_nothing_any_more(world: World) -> None:
    """What is done to it later is no change of its former owner."""
    before = world.task.execution
    world.task.execution = Execution()
    world.changed()

    before.exit_code = 7

    assert world.changed() == ()


def test_copies_are_plain(world: World) -> None:
    """A copy of a watched dict or list reports nothing and can be printed as JSON."""
    world.pool.tags = {"a": {"b": 1}}
    world.changed()

    for made in (copy.deepcopy(world.pool.tags), dict(world.pool.tags), world.pool.tags | {}):
        assert type(made) is dict
        made["c"] = 1
    assert type(copy.copy(world.node.errors)) is list

    assert world.changed() == ()
    assert json.dumps(world.pool.tags) == '{"a": {"b": 1}}'


def test_a_body_stays_who_made_it(world: World) -> None:
    """What takes properties out of a body after giving it to a pool takes them out of the pool's."""
    body = {"id": "q", "targetDedicatedNodes": 3}
    pool = Pool(body, (), CLOCK)
    body.pop("targetDedicatedNodes")

    assert pool.body is body
    assert world.changed() == (pool,)


def test_one_watch_in_a_process(world: World) -> None:
    """A second is refused, and after the end of the first nothing is watched."""
    with pytest.raises(RuntimeError, match="only one emulator of a process can keep its data"):
        Watch(world.begin).install()

    world.watch.remove()
    world.pool.deallocation = "retaineddata"

    assert world.changed() == ()
