"""Job schedules of Batch's own kind as tables: what the service sends, and what is written for it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from recur.errors import CliError
from recur.importing.handed_table import coming, only_table, with_start
from recur.importing.job_schedule import read_job_schedule
from recur.importing.tables import Table, document_text

NOW: Final = datetime(2026, 12, 1, 1, 50, tzinfo=UTC)
UNLIMITED: Final = "P10675199DT2H48M5.4775807S"
FILE: Final = Path("old.toml")

type Json = dict[str, Any]


def table(
    manager: Mapping[str, object] | None = None,
    specification: Mapping[str, object] | None = None,
    schedule: Mapping[str, object] | None = None,
    **others: object,
) -> Table:
    """Return the table of a job schedule of the service, every half an hour."""
    task = {
        "id": "only-task",
        "commandLine": "python3 report.py",
        "constraints": {"maxWallClockTime": "PT2H", "maxTaskRetryCount": 0},
        **(manager or {}),
    }
    shown: Json = {
        "id": "ScheduledScript",
        "state": "active",
        "schedule": schedule or {"recurrenceInterval": "PT30M"},
        "jobSpecification": {
            "poolInfo": {"poolId": "recur"},
            "jobManagerTask": task,
            **(specification or {}),
        },
        "executionInfo": {"nextRunTime": "2026-12-01T02:10:00Z"},
        **others,
    }
    _, found = read_job_schedule(shown, now=NOW, pool="recur")
    return found


def keys(found: Table) -> dict[str, str]:
    """Return the keys of a table that is not refused."""
    assert found.refused is None
    return dict(found.keys)


def test_a_plain_one_becomes_a_table_that_is_a_document() -> None:
    """With an id of our form; its instants are those that the service tells."""
    found = table()
    text = document_text(
        read_job_schedule({"id": "x"}, now=NOW)[0], (found,), "job schedule ScheduledScript"
    )
    assert only_table(text, FILE).schedule == "scheduled-script"
    (schedule,) = parse(text).schedules.values()
    assert schedule.command == "python3 report.py"
    assert schedule.run_timeout == timedelta(hours=2)
    first = datetime(2026, 12, 1, 2, 10, tzinfo=UTC)
    assert coming(schedule, first) == tuple(first + n * timedelta(minutes=30) for n in range(3))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("python3 report.py --day 1", "python3 report.py --day 1"),
        ("/bin/sh -c 'a $B && c'", "a $B && c"),
        ('/bin/bash -c "echo $X; exit 3"', "/bin/bash -c 'echo $X; exit 3'"),
        ("echo $HOME *.csv", "echo '$HOME' '*.csv'"),
        ("cmd /c dir /s", "dir /s"),
        ("CMD.exe  /C  dir\t/s", "dir\t/s"),
        ("cmd /c", "cmd /c"),
        (r'tool.exe C:\jobs\in.txt "a b"', r'tool.exe C:\jobs\in.txt "a b"'),
        ("unbalanced 'quote", "unbalanced 'quote"),
    ],
)
def test_a_command_line_means_in_a_shell_what_it_meant_without_one(line: str, command: str) -> None:
    """Batch starts programs; a document's command is a line of a shell."""
    written = keys(table({"commandLine": line}))["command"]
    assert (
        parse(f"[schedules.one]\ncron = '* * * * *'\ncommand = {written}\n")
        .schedules[ScheduleId("one")]
        .command
        == command
    )


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"recurrenceInterval": "PT30M"}, '{ window = "30m" }'),
        ({"recurrenceInterval": "PT30M", "startWindow": "PT10M"}, '{ window = "10m" }'),
        ({"recurrenceInterval": "PT30M", "startWindow": "P2D"}, '{ window = "30m" }'),
        ({"recurrenceInterval": "PT1M"}, '{ window = "5m" }'),
        ({"recurrenceInterval": "PT30M", "startWindow": "PT10M0.5S"}, '{ window = "10m" }'),
        ({"startWindow": "PT1H"}, '{ window = "1h" }'),
        ({}, '{ window = "400d" }'),
    ],
)
def test_the_start_window_is_that_of_catching_up(schedule: Json, expected: str) -> None:
    """Never beyond the next instant, and never below what a document takes."""
    assert keys(table(schedule=schedule or {"doNotRunUntil": "x"}))["catch_up"] == expected


