"""`recur apply` on real storage: nothing invalid gets in, nothing of somebody else's is lost."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from orchestrator.ids import DOCUMENT
from orchestrator.passes import Application
from recur.errors import CliError, Exit
from recur.schedules.put_in_force import open_ledger, put_in_force
from recur.shared_options import hoisted
from recur.target import find_target
from tests.conftest import Containers
from tests.support.operator import Operator, operator

ROOT = Path(__file__).parents[3]
GOOD = """
[schedules.nightly]
cron = "30 2 * * *"
time_zone = "America/New_York"
command = "true"
start = 2030-03-08T00:00:00Z
"""


def written(folder: Path, text: str) -> str:
    path = folder / "schedules.toml"
    path.write_text(text)
    return str(path)


def test_a_valid_document_is_put_in_force(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """With what changes, and when it is due next: on the wall, where clocks change."""
    told = someone.recur("apply", written(tmp_path, GOOD))

    assert told.code == Exit.DONE
    assert "added" in told.out
    assert "2030-03-08 02:30-05:00" in told.out
    assert ledger.download_blob(DOCUMENT).readall().decode() == GOOD


def test_the_second_time_there_is_nothing_to_change(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """The blob is not written again, so no tick takes it for a change."""
    file = written(tmp_path, GOOD)
    someone.recur("apply", file)
    before = ledger.get_blob_client(DOCUMENT).get_blob_properties().etag

    told = someone.recur("apply", file)

    assert told.code == Exit.DONE
    assert "nothing to change" in told.out
    assert ledger.get_blob_client(DOCUMENT).get_blob_properties().etag == before


def test_what_becomes_of_the_past_is_said_first(someone: Operator, tmp_path: Path) -> None:
    """A start long ago: one run at once, and millions written off; by a dry run too."""
    table = '[schedules.minutely]\ncron = "* * * * *"\ncommand = "true"\n'
    long_ago = written(tmp_path, f"{table}start = 2000-01-01T00:00:00Z\n")

    told = someone.recur("--json", "apply", long_ago, "--dry-run")
    said = someone.recur("apply", long_ago, "--dry-run")

    past = told.json["past"]["minutely"]
    assert len(past["runs"]) == 1
    assert past["missed"] > 13_000_000
    assert past["first"] == "2000-01-01T00:00:00Z"
    (line,) = [one for one in said.out.splitlines() if "catch-up:" in one]
    assert line.startswith("minutely: catch-up: 1 run(s) start at once (")
    assert " occurrence(s) are missed (2000-01-01 00:00Z to " in line
    young = someone.recur("--json", "apply", written(tmp_path, table))
    assert young.json["past"] == {}


def test_the_past_is_judged_by_what_was_in_force_then(someone: Operator, tmp_path: Path) -> None:
    """Also by a version that no tick has taken over: what it paused does not start at once."""
    table = '[schedules.hourly]\ncron = "0 * * * *"\ncommand = "true"\n'
    table += f"start = {datetime.now(UTC) - timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}\n"

    first = someone.recur("--json", "apply", written(tmp_path, table), "--dry-run")
    someone.recur("apply", written(tmp_path, f"{table}paused = true\n"))
    second = someone.recur("--json", "apply", written(tmp_path, table))

    assert len(first.json["past"]["hourly"]["runs"]) == 1
    assert second.json["applied"]
    assert second.json["past"] == {}


def test_changes_are_shown_key_by_key(someone: Operator, tmp_path: Path) -> None:
    """What was added, changed and removed; as JSON for programs."""
    someone.recur("apply", written(tmp_path, GOOD))
    changed = GOOD.replace("30 2 * * *", "0 3 * * *")
    other = '[schedules.other]\ncron = "0 0 * * *"\ncommand = "true"\n'

    told = someone.recur("--json", "apply", written(tmp_path, changed + other), "--next", "1")

    kinds = {change["schedule"]: change["kind"] for change in told.json["changes"]}
    assert kinds == {"nightly": "changed", "other": "added"}
    (nightly, _) = told.json["changes"]
    assert nightly["keys"] == [["cron", '"30 2 * * *"', '"0 3 * * *"']]
    assert [one["local"] for one in told.json["next"]["nightly"]] == ["2030-03-08T03:00:00-05:00"]

    removed = someone.recur("--json", "apply", written(tmp_path, other), "--remove")
    kinds = {change["schedule"]: change["kind"] for change in removed.json["changes"]}
    assert kinds == {"nightly": "removed", "other": "unchanged"}


def test_every_value_is_shown_as_the_document_spells_it(someone: Operator, tmp_path: Path) -> None:
    """Lists, durations, times, inner tables; a secret is hidden; what is gone is none."""
    someone.recur("apply", written(tmp_path, GOOD))
    changed = GOOD.replace("30 2 * * *", "0 0 2 * * *").replace("2030-03-08", "2030-03-09")
    changed += """
