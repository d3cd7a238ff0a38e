"""`recur explain` on real storage: the evidence is found wherever the ledger keeps it."""

import asyncio
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Kind
from orchestrator.ledger.state import dump_submit
from orchestrator.model import Timing
from recur.errors import Exit
from tests.support.deployment import operator_of
from tests.support.history_world import Past, nights, past
from tests.support.records import BOGOTA, NIGHTLY, claimed, decided, missed, ran
from tests.support.world import World, schedule

__all__ = ["past"]

PAGE = (Path(__file__).parents[3] / "docs/operations.md").read_text()
DOCUMENT = """
[schedules.nightly]
cron = "30 2 * * *"
time_zone = "America/Bogota"
command = "true"
"""


def verdicts(past: Past, time: str) -> list[tuple[str, str]]:
    told = past.recur("--json", "explain", "nightly", time).json
    return [(one["verdict"], one["run_id"]) for one in told["explanations"]]


def one(past: Past, time: datetime) -> dict[str, Any]:
    (found,) = past.recur("--json", "explain", "nightly", time.isoformat()).json["explanations"]
    return dict(found)


def apply(past: Past, text: str = DOCUMENT) -> None:
    past.ledger.upload_blob(ids.DOCUMENT, text, overwrite=True)


def test_every_occurrence_is_explained(past: Past) -> None:
    """Whatever became of it, by whichever blob tells."""
    apply(past)
    past.nightly(since=nights(90), decided_until=nights(1))
    past.put(
        ran(nights(1)),
        ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE),
        decided(nights(3), Action.SKIPPED, reason="overlap", sentence="Skipped: x."),
        missed(nights(80), nights(5), 76),
    )
    past.put_open(claimed(nights(4)))

    for back, verdict in {
        1: "ended",
        2: "ended",
        3: "skipped",
        4: "open",
        5: "missed",
        40: "missed",
    }.items():
        found = one(past, nights(back))
        assert found["verdict"] == verdict, found
    assert one(past, nights(0))["verdict"] == "future"
    assert one(past, nights(1) + timedelta(minutes=1))["verdict"] == "not_due"
    assert one(past, nights(91))["verdict"] == "not_begun"
    assert one(past, nights(85))["verdict"] == "unrecorded"


def test_people_read_one_sentence_then_the_evidence(past: Past) -> None:
    """Each piece with its source."""
    apply(past)
    past.nightly(since=nights(9), decided_until=nights(1))
    past.put(ran(nights(1)))

    told = past.recur("explain", "nightly", f"{nights(1):%Y-%m-%d}T02:30")

    assert told.code == Exit.DONE
    first, *evidence = told.out.splitlines()
    day = f"{nights(1):%Y-%m-%d}"
    assert first == (
        f"nightly of {day} 02:30-05:00 succeeded: it began 1 min after its time and took 2 min."
    )
    assert any(line.startswith("  submit.json: after ") for line in evidence)
    assert any(line.startswith(f"  {ran(nights(1)).blob}: attempt 1") for line in evidence)


def test_a_day_means_all_its_occurrences(past: Past) -> None:
    """More than three of them without the evidence, more than twenty with a count of the rest."""
    hourly = replace(BOGOTA, cron=("0 * * * *",))
    day = nights(2).replace(hour=0, minute=0)
    past.timings(Timing(since=nights(9), recurrence=hourly), decided_until=nights(1))
    begin = day + timedelta(hours=5)  # midnight in Bogota
    past.put(*(ran(begin + timedelta(hours=hour)) for hour in range(24)))

    told = past.recur("explain", "nightly", f"{begin:%Y-%m-%d}")

    assert told.code == Exit.DONE
    lines = told.out.splitlines()
    assert len(lines) == 22
    assert all("succeeded" in line for line in lines[:-1])
    assert "recur explain nightly" in lines[-1]
    count, lists = lines[-2].split(": recur ")
    assert count == "4 more ran and succeeded"
    assert past.ids(*lists.split()) == [
        ids.run_id(NIGHTLY, begin + timedelta(hours=hour)) for hour in (3, 2, 1, 0)
    ]
    assert len(verdicts(past, f"{begin:%Y-%m-%d}")) == 24


