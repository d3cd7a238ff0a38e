"""What left submit.json is found by the commands that look back, on real storage."""

from dataclasses import replace
from datetime import timedelta

from orchestrator import ids
from orchestrator.decisions.moving import trim
from orchestrator.enums import SkipReason
from orchestrator.ledger.moved import RemovedSchedule, dump_moved, dump_removed
from orchestrator.ledger.record import Action, Range, Record
from orchestrator.ledger.state import SubmitState, dump_submit
from orchestrator.model import Timing
from recur.errors import Exit
from tests.support.history_world import Past, nights, past
from tests.support.records import BOGOTA, NIGHTLY, decided, ran

__all__ = ["past"]

NOON = timedelta(hours=12)


def toggled(past: Past, most: int) -> None:
    """Put in place a schedule that was paused by its document every second night for so long."""
    past.timings(
        *(
            Timing(since=nights(n) - NOON, recurrence=BOGOTA, paused=bool(n % 2))
            for n in range(most, 0, -1)
        ),
        decided_until=nights(1),
    )


def move(past: Past, *, excess_bytes: int) -> SubmitState:
    """Move the oldest timings out of submit.json, as a tick does."""
    trimmed = trim(past.state(), excess_bytes=excess_bytes)
    for moved in trimmed.moved:
        past.ledger.upload_blob(moved.blob, dump_moved(moved))
    for id_, state in trimmed.removed.items():
        blob = ids.removed_blob(id_)
        past.ledger.upload_blob(blob, dump_removed(RemovedSchedule(state=state)))
    past.ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(trimmed.state), overwrite=True)
    return trimmed.state


def test_gaps_and_explain_know_timings_that_were_moved(past: Past) -> None:
    """A lost record of long ago is a gap, and explained as one; a planned one is none."""
    toggled(past, 30)
    left = move(past, excess_bytes=3000)
    left = move(past, excess_bytes=1000)
    assert len(left.schedules[NIGHTLY].timings) < 15
    past.put(*(ran(nights(n)) for n in range(1, 31) if n != 25))

    (one,) = past.recur("--json", "gaps").json["schedules"]
    assert one["planned"] == 30
    assert one["gaps"] == [nights(25).isoformat().replace("+00:00", "Z")]
    told = past.recur("--json", "explain", "nightly", nights(25).isoformat()).json
    assert told["explanations"][0]["verdict"] == "unrecorded"
    assert past.recur("gaps", "--since", nights(24).isoformat()).code == Exit.DONE


def test_a_backfill_is_planned_by_timings_that_were_moved(past: Past) -> None:
    """The schedule has been known since its first timing, wherever that is."""
    toggled(past, 30)
    move(past, excess_bytes=4000)
    days = ("--from", nights(30).isoformat(), "--to", nights(25).isoformat())
    document = '[schedules.nightly]\ncron = "30 2 * * *"\ncommand = "true"\n'
    past.ledger.upload_blob(ids.DOCUMENT, document)

    told = past.recur("--json", "backfill", "nightly", *days, "--dry-run").json
    assert len(told["plan"]["runs"]) == 5


def test_a_schedule_that_was_removed_long_ago_is_explained(past: Past) -> None:
    """By its name; nothing else tells that there was one."""
    past.timings(
        Timing(since=nights(9) - NOON, recurrence=BOGOTA),
        Timing(since=nights(5) - NOON, recurrence=None, removed=True),
        decided_until=nights(1),
    )
    past.put(ran(nights(9)), ran(nights(8)), ran(nights(6)))
    assert NIGHTLY not in move(past, excess_bytes=1).schedules

    told = past.recur("--json", "explain", "nightly", nights(7).isoformat()).json
    assert told["explanations"][0]["verdict"] == "unrecorded"
    (one,) = past.recur("--json", "gaps", "nightly").json["schedules"]
    assert one["gaps"] == [nights(7).isoformat().replace("+00:00", "Z")]


def skipped(first: int, last: int, also: dict[str, int] | None = None) -> Record:
    count = first - last + 1
    spans = Range(first=nights(first), last=nights(last), count=count, also=also or {})
    record = decided(nights(first), Action.SKIPPED, reason="paused", range=spans)
    return replace(record, sentence="Skipped: the schedule was paused at this time.")


def test_skipped_nights_in_a_range_are_no_gap(past: Past) -> None:
    """One that a backfill ran has a record of its own, which is shown in the range's place."""
    past.nightly(since=nights(10), decided_until=nights(1))
    past.put(skipped(9, 2), ran(nights(5)), ran(nights(1)))

    assert past.recur("gaps").code == Exit.DONE
    told = [past.recur("--json", "explain", "nightly", nights(n).isoformat()) for n in (6, 5)]
    assert [one.json["explanations"][0]["verdict"] for one in told] == ["skipped", "ended"]
    assert past.recur("--json", "show", ids.run_id(NIGHTLY, nights(4))).code == Exit.DONE
    listed = past.ids("runs", "--decision", "skipped", "--since", nights(4).isoformat())
    assert listed == [ids.run_id(NIGHTLY, nights(9))]


def test_what_except_leaves_out_of_a_range_has_its_own_reason(past: Past) -> None:
    """The record counts it; its timing tells which one it is."""
    left_out = replace(BOGOTA, except_=(f"{nights(6):%Y-%m-%d}",))
    past.timings(Timing(since=nights(10), recurrence=left_out), decided_until=nights(1))
    past.put(skipped(9, 2, {SkipReason.EXCLUDED: 1}), ran(nights(1)))

    told = {
        n: past.recur("--json", "explain", "nightly", nights(n).isoformat()).json["explanations"]
        for n in (7, 6)
    }
    assert "was paused at this time" in told[7][0]["sentence"]
    assert "`except` leaves this time out" in told[6][0]["sentence"]
    assert past.recur("gaps").code == Exit.DONE
