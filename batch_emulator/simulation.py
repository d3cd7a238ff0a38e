"""What happens in an account that runs no program: how tasks, nodes and samples turn out."""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from random import Random
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

SAMPLE_DELAY_SECONDS: Final = 60.0
"""How long a sample takes to arrive: "approximately one minute", says Microsoft's page on autoscale."""

LONGEST_SECONDS: Final = 1000 * 366 * 24 * 3600.0
"""Longer times are cut to this one: no account lives that long, and dates can still hold it."""

_HOUR_SECONDS: Final = 3600.0
_OF_JOB_SCHEDULE: Final = re.compile(r"(?P<schedule>.+):job-\d+")


class SimulationError(ValueError):
    """A description of a simulation is wrong; the text has a line for each problem."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Uniform(_Strict):
    """Seconds between two numbers, each equally likely."""

    least: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    most: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LogNormal(_Strict):
    """
    Seconds of a lognormal distribution, as of boots and jobs: most are alike, some take long.

    Attributes:
        median: Half of them are shorter.
        sigma: The standard deviation of the natural logarithm; with 0.5, one of six is longer than
            1.65 medians.
    """

    median: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    sigma: Annotated[float, Field(ge=0, le=5)]


type Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)] | Uniform | LogNormal
type Share = Annotated[float, Field(ge=0, le=1)]


def draw(seconds: Seconds, random: Random) -> float:
    """Return a number of seconds of a distribution, at most ``LONGEST_SECONDS``."""
    match seconds:
        case Uniform(least=least, most=most):
            drawn = random.uniform(least, most)
        case LogNormal(median=median, sigma=sigma):
            drawn = median * random.lognormvariate(0.0, sigma)
        case _:
            drawn = seconds
    return min(drawn, LONGEST_SECONDS)


class TaskRow(_Strict):
    """
    How some tasks turn out.

    Attributes:
        job: A pattern for the whole id of the job, as of file names, in any case.
        schedule: The job schedule of Azure Batch that made the job; without it, any job.
        task: A pattern for the whole id of the task; without it, any but job preparation and job
            release tasks, which succeed at once where no row has their id.
        seconds: How long its program takes, by the account's clock.
        exit_code: The exit code of its program, a signed number of 32 bits.
        stdout: What its program prints.
        stderr: What its program prints on that stream.
    """

    job: str = "*"
    schedule: str | None = None
    task: str | None = None
    seconds: Seconds
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31)] = 0
    stdout: str = ""
    stderr: str = ""


class StartTasks(_Strict):
    """
    How start tasks turn out.

    Attributes:
        seconds: How long one takes.
        fails: The share of boots in which every try of it fails.
        hangs: The share of boots in which it never ends.
    """

    seconds: Seconds = 0.0
    fails: Share = 0.0
    hangs: Share = 0.0


class Nodes(_Strict):
    """
    How nodes and their samples turn out.

    Attributes:
        boot_seconds: From the allocation to the start task; null: as without a simulation.
        start_task: How start tasks turn out.
        preemptions_per_hour: How often a Spot node is preempted, on average.
        preempted_seconds: How long it is preempted.
        missing_samples: The share of a pool's samples that never arrive.
        sample_delay_seconds: How long the others take to arrive.
    """

    boot_seconds: Seconds | None = None
    start_task: StartTasks = StartTasks()
    preemptions_per_hour: Annotated[float, Field(ge=0, le=3600)] = 0.0
    preempted_seconds: Seconds = 300.0
    missing_samples: Share = 0.0
    sample_delay_seconds: Annotated[float, Field(ge=0, le=3600)] = SAMPLE_DELAY_SECONDS


class _Described(_Strict):
    seed: int = 0
    nodes: Nodes = Nodes()
    tasks: tuple[TaskRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run of a program turns out; ``seconds`` are of the account's clock."""

    seconds: float
    exit_code: int = 0
    stdout: str = ""
    stderr: str = ""


class Outcomes(Protocol):
    """The source of how tasks turn out."""

    def find(self, job: str, task: str, run: int, node: str | None = None) -> Outcome | None:
        """
        Return how a run of a task turns out; None if the task is unknown.

        Args:
            job: The id of its job.
            task: Its id.
            run: Its runs before this one.
            node: The id of its node, if it is a job preparation or job release task.
        """


