"""
The pool's own formula over hours of virtual time, and its description as Azure's schema reads it.

Minutes are counted from the creation of the pool.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from batch_emulator.formula import Formula, SampleStore, parse_formula

POOL = Path(__file__).parents[3] / "infra" / "pool"
TEXT = (POOL / "autoscale.formula").read_text()
FORMULA = parse_formula(TEXT)
# The formula of the article that this product grew from.
ARTICLE = parse_formula(
    "avgPendingTasks = avg($PendingTasks.GetSample(2*TimeInterval_Minute));"
    "$TargetLowPriorityNodes = avgPendingTasks > 0 ? 1 : 0;"
)
CREATED = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)

type Tasks = Callable[[float], float | None]


def targets(
    tasks: Tasks, *, minutes: int, formula: Formula = FORMULA, speed: float = 1.0, first: int = 0
) -> list[int]:
    """
    Evaluate every 5 minutes and return the number of nodes wanted after each evaluation.

    Args:
        tasks: Pending tasks at a minute; None where the sample is missing.
        minutes: How long to go on.
        formula: What is evaluated.
        speed: The pool's.
        first: Dedicated nodes wanted at the beginning.
    """
    store = SampleStore(
        period=timedelta(seconds=30) / speed, latency=timedelta(minutes=1) / speed, since=CREATED
    )
    dedicated, spot, wanted = first, 0, []
    for half in range(1, minutes * 2 + 1):
        now = CREATED + half * timedelta(seconds=30) / speed
        pending = tasks(half / 2)
        store.record(at=now, values={} if pending is None else {"$PendingTasks": pending})
        if half % 10 == 0:
            result = formula.evaluate(
                now=now + timedelta(seconds=10) / speed,  # between two samples, as real clocks are
                samples=store,
                speed=speed,
                target_dedicated=dedicated,
                target_low_priority=spot,
            )
            dedicated, spot = result.target_dedicated, result.target_low_priority
            wanted.append(dedicated + spot)
    return wanted


def between(start: float, end: float, count: float = 1) -> Tasks:
    """Return tasks that are pending in ``[start, end)`` only."""
    return lambda minute: count if start <= minute < end else 0


def test_no_node_at_creation() -> None:
    """A pool without tasks never has a node: not at the first evaluation, not later."""
    now = CREATED + timedelta(seconds=1)
    at_once = FORMULA.evaluate(now=now, samples=SampleStore(since=CREATED))

    assert at_once.error is None
    assert at_once.target_dedicated == 0
    assert targets(lambda _: 0, minutes=60) == [0] * 12


def test_one_task_brings_one_node_and_keeps_it_for_hours() -> None:
    """A task seen by an evaluation starts the node, which stays while the task is pending."""
    wanted = targets(between(7, 7 + 5 * 60), minutes=320)

    assert wanted[:2] == [0, 1]
    assert set(wanted[1 : 307 // 5]) == {1}
    assert wanted[-1] == 0


@pytest.mark.parametrize(("end", "wanted"), [(18, [0, 1, 1, 1, 0, 0]), (17.5, [0, 1, 1, 0, 0, 0])])
def test_the_node_stays_through_the_grace(end: float, wanted: list[int]) -> None:
    """For 3 minutes after a task was last seen, until the next evaluation."""
    assert targets(between(6, end), minutes=30) == wanted


def test_a_task_that_was_pending_for_one_sample_is_not_averaged_away() -> None:
    """One task among empty samples is one node: an average below 1 would be cut off to none."""
    averaging = parse_formula(
        "$TargetDedicatedNodes = avg($PendingTasks.GetSample(TimeInterval_Hour, 1));"
    )

    assert targets(between(3.5, 4), minutes=5) == [1]
    assert targets(between(3.5, 4), minutes=5, formula=averaging) == [0]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("pending", [0, 1])
def test_too_few_samples_change_nothing(first: int, pending: int) -> None:
    """With one sample in four, whatever it says, the target stays as it is."""
    sparse = targets(lambda minute: pending if minute % 2 == 0 else None, minutes=60, first=first)

    assert sparse == [first] * 12


@pytest.mark.parametrize(("arrived", "wanted"), [(3, 0), (4, 1)])
def test_four_of_ten_samples_are_enough(arrived: int, wanted: int) -> None:
    """The threshold itself, so that nobody moves it unawares; minute 4 is the last to be read."""
    newest = targets(lambda minute: 1 if minute > 4 - arrived / 2 else None, minutes=5)

    assert newest == [wanted]


@pytest.mark.parametrize("first", [0, 1])
def test_samples_that_are_older_than_the_grace_change_nothing(first: int) -> None:
    """There are enough of them, and they do not say what is pending now."""
    for pending in (0, 1):
        old = targets(lambda minute: pending if minute <= 2 else None, minutes=5, first=first)  # noqa: B023 - called at once
        assert old == [first]


def test_a_long_gap_of_samples_keeps_the_node_of_a_running_task() -> None:
    """The gap outlasts the grace many times over; the node goes only after the task was seen end."""

    def tasks(minute: float) -> float | None:
        return None if 20 <= minute < 80 else float(6 <= minute < 90)

    assert targets(tasks, minutes=105) == [0, *[1] * 17, 0, 0, 0]


def test_a_long_gap_of_samples_starts_no_node() -> None:
    """The same gap in an idle pool costs nothing."""
    assert set(targets(lambda minute: None if 20 <= minute < 80 else 0, minutes=100)) == {0}


def test_the_pool_keeps_to_its_maximum_and_its_kind() -> None:
    """Both are single assignments at the top of the file, which a deployment can replace."""
    assert TEXT.count("\nmaxNodes = 1;\n") == TEXT.count("\nspot = 0;\n") == 1
    three_spot = parse_formula(
        TEXT.replace("maxNodes = 1;", "maxNodes = 3;").replace("spot = 0;", "spot = 1;")
    )
    store = SampleStore()
    for half in range(20):
        store.record(at=CREATED + half * timedelta(seconds=30), values={"$PendingTasks": half % 9})
    now = CREATED + timedelta(minutes=10)

    one = FORMULA.evaluate(now=now, samples=store)
    three = three_spot.evaluate(now=now, samples=store, target_dedicated=1)

    assert (one.target_dedicated, one.target_low_priority) == (1, 0)
    assert (three.target_dedicated, three.target_low_priority) == (0, 3)
    assert three.node_deallocation_option == "taskcompletion"


def test_too_few_samples_keep_spot_nodes_and_a_change_of_kind_moves_them() -> None:
    """What is kept is the number of nodes, under the kind and the maximum of the new deployment."""
    spot = parse_formula(TEXT.replace("spot = 0;", "spot = 1;"))
    none = SampleStore(since=CREATED)
    now = CREATED + timedelta(minutes=5)

    kept = spot.evaluate(now=now, samples=none, target_low_priority=1)
    moved = spot.evaluate(now=now, samples=none, target_dedicated=1)
    fewer = FORMULA.evaluate(now=now, samples=none, target_dedicated=3)

    assert (kept.target_dedicated, kept.target_low_priority) == (0, 1)
    assert (moved.target_dedicated, moved.target_low_priority) == (0, 1)
    assert fewer.target_dedicated == 1


@pytest.mark.parametrize("speed", [7.0, 60.0, 600.0])
def test_the_speed_changes_no_decision(speed: float) -> None:
    """The laptop runs these very minutes at any speed and decides the same."""

    def tasks(minute: float) -> float | None:
        return None if 40 <= minute < 60 or minute % 7 == 0 else float(12 <= minute < 90)

    assert targets(tasks, minutes=120, speed=speed) == targets(tasks, minutes=120)


def test_the_formula_never_fails_for_want_of_samples() -> None:
    """An evaluation error would raise an alarm; too few samples are no reason for one."""
    for count in range(12):
        store = SampleStore(since=CREATED)
        for half in range(count):
            store.record(at=CREATED + half * timedelta(seconds=30), values={"$PendingTasks": 1})
        assert FORMULA.evaluate(now=CREATED + timedelta(minutes=5), samples=store).error is None


def test_the_formula_of_the_article_falls_short() -> None:
    """It asks for 70 % of a 2-minute window of which a minute has not arrived, so never starts."""
    task = between(7, 120)

    assert set(targets(task, minutes=60, formula=ARTICLE)) == {0}
    assert targets(task, minutes=60)[-1] == 1
    result = ARTICLE.evaluate(now=CREATED, samples=SampleStore())
    assert result.error is not None
    assert result.error.code == "InsufficientSampleData"


def test_the_formula_of_the_article_kills_and_forgets() -> None:
    """Even where samples arrive at once: no grace, and tasks on a node that goes are requeued."""
    store = SampleStore(latency=timedelta())
    for half in range(20):
        store.record(
            at=CREATED + half * timedelta(seconds=30), values={"$PendingTasks": float(half < 15)}
        )
    now = CREATED + timedelta(minutes=9, seconds=30)

    theirs = ARTICLE.evaluate(now=now, samples=store, target_low_priority=1)
    ours = FORMULA.evaluate(now=now, samples=store, target_dedicated=1)

    assert (theirs.target_low_priority, theirs.node_deallocation_option) == (0, "requeue")
    assert (ours.target_dedicated, ours.node_deallocation_option) == (1, "taskcompletion")


def test_the_pool_is_what_azure_accepts() -> None:
    """pool.json with what deployment adds satisfies the schema of Azure, every property known."""
    if "RECUR_ORACLES" not in os.environ:
        pytest.skip("RECUR_ORACLES does not say where the official API definitions are")
    path = Path(os.environ["RECUR_ORACLES"]) / "openapi/mgmt-2024-02-01/BatchManagement.json"
    schema = json.loads(path.read_text())
    for definition in schema["definitions"].values():
        if "properties" in definition and "allOf" not in definition:
            definition["additionalProperties"] = False
    pool = json.loads((POOL / "pool.json").read_text())
    pool["scaleSettings"]["autoScale"]["formula"] = TEXT
    validator = Draft4Validator({**schema, "$ref": "#/definitions/PoolProperties"})

    assert [error.message for error in validator.iter_errors(pool)] == []
    assert _errors(validator, pool, "vmsize", "Standard_D2ds_v5") != []


def _errors(validator: Draft4Validator, pool: dict[str, Any], key: str, value: str) -> list[str]:
    return [error.message for error in validator.iter_errors({**pool, key: value})]
