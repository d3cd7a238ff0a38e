"""A pool: its targets, its nodes, and the observer of what happens in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from batch_emulator.clock import Clock
from batch_emulator.formula import EvaluationError, Formula, SampleStore
from batch_emulator.package import Package
from batch_emulator.runtime.enums import AllocationState, NodeState, PoolState
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.life_cycles import ALLOCATION
from batch_emulator.wire import Json

if TYPE_CHECKING:
    from batch_emulator.runtime.state.node import Node
    from batch_emulator.runtime.state.run import Run


@dataclass(slots=True)
class Scaling:
    """The result of the last evaluation of a pool's formula."""

    at: datetime
    results: str
    error: EvaluationError | None


class PoolObserver:
    """Gets the events of a pool as they happen; this base class ignores them."""

    def node_created(self, node: Node) -> None:
        """Take note of a new node."""

    def node_entered(self, node: Node, before: NodeState) -> None:
        """Take note of a node in another state."""

    def node_removed(self, node: Node) -> None:
        """Take note of a node that is gone."""

    def run_began(self, run: Run) -> None:
        """Take note of a task that starts on a node."""

    def run_ended(self, run: Run) -> None:
        """Take note of a task that has left its node; its state says whether it runs again."""


@dataclass(slots=True, eq=False)
class Pool:
    """
    A pool, its targets and its nodes.

    Only Azure Resource Manager shows ``tags``. Faults set ``withheld`` (no more nodes),
    ``start_exit_code`` (of start tasks) and ``evaluation_failure``.
    """

    body: Json
    packages: tuple[Package, ...]
    clock: Clock
    formula: Formula | None = None
    follower: asyncio.Task[None] | None = None
    samples: SampleStore | None = None
    rescheduled: asyncio.Event = field(default_factory=asyncio.Event)
    auto_scale_enabled: datetime | None = None
    tags: Json = field(default_factory=dict)
    target_dedicated: int = 0
    target_low_priority: int = 0
    created: datetime = field(init=False)
    modified: datetime = field(init=False)
    state: PoolState = PoolState.ACTIVE
    state_since: datetime = field(init=False)
    allocation: AllocationState = AllocationState.STEADY
    allocation_since: datetime = field(init=False)
    deallocation: str = "requeue"
    held: bool = False
    scaling: Scaling | None = None
    resize_errors: tuple[Failure, ...] = ()
    withheld: Failure | None = None
    start_exit_code: int | None = None
    evaluation_failure: Failure | None = None
    nodes_made: int = 0
    nodes: dict[str, Node] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    observer: PoolObserver = field(default_factory=PoolObserver)

    def __post_init__(self) -> None:
        self.created = self.modified = self.clock.now()
        self.state_since = self.allocation_since = self.created

    @property
    def id(self) -> str:
        """The id as it was given."""
        return str(self.body["id"])

    def current(self, *, dedicated: bool) -> int:
        """Return how many nodes of one kind there are, whatever their state."""
        return sum(node.dedicated == dedicated for node in self.nodes.values())

    @property
    def start_task(self) -> Json | None:
        """The start task of nodes that start now; it fails if a fault asks for that."""
        given: Json | None = self.body.get("startTask")
        if given is None or self.start_exit_code is None:
            return given
        return {**given, "commandLine": f"/bin/sh -c 'exit {self.start_exit_code}'"}

    def retarget(self, dedicated: int, low_priority: int, deallocation: str) -> None:
        """Ask for another size; the pool's own coroutine adds and removes nodes."""
        self.target_dedicated, self.target_low_priority = dedicated, low_priority
        self.deallocation = deallocation
        self.held, self.resize_errors = False, ()
        self.allocate(AllocationState.RESIZING)
        self.changed.set()

    def allocate(self, state: AllocationState) -> None:
        """Enter an allocation state."""
        if state is not self.allocation:
            ALLOCATION.require(self.allocation, state)
            self.allocation, self.allocation_since = state, self.clock.now()

    def hold(self) -> None:
        """Stop the change of size: the pool keeps the nodes that it has until the next resize."""
        self.held = True
        self.allocate(AllocationState.STOPPING)
        self.changed.set()

    def settle(self) -> None:
        """Update the allocation state: steady when no node is being created or leaves."""
        moving = any(
            node.draining or node.state in {NodeState.CREATING, NodeState.LEAVING_POOL}
            for node in self.nodes.values()
        )
        if not moving:
            if self.allocation is AllocationState.STOPPING:
                self.resize_errors = self._missed_targets()
            self.allocate(AllocationState.STEADY)
        elif self.allocation is not AllocationState.STOPPING:
            self.allocate(AllocationState.RESIZING)

    def _missed_targets(self) -> tuple[Failure, ...]:
        errors = []
        for dedicated, kind, target in (
            (True, "dedicated", self.target_dedicated),
            (False, "low priority", self.target_low_priority),
        ):
            if (current := self.current(dedicated=dedicated)) != target:
                verb = "allocated" if current < target else "removed"
                text = f"Desired number of {kind} nodes could not be {verb} due to a stop resize operation"
                errors.append(Failure("ResizeStopped", text))
        return tuple(errors)

    def delete(self) -> None:
        """Begin the end of the pool: its size goes to zero and its tasks back to their queue."""
        self.state, self.state_since = PoolState.DELETING, self.clock.now()
        self.retarget(0, 0, "requeue")
