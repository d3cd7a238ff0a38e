"""Manifests, schedules and triggers of other systems: what of them becomes keys, and what comments."""

import json
import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.document.parse import parse
from orchestrator.model import Recurrence
from orchestrator.timing.placement import placements
from recur.errors import CliError
from recur.importing.files import read_imported
from recur.importing.tables import NO_COMMAND, Imported, Table, checked, document_text, with_ids

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def _imported(text: str, time_zone: str | None = None) -> Imported:
    return read_imported(text, now=NOW, time_zone=time_zone, with_user=False)


def _table(document: object, time_zone: str | None = None) -> Table:
    (table,) = checked(with_ids(_imported(json.dumps(document), time_zone).tables))
    return table


def _keys(document: object, time_zone: str | None = None) -> dict[str, Any]:
    """Return the keys of the one schedule in a document, as TOML has them; it is valid."""
    imported = _imported(json.dumps(document), time_zone)
    tables = checked(with_ids(imported.tables))
    written = document_text(imported, tables, "file.json")
    assert [one.refused for one in tables] == [None]
    assert parse(written).problems == ()
    keys: dict[str, Any]
    (keys,) = tomllib.loads(written)["schedules"].values()
    return keys


def _cron_job(
    spec: dict[str, Any], container: dict[str, Any], job: dict[str, Any] | None = None
) -> dict[str, Any]:
    pod = {"containers": [container]}
    return {
        "kind": "CronJob",
        "metadata": {"name": "it"},
        "spec": {
            "schedule": "0 2 * * *",
            "jobTemplate": {"spec": {"template": {"spec": pod}, **(job or {})}},
            **spec,
        },
    }


RUN = {"image": "i", "command": ["run", "a b"]}


@pytest.mark.parametrize(
    ("spec", "keys"),
    [
        ({}, {"cron": "0 2 * * *", "overlap": "allow"}),
        ({"concurrencyPolicy": "Replace"}, {"overlap": "replace"}),
        ({"schedule": "0 2 */2 * 1"}, {"cron": ["0 2 */2 * *", "0 2 * * MON"]}),
        ({"schedule": "0 12 ? * 2"}, {"cron": "0 12 * * TUE"}),
        ({"schedule": "@every 90m"}, {"every": "1h30m"}),
        (
            {"schedule": "CRON_TZ=Asia/Tokyo 0 2 * * 1"},
            {"cron": "0 2 * * MON", "time_zone": "Asia/Tokyo"},
        ),
        (
            {"schedule": "@hourly", "timeZone": "Asia/Tokyo"},
            {"cron": "0 * * * *", "time_zone": "Asia/Tokyo"},
        ),
        ({"suspend": True}, {"paused": True}),
        ({"startingDeadlineSeconds": 600}, {"catch_up": {"window": "10m"}}),
    ],
)
def test_a_cron_job_keeps_its_timing_and_policies(
    spec: dict[str, Any], keys: dict[str, Any]
) -> None:
    """In Kubernetes' own reading: 0 and 7 are Sunday."""
    found = _keys(_cron_job(spec, RUN))

    assert keys.items() <= found.items()
    assert found["command"] == "run 'a b'"


@pytest.mark.parametrize(
    ("container", "command"),
    [
        ({"command": ["sh", "-c", "a && b"]}, "a && b"),
        ({"command": ["/bin/bash", "-c"], "args": ["a && b"]}, "/bin/bash -c 'a && b'"),
        ({"command": ["run"], "args": ["-v", 3]}, "run -v 3"),
        ({"args": ["x"]}, NO_COMMAND),
        ({}, NO_COMMAND),
    ],
)
def test_a_container_gives_the_command(container: dict[str, Any], command: str) -> None:
    """Where it is in the image, the schedule waits for one."""
    found = _keys(_cron_job({}, container))

    assert found["command"] == command
    assert found.get("paused", False) == (command == NO_COMMAND)


