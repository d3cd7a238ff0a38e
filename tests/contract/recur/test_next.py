"""`recur next`, `validate` and `schema` as an operator types them, on real storage where it matters."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient
from jsonschema import Draft202012Validator

from orchestrator.ids import DOCUMENT, SUBMIT_STATE, ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Pause, Recurrence, Timing
from recur.errors import Exit
from tests.support.operator import Operator, operator

GOOD = """
[schedules.nightly]
cron = "30 2 * * *"
time_zone = "America/New_York"
command = "true"
run_timeout = "1h"

[schedules.closed]
cron = "0 9 * * *"
except = ["2030-03-08"]
command = "true"
run_timeout = "1h"
paused = true

[schedules.never]
cron = "0 9 * * *"
except = ["* 9 * * *"]
command = "true"

[schedules.broken]
cron = "0 99 * * *"
command = "true"
"""
_TRIES = 5
NIGHTLY = ScheduleId("nightly")


@pytest.fixture
def nobody(tmp_path: Path) -> Operator:
    """Return somebody without any deployment."""
    return operator(tmp_path)


def written(folder: Path, text: str = GOOD) -> str:
    path = folder / "schedules.toml"
    path.write_text(text)
    return str(path)


def utc(told: list[dict[str, str]]) -> list[str]:
    return [one["utc"] for one in told]


def test_a_document_need_not_be_in_force(nobody: Operator, tmp_path: Path) -> None:
    """Nor need there be a deployment; other tables of it may even be invalid."""
    file = written(tmp_path)

    told = nobody.recur(
        "--json", "next", "nightly", "--file", file, "-n", "2", "--from", "2030-03-09"
    )

    assert told.code == Exit.DONE
    assert told.json["time_zone"] == "America/New_York"
    assert told.json["occurrences"] == [
        {
            "wall": "2030-03-09T02:30:00",
            "offset": "-05:00",
            "utc": "2030-03-09T07:30:00Z",
            "runs": True,
            "notes": [],
        },
        {
            "wall": "2030-03-10T03:00:00",
            "offset": "-04:00",
            "utc": "2030-03-10T07:00:00Z",
            "runs": True,
            "notes": ["shifted from 02:30"],
        },
    ]


def test_pauses_in_force_are_shown(someone: Operator, ledger: ContainerClient) -> None:
    """By whom, until when and why; what is due after the pause runs."""
    ledger.upload_blob(DOCUMENT, GOOD)
    begun = datetime(2030, 6, 1, tzinfo=UTC)
    pause = Pause(since=begun, until=begun + timedelta(days=1), by="jane", note="move of the base")
    timing = Timing(since=begun - timedelta(days=9), recurrence=Recurrence(cron=("30 2 * * *",)))
    state = ScheduleState(timings=(timing,), decided_until=begun, pauses=(pause,))
    ledger.upload_blob(SUBMIT_STATE, dump_submit(SubmitState(schedules={NIGHTLY: state})))

    told = someone.recur("--json", "next", "nightly", "-n", "2", "--from", "2030-06-01T00:00Z")
    shown = someone.recur("next", "nightly", "-n", "1", "--from", "2030-06-01T00:00Z")

    assert [(one["runs"], one["notes"]) for one in told.json["occurrences"]] == [
        (False, ["paused until 2030-06-02 00:00Z by jane: move of the base"]),
        (True, []),
    ]
    assert "paused until 2030-06-02 00:00Z by jane" in shown.out


def test_without_a_schedule_it_names_recur_status(nobody: Operator) -> None:
    """That shows every schedule in force; a document that need not be is listed by --file."""
    for option in ((), ("--from", "2030-06-01"), ("-n", "3")):
        told = nobody.recur("next", *option)

        assert told.code == Exit.USAGE
        assert "next: recur status shows every schedule in force" in told.err


def test_every_schedule_of_a_file_is_listed(nobody: Operator, tmp_path: Path) -> None:
    """Without a deployment, and so without what is known of runs."""
    command = ("next", "--file", written(tmp_path), "--from", "2030-03-09")
    shown = nobody.recur(*command, "--utc")

    assert shown.code == Exit.DONE
    assert shown.out.splitlines()[0].split() == ["SCHEDULE", "NEXT", "NOTE"]
    assert [line.split("  ")[0] for line in shown.out.splitlines()[1:]] == [
        *("broken", "closed", "never", "nightly")
    ]
    broken, closed, never, nightly = shown.out.splitlines()[1:]
    assert "its table is invalid, so nothing runs" in broken
    assert "paused by the document" in closed
    assert "not due within nine years" in never
    assert nightly == "nightly   2030-03-09 07:30Z"
    elsewhere = nobody.recur(*command, "--zone", "America/New_York").out.splitlines()[-1]
    assert elsewhere == "nightly   2030-03-09 02:30-05:00"


@pytest.mark.parametrize("option", [("-n", "3"), ("--compare", "gap=skip")])
def test_what_is_told_of_one_schedule_needs_its_id(
    nobody: Operator, tmp_path: Path, option: tuple[str, str]
) -> None:
    """The list has no place for it."""
    told = nobody.recur("next", *option, "--file", written(tmp_path))

    assert told.code == Exit.USAGE
    assert "-n and --compare need a SCHEDULE" in told.err


def test_a_document_that_decides_nothing_is_told_line_by_line(
    nobody: Operator, tmp_path: Path
) -> None:
    """As `recur validate` tells it, with one schedule and with all."""
    file = written(tmp_path, f"zone = 1\n{GOOD}")
    validated = nobody.recur("validate", file)

    for schedule in (("nightly",), ()):
        told = nobody.recur("next", *schedule, "--file", file)

        assert told.code == Exit.REFUSED
        assert told.err.splitlines()[:3] == validated.err.splitlines()[:3]
        assert "2 problem(s):" in told.err


def test_a_pause_of_the_document_and_exceptions_are_shown(nobody: Operator, tmp_path: Path) -> None:
    """Both, where both hold."""
    told = nobody.recur(
        *("--json", "next", "closed", "--file", written(tmp_path)),
        *("-n", "2", "--from", "2030-03-08"),
    )

    assert [one["notes"] for one in told.json["occurrences"]] == [
        ["excluded", "paused by the document"],
        ["paused by the document"],
    ]


def test_a_state_that_cannot_be_read_is_told(someone: Operator, ledger: ContainerClient) -> None:
    """The document alone then says what is due."""
    ledger.upload_blob(DOCUMENT, GOOD)
    ledger.upload_blob(SUBMIT_STATE, b"{")

    told = someone.recur("next", "nightly", "-n", "1", "--from", "2030-06-01")

    assert told.code == Exit.DONE
    assert "ignored: " in told.out
    assert "2030-06-01 02:30  -04:00" in told.out


def test_nothing_is_due_before_its_start(nobody: Operator, tmp_path: Path) -> None:
    """The start itself may be an occurrence."""
    text = (
        '[schedules.nightly]\ncron = "0 9 * * *"\ncommand = "true"\nstart = 2030-03-08T09:00:00Z\n'
    )

    told = nobody.recur(
        *("--json", "next", "nightly", "--file", written(tmp_path, text)),
        *("-n", "1", "--from", "2029-01-01"),
    )

    assert utc(told.json["occurrences"]) == ["2030-03-08T09:00:00Z"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nigthly",), Exit.REFUSED, "did you mean nightly?"),
        (("broken",), Exit.REFUSED, "[schedules.broken]: cron"),
        (("leap", "--from", "2033-01-01"), Exit.FOUND, "not due within nine years"),
        (("nightly", "--from", "soon"), Exit.USAGE, "--from 'soon' is not a time"),
        (("nightly", "--from", "9999-12-31"), Exit.USAGE, "is out of range"),
        (("nightly", "--from", "2030-03-10T02:15"), Exit.USAGE, "does not exist"),
        (("nightly", "--compare", "gap=first"), Exit.USAGE, "gap cannot be 'first'"),
        (("nightly", "--compare", "skip"), Exit.USAGE, "write gap=auto|shift|skip"),
    ],
)
def test_what_cannot_be_shown_is_told_with_what_to_do(
    nobody: Operator, tmp_path: Path, arguments: tuple[str, ...], code: Exit, says: str
) -> None:
    """Of a file."""
    sunday_29_february = '[schedules.leap]\ncron = "0 9 29 2 */7"\ncommand = "true"\n'
    file = written(tmp_path, GOOD + sunday_29_february)

    told = nobody.recur("next", *arguments, "--file", file)

    assert told.code == code
    assert says in told.err
    assert "  next: " in told.err


def test_what_is_not_in_force_is_told(someone: Operator, ledger: ContainerClient) -> None:
    """No document, no such schedule, no table that is valid."""
    nothing = someone.recur("next", "nightly")
    ledger.upload_blob(DOCUMENT, GOOD)
    other = someone.recur("next", "other")
    broken = someone.recur("next", "broken")

    assert "recur apply" in nothing.err
    assert "there is no schedule 'other'" in other.err
    assert "the table of 'broken' in the document in force is invalid" in broken.err
    assert {nothing.code, other.code, broken.code} == {Exit.REFUSED}


def test_two_policies_are_compared(nobody: Operator, tmp_path: Path) -> None:
    """Lines of one moment side by side, those that differ marked; else the next that differs."""
    file = written(tmp_path)
    some = ("--json", "next", "nightly", "--file", file, "--compare", "gap=skip,overlap=both")

    near = nobody.recur(*some, "-n", "2", "--from", "2030-03-09").json
    far = nobody.recur(*some, "-n", "1", "--from", "2030-03-11").json

    assert [row["differs"] for row in near["rows"]] == [False, True]
    assert near["rows"][1]["there"]["notes"] == ["02:30 does not exist"]
    assert near["rows"][1]["there"]["utc"] is None
    assert near["next_difference"] is None
    assert [row["differs"] for row in far["rows"]] == [False]
    assert far["next_difference"] == "2031-03-09T07:00:00Z"


def test_the_occurrence_of_this_moment_is_on_neither_side(nobody: Operator, tmp_path: Path) -> None:
    """Both policies are shown from the same instant on."""
    some = ("--json", "next", "nightly", "-n", "2", "--compare", "gap=auto", "--file")
    for _ in range(_TRIES):
        due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        text = f'every = "1m"\nanchor = {due:%Y-%m-%dT%H:%M:%SZ}\ncommand = "true"\n'
        file = written(tmp_path, f"[schedules.nightly]\n{text}")
        time.sleep((due - datetime.now(UTC)).total_seconds())
        told = nobody.recur(*some, file).json
        if datetime.fromisoformat(told["from"]).replace(microsecond=0) == due:
            break
    else:
        pytest.fail("the command never looked in the second of an occurrence")

    assert [row["differs"] for row in told["rows"]] == [False, False]


def test_a_valid_document_is_told_to_be(nobody: Operator, tmp_path: Path) -> None:
    """With its notes, for people and programs; the exit code does not change with notes."""
    text = GOOD.partition("[schedules.broken]")[0]
    file = written(tmp_path, text)

    told = nobody.recur("validate", file)
    programs = nobody.recur("--json", "validate", file)

    assert told.code == programs.code == Exit.DONE
    assert "is valid: 3 schedule(s)" in told.out
    assert "(never-due)" in told.out
    assert programs.json["schedules"] == ["nightly", "closed", "never"]
    assert [note["code"] for note in programs.json["notes"]] == ["never-due"]


@pytest.mark.parametrize(
    ("text", "says", "key"),
    [
        (GOOD, "1 problem(s)", "cron"),
        ("[schedules.a\n", "not TOML", None),
        ("schedule = 1\n", "unknown", "schedule"),
    ],
)
def test_an_invalid_document_is_refused(
    nobody: Operator, tmp_path: Path, text: str, says: str, key: str | None
) -> None:
    """With every problem, in words and for programs."""
    file = written(tmp_path, text)

    told = nobody.recur("validate", file)
    programs = nobody.recur("--json", "validate", file)

    assert told.code == programs.code == Exit.REFUSED
    assert says in told.err
    assert [one["key"] for one in programs.json["problems"]] == [key]


def test_the_schema_is_one_json_document(nobody: Operator) -> None:
    """With --json and without."""
    plain, programs = nobody.recur("schema"), nobody.recur("--json", "schema")

    Draft202012Validator.check_schema(json.loads(plain.out))
    assert json.loads(plain.out) == programs.json