def test_one_that_does_not_recur_is_due_once() -> None:
    """Its end follows at once; a late hand-over still finds it due."""
    found = keys(table(schedule={"startWindow": "PT1H"}))
    assert (found["every"], found["start"], found["end"]) == (
        '"1d"',
        "2026-12-01T02:10:00Z",
        "2026-12-01T02:10:01Z",
    )


@pytest.mark.parametrize(
    ("next_run", "last", "end"),
    [
        ("2026-12-01T02:10:00Z", "2026-12-01T03:10:00Z", "2026-12-01T03:10:01Z"),
        ("2026-12-01T02:10:00.75Z", "2026-12-01T03:10:00.75Z", "2026-12-01T03:10:01Z"),
        ("2026-12-01T02:10:00.75Z", "2026-12-01T03:10:00.5Z", "2026-12-01T03:10:00Z"),
    ],
)
def test_the_last_instant_stays_the_last(next_run: str, last: str, end: str) -> None:
    """A job at doNotRunAfter itself is made, one of a fraction of a second later is not."""
    found = table(
        schedule={"recurrenceInterval": "PT30M", "doNotRunAfter": last},
        executionInfo={"nextRunTime": next_run},
    )
    assert (keys(found)["start"], keys(found)["end"]) == ("2026-12-01T02:10:00Z", end)


@pytest.mark.parametrize(
    ("interval", "state", "execution", "why"),
    [
        ("PT1M0.5S", "active", {"nextRunTime": "2026-12-01T02:10:00Z"}, "whole number of seconds"),
        ("P400D", "active", {"nextRunTime": "2026-12-01T02:10:00Z"}, "up to 366 days"),
        ("PT1M", "completed", {"endTime": "2026-11-01T00:00:00Z"}, "it is completed"),
        ("PT1M", "active", {}, "no next run"),
    ],
)
def test_what_a_document_cannot_say_is_refused(
    interval: str, state: str, execution: Json, why: str
) -> None:
    """With the reason."""
    found = table(schedule={"recurrenceInterval": interval}, state=state, executionInfo=execution)
    assert why in str(found.refused)


def test_a_disabled_one_is_paused_and_starts_with_what_comes() -> None:
    """Its next run may be long over."""
    found = table(state="disabled", executionInfo={"nextRunTime": "2026-11-30T00:10:00Z"})
    assert (keys(found)["paused"], keys(found)["start"]) == ("true", "2026-12-01T02:10:00Z")


def test_one_without_a_job_manager_task_is_paused() -> None:
    """Another program knows what it runs."""
    found = table(specification={"jobManagerTask": None})
    assert keys(found)["paused"] == "true"
    assert "exit 1" in keys(found)["command"]


def test_variables_of_job_and_task_are_joined() -> None:
    """The task's go before the job's; those that Batch or Recur set are named and left out."""
    found = table(
        {"environmentSettings": [{"name": "A", "value": "task"}, {"name": "E"}]},
        {
            "commonEnvironmentSettings": [
                {"name": "A", "value": "job"},
                {"name": "B", "value": "2"},
                {"name": "AZ_BATCH_X", "value": "3"},
                {"name": "recur_day", "value": "4"},
            ]
        },
    )
    assert keys(found)["environment"] == '{ A = "task", B = "2", E = "" }'
    assert any("AZ_BATCH_X, recur_day" in one for one in found.comments)


@pytest.mark.parametrize(
    ("task", "job", "run_timeout"),
    [
        ("PT2H", UNLIMITED, "2h"),
        (UNLIMITED, "PT12H", "12h"),
        ("PT1H0.5S", UNLIMITED, "1h1s"),
        ("PT90.25S", UNLIMITED, "1m31s"),
        (UNLIMITED, UNLIMITED, "180d"),
        (None, None, "180d"),
        ("P200D", None, "180d"),
    ],
)
def test_the_time_of_a_run_is_limited_as_before(
    task: str | None, job: str | None, run_timeout: str
) -> None:
    """By the task, else by its job, else by the most that a document takes; in whole seconds."""
    found = table(
        {"constraints": {"maxWallClockTime": task}}, {"constraints": {"maxWallClockTime": job}}
    )
    assert keys(found)["run_timeout"] == f'"{run_timeout}"'