def test_what_a_cron_job_loses_is_said() -> None:
    """Each in a comment."""
    container = {
        **RUN,
        "workingDir": "/app",
        "env": [
            {"name": "A", "value": "1"},
            {"name": "B", "valueFrom": {}},
            {"name": "C", "value": "$(A)/c"},
        ],
        "command": ["run", "$(A)"],
    }
    job = {"backoffLimit": 20, "completions": 3}

    table = _table(_cron_job({"startingDeadlineSeconds": 10}, container, job))

    assert table.comments == (
        "Its image was i.",
        "Kubernetes expands $(NAME) in it; the shell here expands $NAME.",
        "It started in the folder /app.",
        "Kubernetes expands $(NAME) in C; Recur does not: write the value.",
        "Variables from secrets and config maps are left out: B.",
        "startingDeadlineSeconds 10 is left out: catch_up.window is at least 300s.",
        "completions 3 is left out: a run here has one task.",
        "backoffLimit 20 becomes 10, the maximum of retries.",
    )
    assert dict(table.keys)["environment"] == '{ A = "1", C = "$(A)/c" }'


def test_a_command_in_brackets_is_no_reference() -> None:
    """Kubernetes replaces variables that it gives, and leaves the shell's ``$(date)``."""
    script = {"image": "i", "command": ["sh", "-c", "echo $(date)"]}
    env = [{"name": "A", "value": "$(date)"}]

    table = _table(_cron_job({}, {**script, "env": env}))

    assert table.comments == ("Its image was i.",)


def test_a_manifest_may_be_indented() -> None:
    """As it is copied from the middle of a page."""
    text = "".join(f"  {line}\n" for line in json.dumps(_cron_job({}, RUN), indent=1).splitlines())
    indented = f"  kind: CronJob\n  spec: {json.dumps(_cron_job({}, RUN)['spec'])}\n"

    assert _imported(text).system == _imported(indented).system == "CronJobs of Kubernetes"


def test_of_a_variable_given_twice_the_last_counts() -> None:
    """As in Kubernetes, also where one of the two has its value elsewhere."""
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "1"},
        {"name": "C", "valueFrom": {}},
        {"name": "A", "value": "2"},
        {"name": "B", "valueFrom": {}},
        {"name": "C", "value": "2"},
    ]

    document = _cron_job({}, {**RUN, "env": env})

    assert _keys(document)["environment"] == {"A": "2", "C": "2"}
    assert "Variables from secrets and config maps are left out: B." in _table(document).comments


def test_a_list_of_cron_jobs_is_read() -> None:
    """As kubectl prints it; other kinds are left."""
    items = [_cron_job({}, RUN), {"kind": "Job"}, _cron_job({"schedule": "x"}, RUN)]

    first, second = checked(
        with_ids(_imported(json.dumps({"kind": "List", "items": items})).tables)
    )

    assert (first.name, second.name) == ("it", "it-2")
    assert first.refused is None
    assert second.refused == "'x' is not a line of Kubernetes"


def _eventbridge(**keys: object) -> dict[str, Any]:
    return {"Name": "it", "ScheduleExpression": "cron(0 12 1 * ? *)", **keys}


@pytest.mark.parametrize(
    ("entry", "keys"),
    [
        (_eventbridge(), {"cron": "0 12 1 * *", "overlap": "allow", "paused": True}),
        (_eventbridge(ScheduleExpressionTimezone="Asia/Tokyo"), {"time_zone": "Asia/Tokyo"}),
        (_eventbridge(ScheduleExpression="rate(2 hours)"), {"every": "2h"}),
        (
            _eventbridge(ScheduleExpression="rate(2 hours)", StartDate=1767225600.0),
            {"every": "2h", "anchor": datetime(2026, 1, 1, tzinfo=UTC)},
        ),
        (
            _eventbridge(StartDate="2027-01-01T01:00:00+01:00"),
            {"start": datetime(2027, 1, 1, tzinfo=UTC)},
        ),
        (
            _eventbridge(EndDate="2027-02-01T00:00:00.5Z"),
            {"end": datetime(2027, 2, 1, tzinfo=UTC)},
        ),
        (
            _eventbridge(
                ScheduleExpression="at(2026-12-24T18:00:00)", EndDate="2026-12-01T00:00:00Z"
            ),
            {"at": [datetime(2026, 12, 24, 18)]},  # noqa: DTZ001 - a wall time has no zone
        ),
        (_eventbridge(FlexibleTimeWindow={"Mode": "OFF"}), {"command": NO_COMMAND}),
    ],
)
def test_an_eventbridge_schedule_keeps_its_timing(
    entry: dict[str, Any], keys: dict[str, Any]
) -> None:
    """A start that is over is left out, but for what an interval counts from."""
    found = _keys(entry)

    assert keys.items() <= found.items()
    assert ("start" in found) == ("start" in keys)


