"""The samples of a pool's metrics, as formulas may read them."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import floor

from batch_emulator.formula.value_types import Vector


class Metric(StrEnum):
    """The read-only service variables."""

    ACTIVE_TASKS = "$ActiveTasks"
    RUNNING_TASKS = "$RunningTasks"
    PENDING_TASKS = "$PendingTasks"
    SUCCEEDED_TASKS = "$SucceededTasks"
    FAILED_TASKS = "$FailedTasks"
    CURRENT_DEDICATED_NODES = "$CurrentDedicatedNodes"
    CURRENT_LOW_PRIORITY_NODES = "$CurrentLowPriorityNodes"
    PREEMPTED_NODE_COUNT = "$PreemptedNodeCount"
    USABLE_NODE_COUNT = "$UsableNodeCount"
    TASK_SLOTS_PER_NODE = "$TaskSlotsPerNode"
    SAMPLE_NODE_COUNT = "$SampleNodeCount"
    CPU_PERCENT = "$CPUPercent"
    WALL_CLOCK_SECONDS = "$WallClockSeconds"
    MEMORY_BYTES = "$MemoryBytes"
    DISK_BYTES = "$DiskBytes"
    DISK_READ_BYTES = "$DiskReadBytes"
    DISK_WRITE_BYTES = "$DiskWriteBytes"
    DISK_READ_OPS = "$DiskReadOps"
    DISK_WRITE_OPS = "$DiskWriteOps"
    NETWORK_IN_BYTES = "$NetworkInBytes"
    NETWORK_OUT_BYTES = "$NetworkOutBytes"


@dataclass(frozen=True, slots=True)
class Window:
    """
    What is known of a metric between two moments.

    Attributes:
        values: Oldest first.
        expected: Number of samples there would be if none were missing, at least 1.
    """

    values: Vector
    expected: int

    @property
    def percent(self) -> float:
        """Return how much of what was expected is there, from 0 to 100."""
        return min(100.0, 100 * len(self.values) / self.expected)


class SampleStore:
    """
    Samples of one pool since autoscale was enabled on it.

    All times come in already divided by the pool's speed.

    Args:
        period: Time between two samples.
        latency: Time from the taking of a sample until formulas can read it.
        retention: Time for which samples are kept.
        since: When sampling began; without it, with the first sample.
    """

    def __init__(
        self,
        *,
        period: timedelta = timedelta(seconds=30),
        latency: timedelta = timedelta(seconds=60),
        retention: timedelta = timedelta(days=1),
        since: datetime | None = None,
    ) -> None:
        if period <= timedelta() or latency < timedelta() or retention < timedelta():
            raise ValueError("period must be positive, latency and retention not negative")
        self.period = period
        self.latency = latency
        self.retention = retention
        self.since = since
        self._times: list[datetime] = []
        self._values: list[dict[Metric, float]] = []

    def record(self, *, at: datetime, values: Mapping[str, float]) -> None:
        """
        Keep one sample of each metric given; a metric left out is a missing sample.

        Raises:
            ValueError: The moment is not after the last one, or a name is not of a metric.
        """
        if (self.since is not None and at < self.since) or (self._times and at <= self._times[-1]):
            raise ValueError(f"a sample of {at} is not later than what is known")
        row = {
            name if isinstance(name, Metric) else Metric(name): float(value)
            for name, value in values.items()
        }
        self.since = self.since or at
        self._times.append(at)
        self._values.append(row)
        expired = bisect_left(self._times, at - self.retention)
        if expired:
            del self._times[:expired], self._values[:expired]

    def restart(self, at: datetime) -> None:
        """Forget every sample, because the clock has been set back to ``at``."""
        self.since = at
        self._times.clear()
        self._values.clear()

    def window(self, metric: Metric, *, start: datetime, end: datetime, now: datetime) -> Window:
        """Return the samples in ``(start, end]`` that are readable at ``now``."""
        values = self._read(bisect_right(self._times, start), bisect_right(self._times, end), now)
        # The small addition keeps a division by the speed from costing a sample.
        expected = floor((end - start) / self.period + 1e-6)
        return Window(tuple(row[metric] for row in values if metric in row), max(1, expected))

    def newest(self, metric: Metric, count: int, *, now: datetime) -> Vector:
        """Return the last ``count`` samples readable at ``now``, or as many as there are."""
        if count < 1:
            return ()
        return self._all(metric, now)[-count:]

    def count(self, metric: Metric, *, now: datetime) -> int:
        """Return the number of samples readable at ``now``."""
        return len(self._all(metric, now))

    def begin(self, metric: Metric, *, now: datetime) -> datetime | None:
        """Return when the oldest sample readable at ``now`` was taken."""
        readable = bisect_right(self._times, now - self.latency)
        pairs = zip(self._times[:readable], self._values, strict=False)
        return next((at for at, row in pairs if metric in row), None)

    def _all(self, metric: Metric, now: datetime) -> Vector:
        rows = self._read(0, len(self._times), now)
        return tuple(row[metric] for row in rows if metric in row)

    def _read(self, first: int, last: int, now: datetime) -> list[dict[Metric, float]]:
        return self._values[first : min(last, bisect_right(self._times, now - self.latency))]
