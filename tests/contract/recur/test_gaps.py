"""`recur gaps` on real storage: none after real ticks, and each one that somebody makes."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator import ids
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Kind, dump
from orchestrator.ledger.state import dump_submit
from recur.errors import Exit
from recur.ledger_reader.record_blobs import KEPT
from tests.support.deployment import operator_of
from tests.support.history_world import Past, nights, past
from tests.support.records import NIGHTLY, claimed, missed, ran
from tests.support.world import World, schedule

__all__ = ["past"]


def test_a_whole_ledger_has_no_gap(past: Past) -> None:
    """Final, open and range records together cover what is planned."""
    past.nightly(since=nights(41), decided_until=nights(1))
    past.put(missed(nights(40), nights(4), 37), ran(nights(3)), ran(nights(2)))
    past.put_open(claimed(nights(1)))

    told = past.recur("gaps")

    assert told.code == Exit.DONE
    assert "40 occurrences of 1 schedule(s) were decided; no gap" in told.out


def test_a_record_that_was_removed_is_a_gap(past: Past) -> None:
    """With its time, and what to ask next."""
    past.nightly(since=nights(4), decided_until=nights(1))
    past.put(ran(nights(3)), ran(nights(1)))

    told = past.recur("gaps", "nightly", "--zone", "America/Bogota")

    assert told.code == Exit.FOUND
    assert f"{nights(2):%Y-%m-%d} 02:30-05:00" in told.out
    assert f"recur explain nightly {nights(2):%Y-%m-%dT%H:%M:%SZ}" in told.out
    (one,) = past.recur("--json", "gaps").json["schedules"]
    assert one["gaps"] == [nights(2).isoformat().replace("+00:00", "Z")]
    assert past.recur("gaps", "--since", nights(1).isoformat()).code == Exit.DONE


def test_a_range_that_begins_before_the_time_asked_for_counts(past: Past) -> None:
    """Its name lies in a month that is not looked at."""
    past.nightly(since=nights(121), decided_until=nights(1))
    past.put(missed(nights(120), nights(1), 120))

    assert past.recur("gaps", "--since", nights(9).isoformat()).code == Exit.DONE


def test_what_is_older_than_what_is_kept_is_not_said_to_be_looked_at(past: Past) -> None:
    """The answer names the time from which on it holds."""
    past.nightly(since=nights(2), decided_until=nights(1))
    past.put(ran(nights(1)))

    answer = past.recur("--json", "gaps", "--since", "2020-01-01").json

    since = datetime.fromisoformat(answer["since"])
    assert timedelta(0) <= datetime.now(UTC) - KEPT - since < timedelta(hours=1)


def test_a_trigger_covers_no_occurrence(past: Past) -> None:
    """It has an id space of its own, open or final."""
    past.nightly(since=nights(2), decided_until=nights(1))
    run_id = ids.trigger_id(NIGHTLY, "key")
    past.put(ran(nights(1), run_id=run_id, kind=Kind.TRIGGERED))
    past.put_open(claimed(nights(1), run_id=run_id, kind=Kind.TRIGGERED))

    (one,) = past.recur("--json", "gaps").json["schedules"]

    assert len(one["gaps"]) == 1


def test_another_schedule_whose_name_begins_alike_covers_nothing(past: Past) -> None:
    """A prefix is not a schedule."""
    past.nightly(since=nights(2), decided_until=nights(1))
    past.put(ran(nights(1), schedule=ScheduleId("nightly-b")))

    assert past.recur("gaps").code == Exit.FOUND


def test_a_plan_that_is_being_carried_out_is_no_gap(past: Past) -> None:
    """It is written down, and the next tick finishes it."""
    past.nightly(since=nights(3), decided_until=nights(1))
    past.put(ran(nights(2)))
    state = replace(past.state(), plan=(claimed(nights(1)),))
    past.ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(state), overwrite=True)

    assert past.recur("gaps").code == Exit.DONE


def test_what_nobody_decides_is_told(past: Past) -> None:
    """The tick stands still."""
    past.nightly(since=nights(3), decided_until=nights(2) + timedelta(hours=1))
    past.put(ran(nights(2)))

    told = past.recur("gaps")

    assert told.code == Exit.FOUND
    assert "were decided; 1 overdue and undecided" in told.out
    assert "recur tick submit" in told.out


def test_a_range_that_cannot_be_read_is_no_gap_and_no_silence(past: Past) -> None:
    """What lies in it cannot be told."""
    past.nightly(since=nights(9), decided_until=nights(1))
    past.ledger.upload_blob(missed(nights(8), nights(1), 8).blob, b"{}")

    told = past.recur("gaps")

    assert told.code == Exit.FOUND
    assert "is not known" in told.err


@pytest.mark.parametrize("metadata", [None, {"state": "odd"}])
def test_an_open_record_that_ticks_leave_alone_is_no_gap_and_is_told(
    past: Past, metadata: dict[str, str] | None
) -> None:
    """It is there, and somebody has to look at it."""
    past.nightly(since=nights(3), decided_until=nights(1))
    past.put(ran(nights(2)))
    record = claimed(nights(1))
    past.ledger.upload_blob(ids.open_blob(record.run_id), dump(record), metadata=metadata)

    told = past.recur("gaps")

    assert told.code == Exit.FOUND
    assert "1 ignored by ticks" in told.out
    assert "no gap" not in told.out
    assert "open, but the ticks ignore it" in told.out
    assert f"recur explain nightly {nights(1):%Y-%m-%dT%H:%M:%SZ}" in told.out
    (one,) = past.recur("--json", "gaps").json["schedules"]
    assert (one["gaps"], len(one["unlisted"])) == ([], 1)


def test_before_the_first_tick_there_is_nothing_to_compare(past: Past) -> None:
    """That is said, and what to do."""
    told = past.recur("gaps")

    assert told.code == Exit.FOUND
    assert "no tick has run" in told.err


async def test_real_ticks_leave_no_gap(world: World, tmp_path: Path) -> None:
    """Runs, skips, misses and ranges of an outage."""
    await world.pool()
    await world.apply(
        schedule("hello", "true", minutes=50, catch_up='{ max = 3, window = "PT9M" }')
    )
    await world.submit()
    await world.collect_until_finished()
    someone = operator_of(world, tmp_path)

    told = await asyncio.to_thread(someone.recur, "--json", "gaps")

    assert told.code == Exit.DONE
    (one,) = told.json["schedules"]
    assert one["planned"] == 50
    assert (one["gaps"], one["unplanned"]) == ([], [])
    assert any("+" in name for name in await world.blobs("runs/hello/"))
