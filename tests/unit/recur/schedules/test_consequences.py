"""What follows from changes: a new name is noted, and the runs of what is removed are named."""

from dataclasses import replace

import pytest

from orchestrator.document.parse import parse
from orchestrator.ids import RunId, ScheduleId
from orchestrator.model import Pause
from recur.schedules.consequences import (
    consequences,
    named,
    with_open_runs,
    with_pauses,
    with_renames,
)
from recur.schedules.document_changes import Change, changes
from tests.support.hourly import HOUR, NOON, STATE


def table(name: str, *, cron: str = "0 2 * * *", command: str = "true") -> str:
    return f'[schedules.{name}]\ncron = "{cron}"\ncommand = "{command}"\n'


def found(before: str, after: str) -> dict[str, Change]:
    old, new = parse(before), parse(after)
    renamed = with_renames(tuple(changes(old, new)), old, new)
    return {one.schedule: one for one in renamed}


@pytest.mark.parametrize(
    ("cron", "command", "same"),
    [
        ("0 2 * * *", "true", ("command", "timing")),
        ("0 3 * * *", "true", ("command",)),
        ("0 2 * * *", "false", ("timing",)),
        ("0 3 * * *", "false", ()),
    ],
)
def test_a_schedule_with_the_command_or_timing_of_one_that_is_gone_may_be_renamed(
    cron: str, command: str, same: tuple[str, ...]
) -> None:
    """One that is alike in neither is another schedule."""
    one = found(table("nightly"), table("report", cron=cron, command=command))["report"]

    assert one.same == same
    assert one.renamed_from == ("nightly" if same else None)


def test_a_copy_beside_the_old_one_is_no_rename() -> None:
    """Nor is a removal alone."""
    both = found(table("nightly"), table("nightly") + table("report"))
    gone = found(table("nightly") + table("report"), table("report"))

    assert both["report"].renamed_from is None
    assert gone["report"].renamed_from is None


def test_of_several_the_likeliest_are_taken_for_renamed_once_each() -> None:
    """Alike in both, then in the command, then with a name that begins alike."""
    before = (
        table("aa-old", command="a") + table("bb-old", command="b") + table("cc", cron="0 9 * * *")
    )
    after = table("bb-new", command="c") + table("aa-new", command="a") + table("zz", command="b")

    changed = found(before, after)

    pairs = {id_: one.renamed_from for id_, one in changed.items() if one.kind == "added"}
    assert pairs == {"aa-new": "aa-old", "zz": "bb-old", "bb-new": None}


def test_open_runs_are_those_of_the_schedule_and_of_no_other() -> None:
    """An id that begins alike is another schedule; triggered runs count."""
    runs = [
        RunId("nightly-20261130T020000Z"),
        RunId("nightly-b-20261130T020000Z"),
        RunId("nightly-m0123456789abcdef"),
    ]
    changed = with_open_runs(tuple(found(table("nightly"), table("report")).values()), runs)
    lines = {str(one.schedule): [*consequences(one, changed)] for one in changed}

    assert lines["nightly"] == [f"its open runs go on: {runs[0]}, {runs[2]}"]
    assert lines["report"] == [
        (
            "it has the command and timing of nightly, which this document removes: if this is a renamed schedule, "
            "its history starts again"
        ),
        f"open runs of nightly go on: {runs[0]}, {runs[2]}",
    ]
    assert [*consequences(Change(schedule=changed[0].schedule, kind="removed"), ())] == [
        "it has no open run"
    ]


def test_a_pause_does_not_go_over_to_the_new_name() -> None:
    """One that holds is named, for else the new one would run by surprise; one that is over is not."""
    changed = tuple(found(table("nightly"), table("report")).values())
    past = Pause(since=NOON - 2 * HOUR, until=NOON, by="tom")
    holds = Pause(since=NOON - HOUR, by="eva")

    def lines(*pauses: Pause) -> list[str]:
        states = {ScheduleId("nightly"): replace(STATE, pauses=pauses)}
        told = with_pauses(changed, states, NOON)
        return [line for one in told for line in consequences(one, told) if "pause" in line]

    assert lines(past, holds) == [
        "the pause of nightly by eva does not apply to it: recur pause report"
    ]
    assert lines(past) == lines() == []
    assert with_pauses(changed, {}, NOON) == changed


def test_many_names_are_counted() -> None:
    """Ten are enough for a sentence."""
    names = [f"s{n:02}" for n in range(12)]

    assert named(names[:10]) == ", ".join(names[:10])
    assert named(names) == f"{', '.join(names[:10])} and 2 more"