@pytest.mark.parametrize(
    ("dates", "bounds"),
    [
        ({}, {"start": (2027, 1), "end": (2028, 1)}),
        ({"StartDate": "2026-12-15T00:00:00Z"}, {"start": (2027, 1), "end": (2028, 1)}),
        ({"EndDate": "2029-01-01T00:00:00Z"}, {"start": (2027, 1), "end": (2028, 1)}),
        (
            {"StartDate": "2027-03-01T00:00:00Z", "EndDate": "2027-05-01T00:00:00Z"},
            {"start": (2027, 3), "end": (2027, 5)},
        ),
    ],
)
def test_years_and_dates_of_eventbridge_both_bound_a_schedule(
    dates: dict[str, str], bounds: dict[str, tuple[int, int]]
) -> None:
    """The later start and the earlier end count."""
    found = _keys(_eventbridge(ScheduleExpression="cron(0 7 * * ? 2027)", **dates))

    assert {key: (found[key].year, found[key].month) for key in ("start", "end")} == bounds


def test_years_that_have_begun_give_no_start() -> None:
    """It would only make up for what has run already."""
    found = _keys(_eventbridge(ScheduleExpression="cron(0 7 * * ? 2026-2027)"))

    assert "start" not in found
    assert found["end"] == datetime(2028, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "time_zone", "overlap"),
    [
        (_cron_job({"timeZone": "Europe/Paris"}, RUN), None, "both"),
        (_cron_job({"schedule": "CRON_TZ=Europe/Paris 0 2 * * *"}, RUN), None, "both"),
        (_cron_job({}, RUN), "Europe/Paris", "both"),
        (_cron_job({}, RUN), "Asia/Tokyo", None),
        (_cron_job({}, RUN), None, None),
        (_cron_job({"schedule": "@every 1h"}, RUN), "Europe/Paris", None),
        (_eventbridge(ScheduleExpressionTimezone="America/New_York"), None, "first"),
        (_eventbridge(), "Africa/Casablanca", "first"),
        (_eventbridge(ScheduleExpressionTimezone="UTC"), None, None),
        (_eventbridge(ScheduleExpression="rate(1 day)"), "Europe/Paris", None),
    ],
)
def test_clock_changes_stay_those_of_the_source(
    document: dict[str, Any], time_zone: str | None, overlap: str | None
) -> None:
    """Times in a gap are left out; only cron lines in a zone with clock changes say so."""
    expected = {"gap": "skip", "overlap": overlap} if overlap else None

    assert _keys(document, time_zone).get("dst") == expected


@pytest.mark.parametrize(
    "document",
    [_cron_job({"timeZone": "CET"}, RUN), _eventbridge(ScheduleExpressionTimezone="CET")],
)
def test_a_zone_that_a_document_refuses_is_named(document: dict[str, Any]) -> None:
    """Zones such as CET exist elsewhere; the comment says which one to write."""
    refused = _table(document).refused or ""

    assert (
        "time zone 'CET' is not accepted: name an area and a place, or UTC; did you mean 'Europe/Paris'?"
        in refused
    )
    assert "cannot be understood" not in refused


def test_how_often_eventbridge_tries_again_is_said() -> None:
    """What it has no key for stands beside the table."""
    policy = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 2}

    table = _table(_eventbridge(Target={"Arn": "a", "RetryPolicy": policy}))

    assert any(f"RetryPolicy {json.dumps(policy)} is left out" in one for one in table.comments)


