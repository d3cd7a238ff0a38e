"""A month of a pool, five times: what its runs are, and what chance does to its nodes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from batch_emulator.rehearsal.values import Chance, PlannedRun
from batch_emulator.simulation import LogNormal, Nodes, StartTasks, Uniform

BEGIN: Final = datetime(2026, 11, 1, tzinfo=UTC)
DAYS: Final = 30
END: Final = BEGIN + timedelta(days=DAYS)
QUIET: Final = timedelta(hours=12)
"""How long the last runs have after the month, and the last nodes to go."""

MOST_NODES: Final = 20
_BOOT: Final = LogNormal(median=140, sigma=0.25)
_SETUP: Final = Uniform(least=20, most=60)
_SEED: Final = 2026
_START_TIMEOUT_SECONDS: Final = 1800.0

_USUAL: Final = Nodes(boot_seconds=_BOOT, start_task=StartTasks(seconds=_SETUP))

type Plan = Iterator[tuple[datetime, PlannedRun]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """
    One month.

    Attributes:
        name: As the table has it.
        text: What runs, and what chance does.
        runs: Makes its runs.
        nodes: What becomes of nodes.
        spot: Whether every formula asks for Spot nodes, whatever it was written for.
    """

    name: str
    text: str
    runs: Callable[[], Plan]
    nodes: Nodes = _USUAL
    spot: bool = False

    def chance(self) -> Chance:
        """Return what becomes of nodes and samples, decided by the one seed of all scenarios."""
        return Chance(seed=_SEED, nodes=self.nodes)


def _every(apart: timedelta, seconds: float, first: timedelta) -> Plan:
    moment, number = BEGIN + first, 0
    while moment < END:
        plan = PlannedRun(
            id=f"run-{number}", seconds=seconds, start_timeout_seconds=_START_TIMEOUT_SECONDS
        )
        yield moment, plan
        moment, number = moment + apart, number + 1


def _nightly() -> Plan:
    return _every(timedelta(days=1), 1800, timedelta(hours=2))


def _half_hourly() -> Plan:
    return _every(timedelta(minutes=30), 300, timedelta(0))


def _two_hourly() -> Plan:
    return _every(timedelta(hours=2), 1200, timedelta(minutes=10))


def _long() -> Plan:
    return _every(timedelta(hours=6), 7200, timedelta(minutes=10))


def _bursts() -> Plan:
    random = Random(_SEED)  # noqa: S311 - to be the same each time
    for day in range(DAYS):
        for number in range(40):
            seconds = 300.0 + random.randrange(901)
            plan = PlannedRun(id=f"run-{day}-{number}", seconds=seconds)
            yield BEGIN + timedelta(days=day, hours=6), plan


def _nothing() -> Plan:
    yield from ()


SCENARIOS: Final = (
    Scenario(
        name="nightly",
        text="one run of 30 minutes each night",
        runs=_nightly,
    ),
    Scenario(
        name="half-hourly",
        text="a run of 5 minutes every 30 minutes",
        runs=_half_hourly,
    ),
    Scenario(
        name="bursts",
        text="40 runs of 5 to 20 minutes at once, each day",
        runs=_bursts,
    ),
    Scenario(
        name="failing start tasks",
        text="a run of 20 minutes every 2 hours; the start task fails in 15 % of boots and never ends in 5 %",
        runs=_two_hourly,
        nodes=Nodes(
            boot_seconds=_BOOT, start_task=StartTasks(seconds=_SETUP, fails=0.15, hangs=0.05)
        ),
    ),
    Scenario(
        name="preemptions",
        text="a run of 2 hours every 6 hours on a Spot node that is preempted every 4 hours on average",
        runs=_long,
        nodes=Nodes(
            boot_seconds=_BOOT,
            start_task=StartTasks(seconds=_SETUP),
            preemptions_per_hour=0.25,
            preempted_seconds=600,
        ),
        spot=True,
    ),
)

IDLE: Final = Scenario(
    name="idle",
    text="no run; four of ten samples never arrive",
    runs=_nothing,
    nodes=Nodes(boot_seconds=_BOOT, start_task=StartTasks(seconds=_SETUP), missing_samples=0.4),
)