except = [2030-12-25, "* * * 8 *"]
dst = { gap = "skip" }
environment = { LEVEL = "info", DB_PASSWORD = "hunter2" }
catch_up = { window = "2d" }
retries = { max = 2, on = ["failed"] }
outputs = ["a/*.csv"]
pause_after_failures = 5
run_timeout = "90m"
"""

    told = someone.recur("--json", "apply", written(tmp_path, changed), "--next", "1")
    shown = someone.recur("apply", written(tmp_path, GOOD)).out

    (nightly,) = told.json["changes"]
    assert nightly["keys"] == [
        ["cron", '"30 2 * * *"', '"0 2 * * *"'],
        ["except", "[]", '["2030-12-25", "* * * 8 *"]'],
        ["dst.gap", '"auto"', '"skip"'],
        ["environment.DB_PASSWORD", "(none)", '"(hidden)"'],
        ["environment.LEVEL", "(none)", '"info"'],
        ["catch_up.window", '"P1D"', '"P2D"'],
        ["run_timeout", '"PT6H"', '"PT1H30M"'],
        ["retries.max", "0", "2"],
        ["retries.on", '["lost", "never_started"]', '["failed"]'],
        ["outputs", "[]", '["a/*.csv"]'],
        ["pause_after_failures", "(none)", "5"],
        ["start", "2030-03-08T00:00:00Z", "2030-03-09T00:00:00Z"],
    ]
    assert "  pause_after_failures: 5 -> (none)\n" in shown
    assert "hunter2" not in shown


def test_a_secret_that_changes_is_a_change(someone: Operator, tmp_path: Path) -> None:
    """It is told that it does, and neither value is."""
    before = GOOD + 'environment = { DB_PASSWORD = "hunter2", URL = "db", OLD_TOKEN = "xyzzy" }\n'
    after = GOOD + 'environment = { DB_PASSWORD = "hunter3", URL = "x://me:hunter4@db" }\n'
    someone.recur("apply", written(tmp_path, before))

    same = someone.recur("--json", "apply", written(tmp_path, f"{before}# a comment\n"))
    told = someone.recur("--json", "apply", written(tmp_path, after), "--dry-run")
    shown = someone.recur("apply", written(tmp_path, after)).out

    assert [change["kind"] for change in same.json["changes"]] == ["unchanged"]
    (nightly,) = told.json["changes"]
    assert nightly["keys"] == [
        ["environment.DB_PASSWORD", '"(hidden)"', '"(hidden, another value)"'],
        ["environment.URL", '"db"', '"(hidden)"'],
        ["environment.OLD_TOKEN", '"(hidden)"', "(none)"],
    ]
    assert "nightly: changed" in shown
    assert not any(secret in told.out + shown for secret in ("hunter", "xyzzy"))


def test_what_may_not_be_meant_is_told_and_applied(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """Notes keep nothing from being put in force."""
    text = GOOD.replace("30 2 * * *", "30 2 13 * FRI")

    told = someone.recur("apply", written(tmp_path, text), "--dry-run")
    applied = someone.recur("--json", "apply", written(tmp_path, text))

    assert "2 note(s)" in told.out
    assert "(day-or-weekday)" in told.out
    assert applied.json["applied"] is True
    assert [note["code"] for note in applied.json["notes"]] == [
        "day-or-weekday",
        "window-under-period",
    ]
    assert ledger.get_blob_client(DOCUMENT).exists()


def test_occurrences_that_are_left_out_are_not_announced(someone: Operator, tmp_path: Path) -> None:
    """The next ones are those that run."""
    text = GOOD + 'except = ["2030-03-08"]\n'

    told = someone.recur("--json", "apply", written(tmp_path, text), "--next", "1")

    assert [one["local"] for one in told.json["next"]["nightly"]] == ["2030-03-09T02:30:00-05:00"]


def test_problems_are_told_to_programs_one_by_one(someone: Operator, tmp_path: Path) -> None:
    """With table, key and message, those of [defaults] as well."""
    bad = "[defaults]\ncolour = 1\n" + GOOD.replace("30 2", "99 2")

    told = someone.recur("--json", "apply", written(tmp_path, bad))

    assert told.code == Exit.REFUSED
    assert [(one["table"], one["key"]) for one in told.json["problems"]] == [
        ("defaults", "colour"),
        ("nightly", "cron"),
    ]


def test_a_dry_run_uploads_nothing(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """It shows the same."""
    told = someone.recur("apply", written(tmp_path, GOOD), "--dry-run")

    assert told.code == Exit.DONE
    assert "dry run" in told.out
    assert not ledger.get_blob_client(DOCUMENT).exists()


def test_an_invalid_document_is_refused_with_every_problem(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """What is in force stays in force."""
    someone.recur("apply", written(tmp_path, GOOD))
    bad = GOOD.replace("America/New_York", "America/New_Yrok").replace("30 2", "99 2")

    told = someone.recur("apply", written(tmp_path, bad))

    assert told.code == Exit.REFUSED
    assert "2 problem(s)" in told.err
    assert "did you mean 'America/New_York'" in told.err
    assert ledger.download_blob(DOCUMENT).readall().decode() == GOOD


@pytest.mark.parametrize("broken", [b"this is [broken", b"\xff", b"# another comment\n"])
def test_what_is_in_force_is_told_by_its_bytes(
    someone: Operator, ledger: ContainerClient, tmp_path: Path, broken: bytes
) -> None:
    """A document without schedules replaces a broken one, and another comment."""
    ledger.upload_blob(DOCUMENT, broken)

    told = someone.recur("--json", "apply", written(tmp_path, "# nothing runs\n"), "--empty")

    assert told.json["applied"] is True
    assert ledger.download_blob(DOCUMENT).readall() == b"# nothing runs\n"


def test_a_document_without_schedules_is_no_slip_of_the_hand(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """An empty file ends everything, so it takes a word more."""
    someone.recur("apply", written(tmp_path, GOOD))

    told = someone.recur("apply", written(tmp_path, ""))

    assert told.code == Exit.REFUSED
    assert "--empty" in told.err
    assert ledger.download_blob(DOCUMENT).readall().decode() == GOOD


def test_shared_options_may_stand_anywhere() -> None:
    """As people type them."""
    assert hoisted(["doctor", "--json"]) == ["--json", "doctor"]
    assert hoisted(["apply", "x", "--settings", "s", "--next", "1"]) == [
        *("--settings", "s"),
        *("apply", "x", "--next", "1"),
    ]
    assert hoisted(["doctor", "--settings"]) == ["--settings"], "the error names what lacks a value"


def test_a_byte_order_mark_is_taken_for_what_it_is(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """Some editors write one."""
    path = tmp_path / "x.toml"
    path.write_text(GOOD, encoding="utf-8-sig")

    assert someone.recur("apply", str(path)).code == Exit.DONE
    assert ledger.download_blob(DOCUMENT).readall().decode() == GOOD


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[schedules.a\n"])
def test_a_file_that_is_no_document_is_refused(
    someone: Operator, tmp_path: Path, content: bytes | None
) -> None:
    """Missing, not UTF-8, not TOML: by the file's name, with what to do."""
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)

    told = someone.recur("--json", "apply", str(path))

    assert told.code == Exit.REFUSED
    assert str(path) in told.json["error"]["message"]
    assert told.json["error"]["next"]


