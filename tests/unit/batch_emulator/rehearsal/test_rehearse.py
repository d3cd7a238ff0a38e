"""Rehearsed pools: the emulator's own, in virtual time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from batch_emulator.errors import ServiceError
from batch_emulator.rehearsal.rehearse import Rehearsed, rehearse
from batch_emulator.rehearsal.values import Chance, End, PlannedPool, PlannedRun
from batch_emulator.simulation import LogNormal, Nodes, StartTasks

START = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SHIPPED = (Path(__file__).parents[4] / "infra/pool/autoscale.formula").read_text()
ONE = PlannedPool(formula=SHIPPED)
FIXED = PlannedPool(formula="$TargetDedicatedNodes = 2; $NodeDeallocationOption = taskcompletion;")


def spaced(
    count: int, apart: timedelta, seconds: float, slots: int = 1
) -> Iterator[tuple[datetime, PlannedRun]]:
    """Plan runs, the first after an hour."""
    for number in range(count):
        plan = PlannedRun(id=f"run-{number}", seconds=seconds, slots=slots)
        yield START + HOUR + number * apart, plan


def day(*runs: tuple[datetime, PlannedRun], pool: PlannedPool = ONE, **nodes: object) -> Rehearsed:
    """Rehearse a day."""
    chance = Chance(seed=5, nodes=Nodes.model_validate(nodes))
    return rehearse(runs, pool, start=START, until=START + 24 * HOUR, chance=chance)


def test_a_run_waits_for_its_node_takes_its_time_and_lets_it_go() -> None:
    """A node is started for it, boots in 140 s, runs it for 30 minutes, and is gone in the end."""
    done = day(*spaced(1, HOUR, 1800))

    (run,), (node,) = done.runs.values(), done.nodes
    assert run.waiting_seconds is not None
    assert run.ended is not None
    assert run.started is not None
    assert run.ended - run.started == timedelta(minutes=30)
    assert 140 < run.waiting_seconds < 140 + 5 * 60 + 90
    assert node.ready == run.started
    assert (node.ready - node.allocated).total_seconds() == 140
    assert (node.runs, node.pending, node.busy_seconds) == (1, 1, 1800)
    assert node.removed is not None
    assert node.billed_seconds == 140 + 1800 + node.kept_seconds


def test_runs_share_nodes_as_their_slots_allow() -> None:
    """Of runs that need two of four slots two are together; the third waits."""
    runs = [*spaced(3, timedelta(0), 600, slots=2)]
    pool = PlannedPool(formula="$TargetDedicatedNodes = 1;", slots=4)
    done = day(*runs, pool=pool)

    begun = [run.stays[0].started - START for run in done.runs.values()]
    assert begun == [HOUR, HOUR, HOUR + 10 * MINUTE]
    assert done.nodes[0].busy_seconds == 1200


def test_a_node_that_goes_by_requeue_cuts_its_task() -> None:
    """The stay says so, and the task runs again from its beginning on another node."""
    formula = "$TargetDedicatedNodes = time().hour == 1 && time().minute >= 30 && time().minute < 40 ? 0 : 1;"
    done = day(*spaced(1, HOUR, 3600), pool=PlannedPool(formula=formula))

    (run,) = done.runs.values()
    assert [stay.how for stay in run.stays] == [End.CUT, End.COMPLETED]
    assert run.stays[0].node != run.stays[1].node
    assert run.stays[1].seconds == 3600


def test_preempted_nodes_are_not_billed_and_their_tasks_run_again() -> None:
    """By a rate: about so many in a day of one Spot node."""
    pool = PlannedPool(formula="$TargetLowPriorityNodes = 1;")
    done = day(
        *spaced(1, HOUR, 5 * 3600), pool=pool, preemptions_per_hour=0.5, preempted_seconds=1200
    )

    (run,), (node,) = done.runs.values(), done.nodes
    lost = sum(stay.how is End.PREEMPTED for stay in run.stays)
    assert lost >= 1
    times = round(node.preempted_seconds / 1200)
    assert 4 <= times <= 25
    assert node.preempted_seconds == pytest.approx(times * 1200, abs=1200)
    assert node.billed_seconds == pytest.approx(86400 - node.preempted_seconds)


def test_failing_and_hanging_start_tasks_serve_nobody() -> None:
    """A run that found no node is given up at its start timeout."""
    plan = PlannedRun(id="run", seconds=60, start_timeout_seconds=1800)
    failed = day((START + HOUR, plan), start_task=StartTasks(fails=1).model_dump())
    hung = day((START + HOUR, plan), start_task=StartTasks(hangs=1).model_dump())

    for done, fails in ((failed, True), (hung, False)):
        run = done.runs["run"]
        assert (run.given_up, run.completed) == (START + HOUR + 30 * MINUTE, False)
        assert {node.failed for node in done.nodes} == {fails}
        assert {node.ready for node in done.nodes} == {None}


def test_the_same_seed_gives_the_same_month() -> None:
    """Another seed gives another one: boots are drawn from a distribution."""

    def month(seed: int) -> Rehearsed:
        nodes = Nodes(boot_seconds=LogNormal(median=140, sigma=0.4), missing_samples=0.2)
        until = START + timedelta(days=2)
        chance = Chance(seed=seed, nodes=nodes)
        runs = [*spaced(20, 2 * HOUR, 600)]
        return rehearse(runs, ONE, start=START, until=until, chance=chance)

    first = month(1)

    assert month(1) == first
    assert month(2) != first
    assert sum(run.completed for run in first.runs.values()) == 20


def test_two_runs_of_one_id_and_a_wrong_formula_are_refused() -> None:
    """As by Batch itself."""
    runs = [*spaced(1, HOUR, 36000)] * 2
    with pytest.raises(ServiceError, match="exists"):
        day(*runs)
    with pytest.raises(ServiceError):
        day(pool=PlannedPool(formula="$TargetDedicatedNodes = "))


def test_nodes_that_are_left_are_billed_to_the_end() -> None:
    """Also while a task is on one of them."""
    done = day(*spaced(1, HOUR, 100 * 3600), pool=FIXED)

    assert [node.billed_seconds for node in done.nodes] == [86400, 86400]
    assert sorted(node.busy_seconds for node in done.nodes) == [0, 23 * 3600]
    assert done.runs["run-0"].open