@pytest.mark.parametrize(
    ("seconds", "timeout", "comments"),
    [
        (180 * 86400, "180d", []),
        (
            180 * 86400 + 1,
            None,
            ["activeDeadlineSeconds 15552001 is left out: a task can run at most 180 days."],
        ),
    ],
)
def test_a_longer_life_than_a_task_can_have_is_left_out(
    seconds: int, timeout: str | None, comments: list[str]
) -> None:
    """The rest of the manifest counts."""
    manifest = _cron_job({}, {**RUN, "args": ["x"]}, {"activeDeadlineSeconds": seconds})
    table = _table(manifest)

    assert _keys(manifest).get("run_timeout") == timeout
    assert [one for one in table.comments if "activeDeadline" in one] == comments
    assert table.refused is None


def test_rules_of_eventbridge_are_read() -> None:
    """Those that are due by time."""
    rules = {
        "Rules": [
            _eventbridge(Name="A.rule", State="DISABLED", Description="Sums\nthem up"),
            {"Name": "by-event", "EventPattern": "{}"},
        ]
    }

    table = _table(rules)

    assert table.name == "a-rule"
    assert dict(table.keys)["description"] == '"Sums them up"'
    assert table.comments == ("It was disabled.",)
    long = _table(_eventbridge(Description="x" * 201))
    assert long.comments == ("x" * 201,)


def _trigger(recurrence: dict[str, Any], kind: str = "ScheduleTrigger") -> dict[str, Any]:
    given = recurrence if kind != "ScheduleTrigger" else {"recurrence": recurrence}
    return {"name": "It", "properties": {"type": kind, "typeProperties": given}}


START = {"startTime": "2026-01-07T09:15:00Z"}  # a Wednesday


@pytest.mark.parametrize(
    ("recurrence", "keys"),
    [
        (
            {"frequency": "Minute", "interval": 15},
            {"every": "15m", "anchor": datetime(2026, 1, 7, 9, 15, tzinfo=UTC)},
        ),
        ({"frequency": "Hour", "interval": 6}, {"every": "6h"}),
        (
            {"frequency": "Hour", "interval": 1, "schedule": {"minutes": [30, 0]}},
            {"cron": "0,30 * * * *"},
        ),
        (
            {"frequency": "Hour", "interval": 6, "schedule": {"minutes": [30]}},
            {"cron": "30 3-23/6 * * *"},
        ),
        (
            {"frequency": "Hour", "interval": 5, "schedule": {"minutes": [0]}},
            {"every": "5h", "anchor": datetime(2026, 1, 7, 9, tzinfo=UTC)},
        ),
        (
            {
                "frequency": "Hour",
                "interval": 6,
                "schedule": {"minutes": [30]},
                "timeZone": "Romance Standard Time",
            },
            {"every": "6h", "anchor": datetime(2026, 1, 7, 9, 30, tzinfo=UTC)},
        ),
        ({"frequency": "Day", "interval": 1}, {"cron": "15 9 * * *"}),
        (
            {"frequency": "Day", "interval": 1, "timeZone": "Tokyo Standard Time"},
            {"cron": "15 18 * * *", "time_zone": "Asia/Tokyo"},
        ),
        (
            {"frequency": "Day", "interval": 1, "schedule": {"hours": [8, 17], "minutes": [0, 30]}},
            {"cron": "0,30 8,17 * * *"},
        ),
        ({"frequency": "Week", "interval": 1}, {"cron": "15 9 * * WED"}),
        (
            {
                "frequency": "Week",
                "interval": 1,
                "schedule": {"weekDays": ["Monday", "Friday"], "hours": [6]},
            },
            {"cron": "15 6 * * MON,FRI"},
        ),
        ({"frequency": "Month", "interval": 1}, {"cron": "15 9 7 * *"}),
        ({"frequency": "Month", "interval": 3}, {"cron": "15 9 7 1,4,7,10 *"}),
        (
            {
                "frequency": "Month",
                "interval": 1,
                "schedule": {"monthDays": [1, -1], "hours": [6], "minutes": [0]},
            },
            {"cron": "0 6 1,L * *"},
        ),
        (
            {
                "frequency": "Month",
                "interval": 1,
                "schedule": {
                    "monthDays": [15],
                    "monthlyOccurrences": [
                        {"day": "Monday", "occurrence": 1},
                        {"day": "Friday", "occurrence": -1},
                    ],
                },
            },
            {"cron": ["15 9 15 * *", "15 9 * * MON#1,5L"]},
        ),
        ({"frequency": "Year", "interval": 1}, {"cron": "15 9 7 1 *"}),
        (
            {"frequency": "Day", "interval": 2},
            {
                "cron": "15 9 * * *",
                "interval": {"every": 2, "unit": "days", "anchor": date(2026, 1, 7)},
            },
        ),
        (
            {"frequency": "Week", "interval": 2, "schedule": {"weekDays": ["Monday"]}},
            {
                "cron": "15 9 * * MON",
                "interval": {"every": 2, "unit": "weeks", "anchor": date(2026, 1, 7)},
            },
        ),
        (
            {"frequency": "Month", "interval": 5, "schedule": {"monthDays": [-3]}},
            {
                "cron": "15 9 L-2 * *",
                "interval": {"every": 5, "unit": "months", "anchor": date(2026, 1, 7)},
            },
        ),
        (
            {
                "frequency": "Day",
                "endTime": "2027-01-01T00:00:00",
                "timeZone": "Tokyo Standard Time",
            },
            {"end": datetime(2026, 12, 31, 15, tzinfo=UTC)},
        ),
        (
            {"frequency": "Day", "startTime": "2027-01-01T09:15:00"},
            {"start": datetime(2027, 1, 1, 9, 15, tzinfo=UTC)},
        ),
    ],
)
def test_a_schedule_trigger_keeps_its_recurrence(
    recurrence: dict[str, Any], keys: dict[str, Any]
) -> None:
    """On the clock of its zone; by elapsed time below a day."""
    assert keys.items() <= _keys(_trigger({**START, **recurrence})).items()


