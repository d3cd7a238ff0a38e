"""What a simulation says of tasks, nodes and samples, and how it is read."""

import json
from datetime import UTC, datetime
from statistics import mean, median

import pytest

from batch_emulator.simulation import (
    LONGEST_SECONDS,
    NoOutcomes,
    Outcome,
    SimulationError,
    read_simulation,
)

TABLE = {
    "seed": 7,
    "nodes": {
        "boot_seconds": {"median": 140, "sigma": 0.3},
        "start_task": {"seconds": {"least": 20, "most": 40}, "fails": 0.2, "hangs": 0.1},
        "preemptions_per_hour": 2,
        "missing_samples": 0.25,
    },
    "tasks": [
        {"job": "nightly-*", "task": "main", "seconds": 1800, "stdout": "done\n"},
        {"schedule": "weekly", "seconds": {"least": 60, "most": 90}, "exit_code": 3},
        {"job": "any", "seconds": 5},
    ],
}


SIMULATION = read_simulation(json.dumps(TABLE).encode())


def test_the_first_row_that_matches_says_how_a_task_turns_out() -> None:
    """By patterns for the whole ids, in any case, and by the job schedule that made the job."""
    find = SIMULATION.tasks.find

    assert find("Nightly-20261201", "MAIN", 0) == Outcome(1800, 0, "done\n")
    assert find("nightly-20261201", "other", 0) is None
    assert find("a-nightly-1", "main", 0) is None
    assert find("any", "whatever", 0) == Outcome(5)
    made = find("weekly:job-12", "main", 0)
    assert made is not None
    assert (made.exit_code, 60 <= made.seconds <= 90) == (3, True)
    assert find("weekly", "main", 0) is None
    assert NoOutcomes().find("any", "main", 0) is None


def test_only_a_row_with_a_task_is_for_what_prepares_a_job() -> None:
    """Other rows would let it take as long as the job's tasks; each node has its own lot."""
    rows = [
        {"task": "jobprep*", "seconds": {"least": 1, "most": 9}, "exit_code": 2},
        {"seconds": 5},
    ]
    find = read_simulation(json.dumps({"tasks": rows}).encode()).tasks.find

    assert find("job", "jobrelease", 0, "n1") is None
    assert find("job", "jobrelease", 0) == Outcome(5)
    first, second = find("job", "jobpreparation", 0, "n1"), find("job", "jobpreparation", 0, "n2")
    assert first is not None
    assert first.exit_code == 2
    assert first != second
    assert first == find("job", "jobpreparation", 0, "n1")


def test_the_pool_of_a_job_has_an_id_of_the_seed() -> None:
    """The next job of the same id has another one, as it is created later."""
    first, second = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)

    assert SIMULATION.pool_name("job", first) == SIMULATION.pool_name("job", first)
    names = {SIMULATION.pool_name(job, at) for job in ("job", "other") for at in (first, second)}
    assert len(names) == 4


def test_equal_seeds_and_names_have_equal_lots() -> None:
    """Another seed, name or run has another lot; asking again changes nothing."""
    again, other = (
        read_simulation(json.dumps(TABLE).encode()),
        read_simulation(json.dumps({**TABLE, "seed": 8}).encode()),
    )

    assert SIMULATION.node_name("pool", 1) == again.node_name("pool", 1)
    names = {SIMULATION.node_name("pool", n) for n in range(50)} | {other.node_name("pool", 1)}
    assert len(names) == 51
    assert SIMULATION.boot_seconds("n", 1) == again.boot_seconds("n", 1)
    assert SIMULATION.tasks.find("weekly:job-1", "t", 0) == again.tasks.find("weekly:job-1", "t", 0)
    assert SIMULATION.tasks.find("weekly:job-1", "t", 0) != again.tasks.find("weekly:job-1", "t", 1)


def test_the_shares_are_those_that_were_asked_for() -> None:
    """Of failing and hanging start tasks and of missing samples, over 2,000 lots."""
    ends = [SIMULATION.start_task(f"n{n}", 1) for n in range(2000)]
    lost = [SIMULATION.loses_sample("pool", n) for n in range(2000)]

    assert 0.17 < sum(how == "fails" for _, how in ends) / 2000 < 0.23
    assert 0.08 < sum(how == "hangs" for _, how in ends) / 2000 < 0.12
    assert all(20 <= seconds <= 40 for seconds, _ in ends)
    assert 0.22 < sum(lost) / 2000 < 0.28


def test_boots_and_preemptions_follow_their_distributions() -> None:
    """Half of the boots are shorter than the median; two preemptions an hour are 30 minutes apart."""
    boots = [SIMULATION.boot_seconds(f"n{n}", 1) for n in range(2000)]
    lots = [SIMULATION.preemption(f"n{n}", 0) for n in range(2000)]

    assert 135 < median(boots) < 145
    assert 1700 < mean(lot[0] for lot in lots if lot) < 1900
    assert {lot[1] for lot in lots if lot} == {300}


def test_without_a_description_nodes_are_as_usual() -> None:
    """Nothing fails and nothing is preempted, and a boot takes as long as in any account."""
    plain = read_simulation(b"{}")

    assert plain.boot_seconds("n", 140) == 140
    assert plain.start_task("n", 1) == (0, "succeeds")
    assert plain.preemption("n", 0) is None
    assert not plain.loses_sample("pool", 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "simulation: Invalid JSON"),
        ('{"tasks": [{"job": "a"}]}', "tasks.0.seconds: Field required"),
        ('{"tasks": [{"seconds": -1}]}', "tasks.0.seconds"),
        ('{"tasks": [{"seconds": 1, "exit_code": 2147483648}]}', "tasks.0.exit_code: Input should"),
        ('{"nodes": {"start_task": {"fails": 2}}}', "nodes.start_task.fails: Input should be less"),
        ('{"colour": 1}', "colour: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_named(text: str, problem: str) -> None:
    """Each problem with its place."""
    with pytest.raises(SimulationError) as refused:
        read_simulation(text.encode())

    assert problem in str(refused.value)


def test_what_takes_ages_takes_a_time_that_calendars_hold() -> None:
    """Numbers that no clock can add to its time would end a boot or a task by an error of ours."""
    ages = {"median": 1e308, "sigma": 5}
    nodes = {"boot_seconds": 1e300, "preemptions_per_hour": 1e-300, "preempted_seconds": ages}
    rows = [{"seconds": {"least": 1e300, "most": 1e301}}]
    simulation = read_simulation(json.dumps({"nodes": nodes, "tasks": rows}).encode())

    outcome = simulation.tasks.find("job", "task", 0)

    assert outcome is not None
    assert outcome.seconds == LONGEST_SECONDS
    assert simulation.boot_seconds("node", 140) == LONGEST_SECONDS
    assert simulation.preemption("node", 0) == (LONGEST_SECONDS, LONGEST_SECONDS)