def test_a_document_of_somebody_else_is_not_overwritten(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """One that came between what was compared and the upload."""
    someone.recur("apply", written(tmp_path, GOOD))
    compared = ledger.get_blob_client(DOCUMENT).get_blob_properties().etag
    theirs = GOOD.replace("30 2", "0 4")
    ledger.upload_blob(DOCUMENT, theirs, overwrite=True)

    given = Application(data=GOOD.replace("30 2", "0 5").encode(), by="someone")
    for etag in (compared, None):
        with pytest.raises(CliError) as error:
            put_in_force(partial(open_ledger, find_target(someone.settings)), given, etag)
        assert error.value.code is Exit.CONFLICT

    assert ledger.download_blob(DOCUMENT).readall().decode() == theirs


def test_a_deployment_without_its_container_is_told(containers: Containers, tmp_path: Path) -> None:
    """With what is to be deployed first."""
    someone = operator(
        tmp_path,
        DATA_STORAGE_CONNECTION_STRING=containers.connection_string,
        LEDGER_CONTAINER="nothing-here",
    )

    told = someone.recur("apply", written(tmp_path, GOOD))

    assert told.code == Exit.FOUND
    assert "no container 'nothing-here'" in told.err


def test_a_settings_file_speaks_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell says of another deployment does not mix with it."""
    monkeypatch.setenv("BATCH_ACCOUNT_URL", "https://production.example")
    monkeypatch.setenv("LEDGER_CONTAINER", "production")
    someone = operator(tmp_path, BATCH_ACCOUNT_URL="http://127.0.0.1:9")

    target = find_target(someone.settings)

    assert target.values == {"BATCH_ACCOUNT_URL": "http://127.0.0.1:9"}
    assert find_target(None).values["BATCH_ACCOUNT_URL"] == "https://production.example"


def test_settings_that_are_missing_are_told(tmp_path: Path) -> None:
    """By name, and where they should have been."""
    told = operator(tmp_path).recur("apply", written(tmp_path, GOOD))

    assert told.code == Exit.REFUSED
    assert "DATA_STORAGE_URL is missing" in told.err
    assert "settings.json" in told.err


def test_who_stops_reading_stops_nothing(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """As in `recur apply FILE | head -1`: the document is in force all the same."""
    reads, writes = os.pipe()
    os.close(reads)
    command = ["--settings", str(someone.settings), "apply", written(tmp_path, GOOD)]

    done = subprocess.run(
        [sys.executable, "-m", "recur", *command], stdout=writes, cwd=ROOT, check=False
    )

    os.close(writes)
    assert done.returncode == Exit.DONE
    assert ledger.download_blob("schedules.toml").readall().decode() == GOOD


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("runs", "--json", "--outcome", "faild"), "faild"),
        (("--json", "show"), "Missing argument"),
        (("--json", "apply"), "name a FILE"),
        (("runs", "--colour", "--json"), "--colour"),
        (("--json", "run"), "No such command"),
    ],
)
def test_a_wrong_line_is_told_to_programs_too(line: tuple[str, ...], says: str) -> None:
    """With --json stdout holds one document, whatever is wrong."""
    told = subprocess.run(
        [sys.executable, "-m", "recur", *line],
        capture_output=True,
        cwd=ROOT,
        check=False,
        text=True,
    )

    error = json.loads(told.stdout)["error"]
    assert told.returncode == error["code"] == Exit.USAGE
    assert says in error["message"]
    assert error["next"].endswith("--help")


def test_changes_of_prices_are_shown(someone: Operator, tmp_path: Path) -> None:
    """Key by key, beside schedules that do not change by them."""
    before = '[prices]\ncurrency = "USD"\ndedicated = 0.1\nspot = 0.05\n'
    after = '[prices]\ncurrency = "USD"\ndedicated = 0.2\n[prices.pools.big]\ndedicated = 1\n'
    someone.recur("apply", written(tmp_path, GOOD + before))

    told = someone.recur("--json", "apply", written(tmp_path, GOOD + after), "--dry-run")

    assert told.json["prices"] == [
        ["dedicated", "0.1", "0.2"],
        ["pools.big.dedicated", "(none)", "1.0"],
        ["spot", "0.05", "(none)"],
    ]
    assert [change["kind"] for change in told.json["changes"]] == ["unchanged"]
    shown = someone.recur("apply", written(tmp_path, GOOD + after))
    assert "prices.dedicated: 0.1 -> 0.2" in shown.out.splitlines()


def test_people_read_notes_on_what_changes(someone: Operator, tmp_path: Path) -> None:
    """What stays is counted, so that a note is not read each time; programs get all of them."""
    text = GOOD.replace("30 2 * * *", "30 2 13 * FRI")
    other = '\n[schedules.other]\ncron = "0 9 * * *"\ncommand = "true"\n'
    assert someone.recur("apply", written(tmp_path, text)).code == Exit.DONE

    told = someone.recur("apply", written(tmp_path, text + other), "--dry-run")
    programs = someone.recur("--json", "apply", written(tmp_path, text + other), "--dry-run")

    assert "(day-or-weekday)" not in told.out
    assert "2 note(s) on what does not change: recur validate shows them" in told.out
    assert "day-or-weekday" in {note["code"] for note in programs.json["notes"]}