def test_of_a_day_what_is_to_come_is_counted(past: Past) -> None:
    """People ask what happened: that is shown, and first what did not succeed."""
    half_hour = replace(BOGOTA, cron=("0-29 0 * * *",), time_zone="UTC")
    past.timings(Timing(since=nights(9), recurrence=half_hour), decided_until=nights(1))
    midnight = nights(2).replace(hour=0, minute=0)
    to_come = datetime.now(UTC) + timedelta(days=2)
    minutes = [midnight + timedelta(minutes=minute) for minute in range(30)]
    past.put(
        ran(minutes[0], Outcome.FAILED, Reason.EXIT_CODE),
        decided(minutes[1], Action.SKIPPED, reason="overlap", sentence="Skipped: x."),
        *(ran(minute) for minute in minutes[2:]),
    )

    shown = past.recur("explain", "nightly", f"{midnight:%Y-%m-%d}").out.splitlines()
    assert "failed (exit_code)" in shown[0]
    assert "did not run. Skipped: x." in shown[1]
    assert f"{minutes[12]:%Y-%m-%d %H:%M}Z succeeded" in shown[2]
    assert shown[20].startswith("10 more ran and succeeded: recur runs nightly --outcome succeeded")

    coming, evidence = past.recur("explain", "nightly", f"{to_come:%Y-%m-%d}").out.splitlines()
    first = f"{to_come:%Y-%m-%d} 00:00Z"
    assert coming == f"30 lie in the future, the next at {first}: recur next nightly"
    assert evidence.startswith("the evidence of one of them: recur explain nightly ")


def test_a_triggered_run_at_that_minute_is_evidence(past: Past) -> None:
    """To the second it may be another time; open or ended, of this schedule alone."""
    past.nightly(since=nights(9), decided_until=nights(1))
    noon = nights(2).replace(hour=12, minute=0)
    ended, opened, later = (ids.trigger_id(NIGHTLY, key) for key in "abc")
    past.put(
        ran(noon + timedelta(seconds=7), run_id=ended, kind=Kind.TRIGGERED),
        ran(noon + timedelta(minutes=1), run_id=later, kind=Kind.TRIGGERED),
    )
    past.put_open(claimed(noon + timedelta(seconds=9), run_id=opened, kind=Kind.TRIGGERED))

    told = past.recur("explain", "nightly", noon.isoformat())

    assert told.code == Exit.DONE
    *_, first, second = told.out.splitlines()
    at = f"{noon:%Y-%m-%d} 07:00"
    assert first == (
        f"  {ids.triggered_blob(NIGHTLY, ended)}: a triggered run has this time, "
        f"{at}:07-05:00: {ended}, succeeded"
    )
    assert second == (
        f"  {ids.open_blob(opened)}: a triggered run has this time, "
        f"{at}:09-05:00: {opened}, which has not ended"
    )
    assert later not in told.out


def test_a_day_without_occurrence_has_its_triggered_runs(past: Past) -> None:
    """At whatever time of it."""
    weekly = replace(BOGOTA, cron=(f"30 2 * * {nights(2):%a}",))
    past.timings(Timing(since=nights(9), recurrence=weekly), decided_until=nights(1))
    trigger = ids.trigger_id(NIGHTLY, "a")
    past.put(ran(nights(3) + timedelta(hours=5), run_id=trigger, kind=Kind.TRIGGERED))

    told = past.recur("explain", "nightly", f"{nights(3):%Y-%m-%d}")

    assert "has no occurrence on" in told.out
    assert trigger in told.out


def test_one_record_that_cannot_be_read_hides_no_other_of_its_day(past: Past) -> None:
    """It is told as such, and the exit code says so."""
    hourly = replace(BOGOTA, cron=("0 * * * *",))
    past.timings(Timing(since=nights(9), recurrence=hourly), decided_until=nights(1))
    begin = nights(2).replace(hour=5, minute=0)
    records = [ran(begin + timedelta(hours=hour)) for hour in range(24)]
    past.put(*records)
    past.ledger.upload_blob(records[7].blob, b"{", overwrite=True)
    day = f"{begin:%Y-%m-%d}"

    told = past.recur("explain", "nightly", day)

    assert told.code == Exit.FOUND
    assert told.out.count("05:00 succeeded") == 19
    assert "\n4 more ran and succeeded: " in told.out
    assert f"nightly of {day} 07:00-05:00 has a record that cannot be read.\n" in told.out
    assert told.out.rstrip().endswith(f"{day}T12:00:00Z")
    found = one(past, records[7].nominal)
    assert found["verdict"] == "unreadable"
    assert found["facts"][-1]["source"] == records[7].blob
    assert "docs/operations.md" in found["next"]


def test_what_lies_in_a_range_that_cannot_be_read_is_told(past: Past) -> None:
    """And nothing else: its name says how many it stands for."""
    past.nightly(since=nights(90), decided_until=nights(1))
    span = missed(nights(80), nights(71), 10)
    past.ledger.upload_blob(span.blob, b"{")

    found = {back: one(past, nights(back)) for back in (81, 80, 71, 70)}

    assert [one["verdict"] for one in found.values()] == [
        "unrecorded",
        "unreadable",
        "unreadable",
        "unrecorded",
    ]
    assert found[71]["facts"][-1]["source"] == span.blob