@pytest.mark.parametrize(("retries", "written"), [(0, None), (2, "2"), (-1, "10"), (50, "10")])
def test_retries_are_those_of_the_task(retries: int, written: str | None) -> None:
    """As many as a document takes; what changes is said."""
    found = table({"constraints": {"maxTaskRetryCount": retries}})
    expected = written and f'{{ max = {written}, on = ["lost", "never_started", "failed"] }}'
    assert keys(found).get("retries") == expected
    assert any(f"maxTaskRetryCount {retries}" in one for one in found.comments) == (
        retries in {-1, 50}
    )


def test_output_files_are_outputs_without_their_signatures() -> None:
    """Stdout and stderr are stored anyway; what is no pattern here is said to be none."""
    container = {"containerUrl": "https://logs.example/c?sig=SECRET", "path": "old"}
    files = [
        {"filePattern": pattern, "destination": {"container": container}}
        for pattern in ("../std*.txt", "report/*.csv", "../../etc/passwd")
    ]
    found = table({"outputFiles": files})
    assert keys(found)["outputs"] == '["report/*.csv"]'
    assert not any("SECRET" in one for one in found.comments)
    assert any("../../etc/passwd is not a valid pattern" in one for one in found.comments)


@pytest.mark.parametrize(
    ("manager", "specification", "said"),
    [
        ({"killJobOnCompletion": False}, {}, "here the job ends with it"),
        ({"resourceFiles": [{}]}, {}, "resourceFiles are left out"),
        ({"applicationPackageReferences": [{"applicationId": "app"}]}, {}, "(app)"),
        ({"userIdentity": {"autoUser": {"elevationLevel": "admin"}}}, {}, "administrator"),
        ({"allowLowPriorityNode": False}, {}, "dedicated nodes"),
        ({}, {"poolInfo": {"poolId": "mainPool"}}, "pool mainPool"),
        ({}, {"poolInfo": {"autoPoolSpecification": {}}}, "autoPoolSpecification"),
        ({}, {"jobPreparationTask": {"commandLine": "x"}}, "jobPreparationTask is left out"),
        ({}, {"priority": 5}, "priority 5"),
    ],
)
def test_what_has_no_key_is_said(manager: Json, specification: Json, said: str) -> None:
    """In a comment of the table."""
    assert any(said in one for one in table(manager, specification).comments)
    assert not any(said in one for one in table().comments)


def test_another_start_takes_the_place_of_the_one_there_is() -> None:
    """Of that table alone; whatever else stands there stays."""
    text = (
        '# top\n[schedules.one]\nevery = "1h"\n  start = 2026-01-01T00:00:00Z # was\ncommand = "x"\n'
        '[schedules.two]\nstart = 2027-01-01T00:00:00Z\nevery = "2h"\ncommand = "y"\n'
    )
    start = datetime(2026, 12, 1, 2, 10, tzinfo=UTC)
    found = with_start(text, ScheduleId("one"), start)
    assert parse(found).schedules[ScheduleId("one")].start == start
    assert "2027-01-01" in found
    assert "# top" in found
    assert "was" not in found


def test_a_table_that_is_written_in_another_way_is_refused() -> None:
    """Its start could not be set."""
    text = 'schedules.one = { every = "1h", command = "x" }\n'
    with pytest.raises(CliError, match="no line"):
        with_start(text, ScheduleId("one"), NOW)


def test_a_line_of_a_command_is_no_start() -> None:
    """It would be lost: the table is refused."""
    text = "[schedules.one]\nevery = '1h'\ncommand = '''\nstart = $(date)\nrun'''\n"
    with pytest.raises(CliError, match="another line looks the same"):
        with_start(text, ScheduleId("one"), NOW)