class NoOutcomes:
    """A source that knows no task."""

    def find(self, job: str, task: str, run: int, node: str | None = None) -> Outcome | None:  # noqa: ARG002 - the protocol's
        """Return None."""
        return None


class TaskTable:
    """A table of tasks; the first row that matches a task is its own."""

    def __init__(self, rows: tuple[TaskRow, ...], seed: int) -> None:
        self._rows = [(row, _pattern(row.job), _pattern(row.task or "*")) for row in rows]
        self._seed = seed

    def find(self, job: str, task: str, run: int, node: str | None = None) -> Outcome | None:
        """Return how a run of a task turns out; None if no row matches."""
        made = _OF_JOB_SCHEDULE.fullmatch(job)
        schedule = made["schedule"].lower() if made else None
        for row, jobs, tasks in self._rows:
            mine = row.schedule is None or row.schedule.lower() == schedule
            named = node is None or row.task is not None
            if mine and named and jobs.fullmatch(job) and tasks.fullmatch(task):
                key = (job, task, run) if node is None else (job, task, run, node)
                seconds = draw(row.seconds, _random(self._seed, "task", *key))
                return Outcome(seconds, row.exit_code, row.stdout, row.stderr)
        return None


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text), re.IGNORECASE)


def _random(seed: int, *key: object) -> Random:
    return Random("/".join(map(str, (seed, *key))))  # noqa: S311 - to be the same each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """
    How everything turns out, decided by a seed: equal names give equal results.

    Attributes:
        seed: The seed of everything random.
        nodes: How nodes turn out.
        tasks: How tasks turn out.
        writes_files: Whether tasks leave their outputs on their node, to be read and uploaded.
    """

    seed: int = 0
    nodes: Nodes = field(default_factory=Nodes)
    tasks: Outcomes = field(default_factory=NoOutcomes)
    writes_files: bool = True

    def node_name(self, pool: str, number: int) -> str:
        """Return 64 hexadecimal digits for a pool's node."""
        return _random(self.seed, "node", pool, number).randbytes(32).hex()

    def pool_name(self, owner: str, moment: datetime) -> uuid.UUID:
        """Return the unique part of the id of a pool that is made for a job or job schedule."""
        digits = _random(self.seed, "pool", owner, moment.isoformat()).randbytes(16)
        return uuid.UUID(bytes=digits, version=4)

    def boot_seconds(self, node: str, usual: float) -> float:
        """Return how long a node takes from its allocation to its start task."""
        if self.nodes.boot_seconds is None:
            return usual
        return draw(self.nodes.boot_seconds, _random(self.seed, "boot", node))

    def start_task(
        self, node: str, boot: int
    ) -> tuple[float, Literal["succeeds", "fails", "hangs"]]:
        """Return how long the start task of a node takes at a boot, and how it turns out."""
        random, given = _random(self.seed, "start", node, boot), self.nodes.start_task
        seconds, lot = draw(given.seconds, random), random.random()
        if lot < given.fails:
            return seconds, "fails"
        return seconds, "hangs" if lot < given.fails + given.hangs else "succeeds"

    def preemption(self, node: str, number: int) -> tuple[float, float] | None:
        """Return in how many seconds a Spot node is preempted next, and for how many."""
        if not self.nodes.preemptions_per_hour:
            return None
        random = _random(self.seed, "preemption", node, number)
        after = random.expovariate(self.nodes.preemptions_per_hour / _HOUR_SECONDS)
        return min(after, LONGEST_SECONDS), draw(self.nodes.preempted_seconds, random)

    def loses_sample(self, pool: str, number: int) -> bool:
        """Tell whether a sample of a pool never arrives."""
        share = self.nodes.missing_samples
        return share > 0 and _random(self.seed, "sample", pool, number).random() < share


def read_simulation(content: bytes) -> Simulation:
    """
    Read a simulation from JSON: ``seed``, ``nodes``, and ``tasks`` with a row for each kind.

    Raises:
        SimulationError: It is not JSON, or something in it is wrong.
    """
    try:
        given = _Described.model_validate_json(content)
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, item['loc'])) or 'simulation'}: {item['msg']}"
            for item in error.errors()
        )
        raise SimulationError("\n".join(problems)) from error
    return Simulation(seed=given.seed, nodes=given.nodes, tasks=TaskTable(given.tasks, given.seed))