@pytest.mark.parametrize(
    "metadata", [None, {"state": "claimed"}, {"state": "odd"}], ids=["none", "good", "odd"]
)
def test_an_open_record_that_cannot_be_read_is_not_said_to_be_gone(
    past: Past, metadata: dict[str, str] | None
) -> None:
    """Whether by its content or by its metadata, without which ticks leave it alone."""
    past.nightly(since=nights(2), decided_until=nights(1))
    blob = ids.open_blob(claimed(nights(1)).run_id)
    past.ledger.upload_blob(blob, b"{", metadata=metadata)

    found = one(past, nights(1))

    assert found["verdict"] == "unreadable"
    assert found["facts"][-1]["source"] == blob
    assert past.recur("explain", "nightly", nights(1).isoformat()).code == Exit.FOUND
    assert past.recur("runs").code == Exit.FOUND


def test_a_wall_time_that_comes_twice_is_explained_twice(past: Past) -> None:
    """Once for each instant."""
    spring = datetime(2026, 1, 1, tzinfo=UTC)
    new_york = replace(BOGOTA, cron=("30 1 * * *",), time_zone="America/New_York")
    past.timings(Timing(since=spring, recurrence=new_york), decided_until=nights(1))
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    past.put(ran(first))

    assert verdicts(past, "2026-11-01T01:30") == [
        ("ended", "nightly-20261101T053000Z"),
        ("not_due", "nightly-20261101T063000Z"),
    ]


def test_without_a_time_the_latest_occurrence_is_explained(past: Past) -> None:
    """By the timings; of a schedule that nothing tells any more, by its newest record."""
    past.put(ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE), ran(nights(3)))

    def latest() -> str:
        (found,) = past.recur("--json", "explain", "nightly").json["explanations"]
        return str(found["run_id"])

    assert latest() == ids.run_id(NIGHTLY, nights(2))
    past.nightly(since=nights(9), decided_until=nights(2))
    assert latest() == ids.run_id(NIGHTLY, nights(1))
    past.nightly(since=nights(1), decided_until=nights(1))
    assert latest() == ids.run_id(NIGHTLY, nights(0))


def test_without_a_time_a_run_triggered_since_is_explained(past: Past) -> None:
    """Whatever its nominal time: what counts is when it was asked for."""
    past.nightly(since=nights(1), decided_until=nights(0))
    ended, opened = (ids.trigger_id(NIGHTLY, key) for key in "ab")
    failed = ran(nights(3), Outcome.FAILED, Reason.EXIT_CODE, run_id=ended, kind=Kind.TRIGGERED)
    now = datetime.now(UTC)
    before, asked = (replace(failed.decision, at=at) for at in (nights(2), now))
    past.put(replace(failed, decision=asked))

    told = past.recur("explain", "nightly")

    assert told.out.startswith(f"{ended}, triggered for {nights(3):%Y-%m-%d} 02:30-05:00, failed")
    waiting = claimed(now, run_id=opened, kind=Kind.TRIGGERED)
    later = replace(asked, at=now + timedelta(seconds=1))
    past.put_open(replace(waiting, decision=later))
    (found,) = past.recur("--json", "explain", "nightly").json["explanations"]
    assert (found["run_id"], found["verdict"]) == (opened, "open")

    past.ledger.delete_blob(ids.open_blob(opened))
    past.put(replace(failed, decision=before))
    past.nightly(since=nights(9), decided_until=nights(1))
    (found,) = past.recur("--json", "explain", "nightly").json["explanations"]
    assert found["run_id"] == ids.run_id(NIGHTLY, nights(1))


def test_what_is_due_and_undecided_is_found(past: Past) -> None:
    """The exit code says that somebody has to do something."""
    apply(past)
    past.nightly(since=nights(9), decided_until=nights(2))

    told = past.recur("explain", "nightly", nights(1).isoformat())

    assert told.code == Exit.FOUND
    assert "silent" in told.out
    assert "recur doctor" in told.out


def test_an_invalid_table_is_the_reason_why_nothing_is_decided(past: Past) -> None:
    """It is told with its problem; so is a document that is missing."""
    apply(past, DOCUMENT.replace("command", "comand"))
    past.nightly(since=nights(9), decided_until=nights(2))

    found = one(past, nights(1))
    assert found["verdict"] == "undecided"
    assert "comand" in found["sentence"]

    past.ledger.delete_blob(ids.DOCUMENT)
    assert "schedules.toml" in one(past, nights(1))["sentence"]


def test_a_schedule_that_no_tick_has_seen_is_explained_by_the_document(past: Past) -> None:
    """Its future is known."""
    apply(past)

    found = one(past, nights(0))

    assert found["verdict"] == "future"
    assert any(fact["source"] == "schedules.toml" for fact in found["facts"])


