"""`recur show` on real storage: the cause, the run in the way, and what could not be read."""

from orchestrator import ids
from orchestrator.enums import AttemptState, Outcome, Reason
from orchestrator.ledger.record import Action, LastWords, Record
from recur.errors import Exit
from tests.support.history_world import Past, nights, past
from tests.support.records import NIGHTLY, claimed, decided, ran, replaced

__all__ = ["past"]


def waiting() -> Record:
    """Return the open record of a run of three nights ago that still waits for a node."""
    record = claimed(nights(3))
    times = {"state": AttemptState.SUBMITTED, "submitted": nights(1)}
    return record.with_attempt(replaced(record.attempt, **times))


def test_an_overlap_names_the_run_in_the_way_and_how_it_stands(past: Past) -> None:
    """It may stand there still."""
    way = waiting()
    sentence = f"Skipped: run {way.run_id} had not ended yet."
    skipped = decided(
        nights(2), Action.SKIPPED, reason="overlap", because=way.run_id, sentence=sentence
    )
    past.put_open(way)
    past.put(skipped)

    told = past.recur("show", skipped.run_id)

    assert told.code == Exit.DONE
    assert f"  cause         {sentence.rstrip('.')}" in told.out
    assert f"  in the way    {way.run_id}, submitted since " in told.out
    assert told.out.endswith(f"  next: recur show {way.run_id} says how that run stands\n")
    as_json = past.recur("--json", "show", skipped.run_id).json
    assert as_json["in_the_way"] == [way.run_id]


def test_a_run_that_is_gone_is_said_to_be_unknown(past: Past) -> None:
    """Somebody removed its record."""
    gone = ids.run_id(NIGHTLY, nights(3))
    past.put(decided(nights(2), Action.SKIPPED, reason="overlap", because=gone))

    told = past.recur("show", ids.run_id(NIGHTLY, nights(2)))

    assert f"  in the way    {gone}, unknown: there is no record" in told.out


def test_a_failure_shows_its_last_lines_before_anything_else(past: Past) -> None:
    """Ten of them at most, and one step."""
    stderr = "".join(f"line {number}\n" for number in range(12))
    record = ran(nights(1), Outcome.FAILED, Reason.EXIT_CODE, last_words=LastWords(stderr=stderr))
    past.put(record)

    lines = past.recur("show", record.run_id).out.splitlines()

    assert lines[1:4] == [
        "  cause         failed (exit_code): It failed",
        "  stderr ends   line 2",
        "                line 3",
    ]
    assert [line for line in lines if "next:" in line] == [f"  next: recur logs {record.run_id}"]
    assert lines[-1].startswith("  next:")


def test_a_pool_that_gives_no_answer_is_unknown(past: Past) -> None:
    """It may hold the cause: what is missing is said."""
    record = waiting()
    past.put_open(record)

    told = past.recur("show", record.run_id)

    assert "  unknown       the pool cannot be read: " in told.out
    assert told.out.count("next:") == 1