@pytest.mark.parametrize(
    ("recurrence", "why"),
    [
        (
            {"frequency": "Hour", "interval": 5, "schedule": {"minutes": [0, 30]}},
            "every 5 hours at given minutes",
        ),
        ({"frequency": "Year", "interval": 2}, "2 Year with {} has no equivalent"),
        ({"frequency": "Day", "interval": 0}, "the interval 0 is not a whole number above zero"),
        ({"frequency": "Day", "timeZone": "Mars Time"}, "there is no time zone 'Mars Time'"),
        ({"frequency": "Day", "startTime": "soon"}, "'soon' is not a time such as"),
        ({"frequency": "Week", "schedule": {"weekDays": ["Noday"]}}, "there is no weekday 'NOD'"),
        (
            {"frequency": "Day", "schedule": {"weekDays": ["Monday"]}},
            "schedule.weekDays with the frequency Day has no equivalent",
        ),
        (
            {"frequency": "Hour", "schedule": {"minutes": [0], "weekDays": ["Monday"]}},
            "schedule.weekDays with the frequency Hour has no equivalent",
        ),
        (
            {"frequency": "Week", "schedule": {"monthDays": [1]}},
            "schedule.monthDays with the frequency Week has no equivalent",
        ),
        (
            {
                "frequency": "Month",
                "schedule": {
                    "weekDays": ["Monday"],
                    "monthlyOccurrences": [{"day": "Friday", "occurrence": 1}],
                },
            },
            "schedule.weekDays together with monthlyOccurrences has no equivalent",
        ),
        (
            {
                "frequency": "Month",
                "schedule": {"monthlyOccurrences": [{"day": "Friday", "occurrence": -2}]},
            },
            "occurrence -2 of Friday has no equivalent",
        ),
    ],
)
def test_a_trigger_without_an_equivalent_says_why(recurrence: dict[str, Any], why: str) -> None:
    """It is a comment of the document."""
    assert why in (_table(_trigger({**START, **recurrence})).refused or "")