def test_a_changed_document_that_no_tick_has_seen_is_evidence(past: Past) -> None:
    """The answer is that of the timings in force."""
    apply(past)
    past.nightly(since=nights(9), decided_until=nights(1))
    assert "no tick has taken that over" not in str(one(past, nights(0))["facts"])

    apply(past, DOCUMENT.replace("30 2", "30 3"))

    found = one(past, nights(0))
    assert found["verdict"] == "future"
    assert "no tick has taken that over" in str(found["facts"])


def test_what_the_page_shows_is_what_it_says(past: Past) -> None:
    """The console blocks of docs/operations.md about what happened."""
    _, _, part = PAGE.partition("## Did last night's job run?")
    part, _, _ = part.partition("\n## ")
    shown = re.findall(r"^```console\n\$ recur (.*?)\n(.*?)^```", part, re.DOTALL | re.MULTILINE)
    november(past)

    assert len(shown) >= 3
    for typed, expected in shown:
        told = past.recur(*shlex.split(typed))
        assert told.out == expected, typed


def november(past: Past) -> None:
    """Put three nights in place: the clock is put back, a night is skipped, another fails."""
    report = ScheduleId("nightly-report")
    text = DOCUMENT.replace("nightly", report).replace("30 2", "30 1")
    apply(past, text.replace("America/Bogota", "America/Montreal"))
    recurrence = replace(BOGOTA, cron=("30 1 * * *",), time_zone="America/Montreal")
    since = datetime(2026, 10, 1, tzinfo=UTC)
    until = datetime(2026, 11, 4, tzinfo=UTC)
    past.timings(Timing(since=since, recurrence=recurrence), decided_until=until, schedule=report)
    first, second, third = (datetime(2026, 11, day, 6, 30, tzinfo=UTC) for day in (1, 2, 3))
    first -= timedelta(hours=1)
    past.put(
        ran(first, schedule=report),
        decided(
            second,
            Action.SKIPPED,
            reason="overlap",
            because=ids.run_id(report, first),
            sentence=f"Skipped: run {ids.run_id(report, first)} had not ended yet.",
            schedule=report,
        ),
        replace(
            ran(third, Outcome.FAILED, Reason.EXIT_CODE, schedule=report),
            sentence="It ended with exit code 3.",
        ),
    )


def test_the_plan_counts_as_decided(past: Past) -> None:
    """Before the blobs are there."""
    apply(past)
    past.nightly(since=nights(9), decided_until=nights(1))
    state = replace(past.state(), plan=(claimed(nights(1)),))
    past.ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(state), overwrite=True)

    assert one(past, nights(1))["verdict"] == "planned"


def test_a_run_of_a_schedule_that_is_forgotten_is_still_explained(past: Past) -> None:
    """By its record alone."""
    past.put(ran(nights(300), kind=Kind.BACKFILLED))

    found = one(past, nights(300))
    assert found["verdict"] == "ended"
    assert one(past, nights(301))["verdict"] == "unknown"


def test_what_cannot_be_read_is_refused_with_what_to_do(past: Past) -> None:
    """A time, a schedule, a state."""
    apply(past)
    past.nightly(since=nights(9), decided_until=nights(1))
    told = past.recur("explain", "nightly", "soon")
    assert told.code == Exit.USAGE
    assert "2026-11-01T07:30Z" in told.err
    assert "2026-11-01 or yesterday (the whole of that day)" in told.err
    assert "(the start of that day)" in past.recur("runs", "--since", "soon").err

    told = past.recur("explain", "nigthly", "2026-11-01")
    assert told.code == Exit.REFUSED
    assert "did you mean nightly?" in told.err

    past.ledger.upload_blob(ids.SUBMIT_STATE, b"{", overwrite=True)
    told = past.recur("explain", "nightly", "2026-11-01")
    assert told.code == Exit.FOUND
    assert "submit.json" in told.err


async def test_what_real_ticks_decide_is_explained(world: World, tmp_path: Path) -> None:
    """From the decision to the end: open, then ran; and what was missed."""
    await world.pool()
    await world.apply(schedule("hello", "exit 3", minutes=5, cron='"* * * * *"'))
    someone = operator_of(world, tmp_path)
    await world.submit()
    (record,) = await world.open()

    async def ask(time: datetime) -> dict[str, Any]:
        told = await asyncio.to_thread(
            someone.recur, "--json", "explain", "hello", time.isoformat()
        )
        (found,) = told.json["explanations"]
        return dict(found)

    assert (await ask(record.nominal))["verdict"] == "open"
    assert (await ask(record.nominal - timedelta(minutes=2)))["verdict"] == "missed"
    await world.collect_until_finished()
    found = await ask(record.nominal)
    assert found["verdict"] == "ended"
    assert "failed (exit_code)" in found["sentence"]
    later = await ask(record.nominal + timedelta(days=1))
    assert later["verdict"] == "future"
