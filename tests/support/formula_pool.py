"""One state of a pool in which the tests evaluate formulas."""

from datetime import UTC, datetime, timedelta
from random import Random

from batch_emulator.formula import Evaluation, SampleStore, parse_formula

NOW = datetime(2016, 10, 13, 19, 18, 47, 805999, tzinfo=UTC)  # a Thursday


def store() -> SampleStore:
    """Ten minutes of samples: pending tasks 0 to 19, three dedicated nodes."""
    samples = SampleStore(latency=timedelta())
    for index in range(20):
        values = {"$PendingTasks": index, "$CurrentDedicatedNodes": 3}
        samples.record(at=NOW - (19 - index) * timedelta(seconds=30), values=values)
    return samples


def evaluate(text: str, *, dedicated: int = 0, speed: float = 1.0) -> Evaluation:
    return parse_formula(text).evaluate(
        now=NOW,
        samples=store(),
        speed=speed,
        target_dedicated=dedicated,
        target_low_priority=7,
        task_slots_per_node=4,
        random=Random(1),  # noqa: S311  # no secret comes of it
    )