def test_what_a_trigger_loses_is_said() -> None:
    """Where weeks begin, and that an end is exclusive."""
    table = _table(
        _trigger({**START, "frequency": "Week", "interval": 2, "endTime": "2027-01-01T00:00:00Z"})
    )

    assert table.comments == (
        "Weeks begin on Monday; the week of the anchor counts.",
        "No occurrence is due exactly at the end.",
    )


@pytest.mark.parametrize(
    ("recurrence", "told"),
    [
        ({"frequency": "Day"}, "does not document what it does at clock changes: check dst"),
        (
            {"frequency": "Hour", "interval": 6, "schedule": {"minutes": [0, 30]}},
            "It counted elapsed hours",
        ),
    ],
)
@pytest.mark.parametrize(
    ("zone", "changes"),
    [("Romance Standard Time", True), ("Tokyo Standard Time", False), ("UTC", False)],
)
def test_what_a_change_of_the_clock_does_is_said(
    recurrence: dict[str, Any], told: str, zone: str, *, changes: bool
) -> None:
    """Only in a zone whose clock changes, and of times on that clock."""
    table = _table(_trigger({**START, "interval": 1, **recurrence, "timeZone": zone}))

    assert any(told in one for one in table.comments) is changes


@pytest.mark.parametrize(("minute", "partial"), [("00", False), ("30", True)])
def test_a_part_of_a_window_is_left_out_and_said(minute: str, *, partial: bool) -> None:
    """Where the end lies between the bounds of a window."""
    given = {"frequency": "Hour", "interval": 1, "startTime": "2026-12-02T07:00:00Z"}
    given["endTime"] = f"2026-12-02T10:{minute}:00Z"

    table = _table(_trigger(given, "TumblingWindowTrigger"))

    assert any("endTime is within a window" in one for one in table.comments) is partial


def test_a_tumbling_window_becomes_an_interval() -> None:
    """Counted from its start."""
    given = {"frequency": "Hour", "interval": 1, "delay": "00:15:00", **START}
    found = _keys(_trigger(given, "TumblingWindowTrigger"))
    table = _table(_trigger(given, "TumblingWindowTrigger"))

    assert (found["every"], found["anchor"]) == ("1h", datetime(2026, 1, 7, 9, 15, tzinfo=UTC))
    assert "The delay of 00:15:00 is left out: move anchor by this time." in table.comments
    monthly = _table(
        _trigger({"frequency": "Month", "interval": 1, **START}, "TumblingWindowTrigger")
    )
    assert "have no fixed length" in (monthly.refused or "")
    assert "not triggered by time" in (_table(_trigger({}, "BlobEventsTrigger")).refused or "")


def test_a_window_is_due_at_its_end() -> None:
    """The first one interval after the start; the last at the end itself."""
    found = _keys(
        _trigger(
            {
                "frequency": "Hour",
                "interval": 1,
                "startTime": "2026-12-02T07:00:00Z",
                "endTime": "2026-12-02T10:00:00Z",
            },
            "TumblingWindowTrigger",
        )
    )

    recurrence = Recurrence(every=timedelta(hours=1), anchor=found["anchor"], end=found["end"])
    due = placements(
        recurrence,
        after=found["start"] - timedelta(seconds=1),
        until=datetime(2026, 12, 3, tzinfo=UTC),
    )
    assert [one.nominal.hour for one in due] == [8, 9, 10]
    assert found["start"] == datetime(2026, 12, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("most", "keys"),
    [
        (1, {"overlap": "queue"}),
        (5, {"overlap": "allow", "max_parallel": 5}),
        (None, {"overlap": "allow"}),
    ],
)
def test_windows_keep_their_concurrency(most: int | None, keys: dict[str, Any]) -> None:
    """One at a time is a queue."""
    given = {"frequency": "Hour", "interval": 1, "maxConcurrency": most, **START}

    assert keys.items() <= _keys(_trigger(given, "TumblingWindowTrigger")).items()


