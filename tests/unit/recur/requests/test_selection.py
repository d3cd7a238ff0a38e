"""Schedules are named, or all of them are meant, or those with a tag."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.ledger.state import ScheduleState, SubmitState
from orchestrator.model import Pause, Recurrence, Timing
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import Snapshot
from recur.requests.selection import Selection, paused

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TABLE = """
[schedules.{}]
cron = "0 2 * * *"
command = "true"
tags = {}
"""
DOCUMENT = parse(
    "".join(
        TABLE.format(id_, tags)
        for id_, tags in (
            ("close", '["finance"]'),
            ("report", '["finance", "daily"]'),
            ("sync", "[]"),
        )
    )
)


def state(*pauses: Pause) -> ScheduleState:
    timing = Timing(since=NOON - HOUR, recurrence=Recurrence(cron=("0 2 * * *",)))
    return ScheduleState(timings=(timing,), decided_until=NOON, pauses=pauses)


def snapshot(**states: ScheduleState) -> Snapshot:
    seen = {ScheduleId(id_): one for id_, one in states.items()}
    return Snapshot(state=SubmitState(schedules=seen), document=DOCUMENT, doubts=(), now=NOON)


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(named=["sync"]), ["sync"]),
        (Selection(named=["sync", "close", "sync"]), ["sync", "close"]),
        (Selection(everything=True), ["close", "report", "sync"]),
        (Selection(tags=["finance"]), ["close", "report"]),
        (Selection(tags=["daily", "finance"]), ["close", "report"]),
        (Selection(tags=["daily"]), ["report"]),
    ],
)
def test_each_schedule_that_is_meant_is_there_once(selection: Selection, meant: list[str]) -> None:
    """Named ones in their order, others by id."""
    selection.check()

    assert selection.schedules(snapshot()) == meant


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        (Selection(), "no schedule is chosen"),
        (Selection(named=["sync"], everything=True), "exclude each other"),
        (Selection(named=["sync"], tags=["daily"]), "exclude each other"),
        (Selection(everything=True, tags=["daily"]), "exclude each other"),
    ],
)
def test_nothing_is_guessed(selection: Selection, says: str) -> None:
    """Without a schedule none is meant, and not all; the message says which of the two is wrong."""
    with pytest.raises(CliError, match=says) as refused:
        selection.check()

    assert refused.value.code is Exit.USAGE


@pytest.mark.parametrize(
    ("selection", "next_step"),
    [
        (Selection(tags=["fin"]), "there are: daily, finance"),
        (Selection(named=["sync", "clsoe"]), "did you mean close?"),
    ],
)
def test_what_is_not_there_is_told(selection: Selection, next_step: str) -> None:
    """With what there is."""
    with pytest.raises(CliError) as refused:
        selection.schedules(snapshot())

    assert refused.value.code is Exit.REFUSED
    assert refused.value.next_step == next_step


def test_only_what_is_paused_has_to_be_resumed() -> None:
    """By an operator or after failures, right now; what no tick has told of may be."""
    over = Pause(since=NOON - HOUR, until=NOON - HOUR / 2, by="eva")
    ids = [ScheduleId(id_) for id_ in ("close", "report", "sync")]

    found = paused(
        snapshot(close=state(Pause(since=NOON - HOUR, by="eva")), report=state(over)), ids
    )

    assert found == ["close", "sync"]
