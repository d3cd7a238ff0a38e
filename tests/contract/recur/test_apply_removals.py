"""`recur apply` where schedules in force would go: it asks, names what runs, or leaves them alone."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.ids import DOCUMENT, RunId, ScheduleId
from orchestrator.ledger.record import dump, metadata
from orchestrator.ledger.state import ScheduleState, SubmitState, dump_submit
from orchestrator.model import Timing
from recur.errors import Exit
from tests.support.hourly import HOURLY, NOON
from tests.support.operator import Operator
from tests.support.records import RECORD
from tests.support.terminal import at_a_terminal, read_until

NIGHTLY = '[schedules.nightly]\ncron = "0 2 * * *"\ncommand = "true"\n'
OTHER = '# The other one.\n[schedules.other]\ncron = "0 9 * * *"\ncommand = "false"\n'
BOTH = f"# All of it.\n\n[defaults]\nretries = {{ max = 1 }}\n\n{NIGHTLY}\n{OTHER}"
RUN = RECORD.run_id


def written(folder: Path, text: str) -> str:
    path = folder / "schedules.toml"
    path.write_text(text)
    return str(path)


@pytest.fixture
def applied(someone: Operator, ledger: ContainerClient, tmp_path: Path) -> Operator:
    """Return somebody who has applied two schedules; one of them has an open run."""
    assert someone.recur("apply", written(tmp_path, BOTH)).code == Exit.DONE
    elsewhere = replace(RECORD, run_id=RunId("nightly-b-20260601T120000Z"))
    for record in (RECORD, elsewhere):
        blob = ids.open_blob(record.run_id)
        ledger.upload_blob(blob, dump(record), metadata=metadata(record))
    return someone


def in_force(ledger: ContainerClient) -> str:
    return ledger.download_blob(DOCUMENT).readall().decode()


@pytest.mark.parametrize("program", [(), ("--json",)])
def test_a_removal_off_a_terminal_takes_a_word_more(
    applied: Operator, ledger: ContainerClient, tmp_path: Path, program: tuple[str, ...]
) -> None:
    """With the schedules that would go; what runs of them is shown before."""
    told = applied.recur(*program, "apply", written(tmp_path, OTHER))

    assert told.code == Exit.USAGE
    removed = f"this would remove 1 schedule(s) in force: nightly (open: {RUN})"
    assert f"{removed}; nothing was applied" in told.err
    assert "--remove" in told.err
    assert in_force(ledger) == BOTH
    if program:
        changes = {one["schedule"]: one for one in told.json["changes"]}
        assert changes["nightly"]["open_runs"] == [RUN]
    else:
        assert f"nightly: removed\n  its open runs go on: {RUN}\n" in told.out


def test_a_removal_that_is_meant_is_done(
    applied: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """A dry run shows it and asks nothing."""
    file = written(tmp_path, OTHER)

    dry = applied.recur("apply", file, "--dry-run")
    told = applied.recur("apply", file, "--remove")

    assert (dry.code, told.code) == (Exit.DONE, Exit.DONE)
    assert f"its open runs go on: {RUN}" in dry.out
    assert in_force(ledger) == OTHER


def test_going_back_to_fewer_schedules_is_a_removal(
    applied: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """So that --revert takes nobody by surprise."""
    third = '[schedules.third]\ncron = "0 9 * * *"\ncommand = "third"\n'
    applied.recur("apply", written(tmp_path, BOTH + third))

    refused = applied.recur("apply", "--revert", "1")
    told = applied.recur("apply", "--revert", "1", "--remove")

    assert refused.code == Exit.USAGE
    assert "third" in refused.err
    assert told.code == Exit.DONE
    assert in_force(ledger) == BOTH


@pytest.mark.parametrize(("answer", "after"), [(b"n\n", BOTH), (b"y\n", OTHER)])
def test_on_a_terminal_it_asks(
    applied: Operator, ledger: ContainerClient, tmp_path: Path, answer: bytes, after: str
) -> None:
    """After it has shown what changes; a no leaves everything as it is."""
    with at_a_terminal(applied, "apply", written(tmp_path, OTHER)) as (terminal, process):
        question = f"remove 1 schedule(s) in force: nightly (open: {RUN})? [y/N]"
        shown = read_until(terminal, question)
        os.write(terminal, answer)
        read_until(terminal, "nothing was applied" if after == BOTH else "applied as version 2")

        assert process.wait() == (Exit.FOUND if after == BOTH else Exit.DONE)
    assert f"its open runs go on: {RUN}" in shown
    assert in_force(ledger) == after


def test_a_broken_document_in_force_hides_no_schedule(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """What ticks know of is in force all the same."""
    timing = Timing(since=NOON, recurrence=HOURLY)
    gone = Timing(since=NOON, recurrence=None, removed=True)
    state = SubmitState(
        schedules={
            ScheduleId("nightly"): ScheduleState(timings=(timing,), decided_until=NOON),
            ScheduleId("other"): ScheduleState(timings=(timing,), decided_until=NOON),
            ScheduleId("past"): ScheduleState(timings=(timing, gone), decided_until=NOON),
        }
    )
    ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(state))
    ledger.upload_blob(DOCUMENT, b"[schedules")

    refused = someone.recur("apply", written(tmp_path, OTHER))
    whole = someone.recur("apply", written(tmp_path, BOTH))

    assert refused.code == Exit.USAGE
    assert "in force: nightly;" in refused.err
    assert whole.code == Exit.DONE


def test_a_new_name_is_noted(applied: Operator, tmp_path: Path) -> None:
    """With what it means for history and for the run that is open."""
    file = written(tmp_path, BOTH.replace("schedules.nightly", "schedules.report"))

    shown = applied.recur("apply", file, "--dry-run").out
    told = applied.recur("--json", "apply", file, "--remove").json

    assert (
        "report: added\n"
        "  it has the command and timing of nightly, which this document removes: if this is a renamed schedule, its "
        "history starts again\n"
        f"  open runs of nightly go on: {RUN}\n"
    ) in shown
    (report,) = [one for one in told["changes"] if one["schedule"] == "report"]
    assert (report["renamed_from"], report["same"]) == ("nightly", ["command", "timing"])


def test_only_the_tables_of_the_file_are_replaced(
    applied: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """All others stay, with their comments; [defaults] in force hold for what is new."""
    new = "# By eva.\n" + NIGHTLY.replace("0 2", "0 3")
    third = '[schedules.third]\ncron = "0 9 * * *"\ncommand = "third"\n'
    file = written(tmp_path, f"{new}\n{third}")

    told = applied.recur("apply", file, "--only")
    again = applied.recur("apply", file, "--only")

    assert told.code == Exit.DONE, told.err
    assert in_force(ledger) == f"{BOTH.replace(NIGHTLY, new)}\n{third}"
    assert 'nightly: changed\n  cron: "0 2 * * *" -> "0 3 * * *"' in told.out
    assert "third: added" in told.out
    assert "other" not in told.out
    assert "they inherit from [defaults] in force" in told.out
    assert "nothing to change" in again.out


def test_only_never_changes_what_stays(
    applied: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """Another [defaults] would; an invalid table is refused as ever."""
    defaults = applied.recur(
        "apply", written(tmp_path, f"[defaults]\nretries = {{ max = 2 }}\n{NIGHTLY}"), "--only"
    )
    invalid = applied.recur("apply", written(tmp_path, NIGHTLY.replace("0 2", "0 99")), "--only")
    assert "stay as they are" not in invalid.out

    assert (defaults.code, invalid.code) == (Exit.REFUSED, Exit.REFUSED)
    assert "[defaults]" in defaults.err
    assert "[schedules.nightly]: cron" in invalid.err
    assert in_force(ledger) == BOTH


def test_only_begins_an_empty_ledger(
    someone: Operator, ledger: ContainerClient, tmp_path: Path
) -> None:
    """There is nothing to keep: the file is the document."""
    assert someone.recur("apply", written(tmp_path, BOTH), "--only").code == Exit.DONE
    assert in_force(ledger) == BOTH


@pytest.mark.parametrize("option", ["--remove", "--empty"])
def test_only_removes_nothing(applied: Operator, tmp_path: Path, option: str) -> None:
    """So it takes no option that says that it may."""
    told = applied.recur("apply", written(tmp_path, NIGHTLY), "--only", option)

    assert told.code == Exit.USAGE
    assert "--only takes a FILE and removes nothing" in told.err