def test_what_windows_lose_is_said() -> None:
    """Retries, and the windows of the past."""
    given = {"frequency": "Hour", "interval": 1, "maxConcurrency": 1, **START}
    policy = {"retryPolicy": {"count": 2, "intervalInSeconds": 30}}

    told = _table(_trigger({**given, **policy}, "TumblingWindowTrigger")).comments

    assert any('catch_up = { mode = "all" }' in one for one in told)
    assert any("maxConcurrency 1 becomes overlap queue" in one for one in told)
    assert any("retryPolicy count 2, 30 seconds apart," in one for one in told)


def test_triggers_of_a_template_are_read() -> None:
    """With their pipelines and the state in which they were."""
    trigger = _trigger({**START, "frequency": "Day", "interval": 1})
    trigger["name"] = "[concat(parameters('factoryName'), '/Nightly')]"
    trigger["properties"] |= {
        "description": "Sums up",
        "runtimeState": "Stopped",
        "pipelines": [{"pipelineReference": {"referenceName": "Sum"}, "parameters": {"a": 1}}],
    }

    table = _table({"resources": [trigger, {"name": "p", "properties": {}}]})

    assert table.name == "nightly"
    assert dict(table.keys)["description"] == '"Sums up"'
    assert table.comments == (
        "It was stopped.",
        'It started the pipeline Sum with the parameters {"a": 1}.',
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "it looks like JSON, but cannot be read"),
        ("kind: [", "it looks like YAML, but cannot be read"),
        ("kind: 2026-13-45", "it looks like YAML, but cannot be read"),
        ("[" * 100_000, "it looks like JSON, but cannot be read"),
        ("--- &a\nkind: List\nitems: [*a]", "a YAML alias contains itself"),
        ("{}", "it contains no schedule"),
        ("kind: Job", "it contains no schedule"),
        ("[1, null]", "it contains no schedule"),
    ],
)
def test_a_file_of_another_kind_is_refused(text: str, says: str) -> None:
    """With what is read instead."""
    with pytest.raises(CliError, match=says) as caught:
        _imported(text)

    assert caught.value.next_step


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10**12), st.text(max_size=5), st.just(float("inf"))
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=4,
)
_SOUND = st.sampled_from(
    [
        _cron_job(
            {"concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 600, "timeZone": "UTC"},
            {**RUN, "args": ["x"], "env": [{"name": "A", "value": "1"}]},
            {"backoffLimit": 1, "activeDeadlineSeconds": 60},
        ),
        _eventbridge(
            StartDate="2027-01-01T00:00:00Z",
            EndDate=1893456000,
            Description="d",
            FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
            Target={"Arn": "a", "Input": "{}"},
        ),
        _trigger(
            {
                **START,
                "frequency": "Month",
                "interval": 2,
                "endTime": "2030-01-01T00:00:00",
                "schedule": {
                    "minutes": [0],
                    "hours": [1],
                    "monthDays": [1, -1],
                    "monthlyOccurrences": [{"day": "Friday", "occurrence": -1}],
                },
            }
        ),
        _trigger({"frequency": "Hour", "interval": 1, **START}, "TumblingWindowTrigger"),
    ]
)


@pytest.mark.no_cover
@given(sound=_SOUND, data=st.data())
def test_whatever_a_document_holds_is_a_comment_or_valid(
    sound: dict[str, Any], data: st.DataObject
) -> None:
    """One value of a sound document is replaced by anything."""
    document = json.loads(json.dumps(sound))
    node, keys = document, list(document)
    while True:
        key = data.draw(st.sampled_from(keys))
        below = node[key]
        if not below or not isinstance(below, dict | list) or data.draw(st.booleans()):
            node[key] = data.draw(_VALUES)
            break
        node, keys = below, list(below) if isinstance(below, dict) else list(range(len(below)))
    try:
        imported = _imported(json.dumps(document))
    except CliError:  # its kind was replaced: it is of no known system
        return
    written = document_text(imported, checked(with_ids(imported.tables)), "file.json")
    assert parse(written).problems == ()
