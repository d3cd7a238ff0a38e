"""`recur runs` and `recur show` on real storage: what is recorded is found, newest first."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from azure.storage.blob.aio import ContainerClient as AsyncContainerClient

from bench.counting import StorageCalls
from local.azurite import Azurite
from orchestrator import ids
from orchestrator.enums import BlockedReason, Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Action, Kind, dump
from orchestrator.ledger.record import Past as Before
from orchestrator.model import About
from recur.errors import Exit
from tests.conftest import Containers
from tests.support.deployment import operator_of
from tests.support.history_world import Past, nights, past
from tests.support.records import NIGHTLY, claimed, decided, missed, ran, replaced
from tests.support.shell import offered
from tests.support.world import World

__all__ = ["past"]

OTHER = ScheduleId("nightly-b")


def id_(back: int, schedule: ScheduleId = NIGHTLY) -> str:
    return ids.run_id(schedule, nights(back))


def test_runs_are_listed_newest_first(past: Past) -> None:
    """Open ones among them, months apart, of one schedule or of all."""
    past.put(ran(nights(1)), ran(nights(40)), ran(nights(2), schedule=OTHER), ran(nights(90)))
    past.put_open(claimed(nights(3)))

    assert past.ids("runs", "nightly") == [id_(1), id_(3), id_(40), id_(90)]
    assert past.ids("runs") == [id_(1), id_(2, OTHER), id_(3), id_(40), id_(90)]
    assert past.ids("runs", "-n", "2") == [id_(1), id_(2, OTHER)]
    assert past.ids("runs", "--open") == [id_(3)]


def test_people_read_a_line_for_each_run(past: Past) -> None:
    """With the wall time of the zone that is named, lateness, outcome, reason and duration."""
    past.nightly(since=nights(9), decided_until=nights(1))
    past.put(ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE))

    told = past.recur("runs", "--zone", "America/Bogota")

    assert told.code == Exit.DONE
    head, line = told.out.splitlines()
    assert head.split() == ["RUN", "NOMINAL", "LATE", "STATE", "REASON", "TOOK"]
    wall = f"{nights(2):%Y-%m-%d} 02:30-05:00"
    assert re.split(r"  +", line) == [
        id_(2),
        wall,
        "6 s",
        "failed (3)",
        "exit_code",
        "2 min",
    ]


def test_runs_are_picked_by_time_and_by_what_became_of_them(past: Past) -> None:
    """Each filter alone; a range counts by the time that it spans."""
    trigger = ids.trigger_id(NIGHTLY, "key")
    past.put(
        ran(nights(1), Outcome.FAILED, Reason.EXIT_CODE),
        ran(nights(2)),
        decided(nights(3), Action.SKIPPED, reason="overlap"),
        missed(nights(9), nights(5), 5),
        ran(nights(4), run_id=trigger, kind=Kind.TRIGGERED),
    )

    assert past.ids("runs", "nightly") == [id_(1), id_(2), id_(3), trigger, id_(9)]
    assert past.ids("runs", "--outcome", "failed") == [id_(1)]
    assert past.ids("runs", "--outcome", "failed", "--outcome", "succeeded") == [
        id_(1),
        id_(2),
        trigger,
    ]
    assert past.ids("runs", "--decision", "skipped") == [id_(3)]
    assert past.ids("runs", "--decision", "missed") == [id_(9)]
    assert past.ids("runs", "--kind", "triggered") == [trigger]
    assert past.ids("runs", "--since", nights(2).isoformat()) == [id_(1), id_(2)]
    assert past.ids("runs", "--until", nights(3).isoformat()) == [id_(3), trigger, id_(9)]


def test_runs_are_found_by_the_tags_that_they_had(past: Past) -> None:
    """Of any schedule, ran or not, open or not; several tags find any of them."""
    finance, both = About(tags=("finance",)), About(owner="eva", tags=("finance", "tier:1"))
    past.put(
        ran(nights(1), about=both),
        ran(nights(2), schedule=OTHER, about=About(tags=("tier:1",))),
        ran(nights(4)),
        replaced(missed(nights(9), nights(5), 5), about=finance),
    )
    past.put_open(claimed(nights(3), about=finance))

    assert past.ids("runs", "--tag", "finance") == [id_(1), id_(3), id_(9)]
    assert past.ids("runs", "--tag", "tier:1") == [id_(1), id_(2, OTHER)]
    assert past.ids("runs", "--tag", "tier:1", "--tag", "finance", "-n", "3") == [
        id_(1),
        id_(2, OTHER),
        id_(3),
    ]
    assert past.ids("runs", "--tag", "Finance") == []
    lines = past.recur("runs").out.splitlines()
    assert lines[0].endswith("TOOK   TAGS")
    assert lines[1].endswith("finance, tier:1")


def test_a_record_shows_what_its_schedule_said_for_people(past: Past) -> None:
    """To people who ask about a run, and why it failed; and to programs."""
    page = "https://wiki.example/nightly"
    about = About(description="Sales of the day", owner="eva", runbook=page, tags=("finance",))
    past.nightly(since=nights(9), decided_until=nights(1))
    past.put(ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE, about=about))

    shown = past.recur("show", id_(2)).out.splitlines()
    explained = past.recur("explain", "nightly", nights(2).isoformat()).out.splitlines()
    (listed,) = past.recur("--json", "runs").json["runs"]

    assert [line.split(maxsplit=1) for line in shown[3:7]] == [
        ["description", "Sales of the day"],
        ["owner", "eva"],
        ["tags", "finance"],
        ["runbook", page],
    ]
    said = f"description: Sales of the day; owner: eva; tags: finance; runbook: {page}"
    assert any(line.endswith(f": {said}") for line in explained)
    assert explained[-1].endswith(f"; the runbook of its schedule: {page}")
    assert [listed[key] for key in ("description", "owner", "runbook", "tags")] == [
        "Sales of the day",
        "eva",
        page,
        ["finance"],
    ]


@pytest.mark.parametrize("filter_", [("--outcome", "succeeded"), ("--decision", "skipped")])
def test_what_no_open_run_can_be_is_refused(past: Past, filter_: tuple[str, str]) -> None:
    """Rather than found nowhere."""
    past.put_open(claimed(nights(1)))

    assert past.recur("runs", "--open", *filter_).code == Exit.USAGE
    assert past.ids("runs", "--open", "--decision", "submit") == [id_(1)]


@pytest.mark.parametrize("back", [5, 6, 40, 79])
def test_a_range_is_listed_from_any_time_within_it(past: Past, back: int) -> None:
    """Also where its name lies in a month that began before; not once it is over."""
    past.put(missed(nights(80), nights(5), 76), ran(nights(2)))
    since = nights(back).isoformat()

    assert past.ids("runs", "--since", since) == [id_(2), id_(80)]
    assert past.ids("runs", "--since", since, "--decision", "missed") == [id_(80)]
    assert past.ids("runs", "--since", since, "--kind", "triggered") == []
    assert past.ids("runs", "--since", nights(4).isoformat()) == [id_(2)]


def test_a_range_of_which_a_backfill_has_opened_the_first_is_still_listed(past: Past) -> None:
    """It stands for the others."""
    past.put(missed(nights(4), nights(2), 3))
    past.put_open(claimed(nights(4), kind=Kind.BACKFILLED))

    assert past.ids("runs") == [id_(4), id_(4)]


def test_times_may_reach_beyond_what_is_kept(past: Past) -> None:
    """A record is kept by when it was written, so that of a backfill may be older."""
    trigger = ids.trigger_id(NIGHTLY, "key")
    past.put(ran(nights(1)), ran(nights(500)), missed(nights(900), nights(700), 201))
    past.put(ran(nights(950), run_id=trigger, kind=Kind.TRIGGERED))

    everything = ("runs", "--since", "1971-01-01", "--until", "2199-01-01")
    assert past.ids(*everything) == [id_(1), id_(500), id_(900), trigger]
    since = nights(800).isoformat()
    assert past.ids("runs", "--since", since) == [id_(1), id_(500), id_(900)]
    assert past.ids("runs", "--since", "2199-01-01") == []


@pytest.mark.parametrize("time", [("--until", "2199-01-01"), ("--since", "1971-01-01")])
async def test_only_months_that_there_may_be_are_listed(
    past: Past, azurite: Azurite, containers: Containers, time: tuple[str, str]
) -> None:
    """However far away a time is."""
    past.put(ran(nights(1)), ran(nights(500)))
    async with AsyncContainerClient.from_connection_string(
        containers.connection_string, containers.ledger
    ) as ledger:
        calls = StorageCalls(azurite.log, ledger)
        await calls.begin()
        await asyncio.to_thread(past.recur, "runs", *time)
        asked = await calls.told()

    months = {call.query["prefix"] for call in asked if call.query.get("comp") == "list"}
    assert len(months) < 30, months


def test_a_trigger_of_an_earlier_month_stands_among_its_neighbours(past: Past) -> None:
    """Its id does not tell its time."""
    trigger = ids.trigger_id(NIGHTLY, "key")
    past.put(ran(nights(1)), ran(nights(70)))
    past.put(ran(nights(50), run_id=trigger, kind=Kind.TRIGGERED))

    assert past.ids("runs") == [id_(1), trigger, id_(70)]


def test_a_run_that_a_backfill_opened_again_is_listed_once(past: Past) -> None:
    """As the open run that it is: the final record is what it was before."""
    past.put(ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE))
    past.put_open(claimed(nights(2), kind=Kind.BACKFILLED))

    told = past.recur("--json", "runs")

    (run,) = told.json["runs"]
    assert (run["open"], run["state"], run["kind"]) == (True, "claimed", "backfilled")

    shown = past.recur("--json", "show", id_(2)).json
    assert shown["record"]["kind"] == "backfilled"
    assert shown["before"]["outcome"] == "failed"


def test_a_record_that_cannot_be_read_hides_no_other(past: Past) -> None:
    """It is told, and the exit code says so."""
    past.put(ran(nights(1)))
    past.ledger.upload_blob(ran(nights(2)).blob, b"{}")

    told = past.recur("runs")

    assert told.code == Exit.FOUND
    assert id_(1) in told.out
    assert ran(nights(2)).blob in told.err


def test_an_open_record_that_ticks_leave_alone_is_told(past: Past) -> None:
    """It is listed all the same, of its own schedule."""
    record = claimed(nights(1))
    past.ledger.upload_blob(ids.open_blob(record.run_id), dump(record))
    past.put(ran(nights(2), schedule=OTHER))

    told = past.recur("--json", "runs")

    assert told.code == Exit.FOUND
    assert [one["run_id"] for one in told.json["runs"]] == [id_(1), id_(2, OTHER)]
    assert told.json["unreadable"] == [
        f"{ids.open_blob(record.run_id)} cannot be read: it has no metadata"
    ]
    assert past.recur("runs", "nightly-b").code == Exit.DONE


@pytest.mark.parametrize("back", [1, 40])
def test_a_range_that_cannot_be_read_hides_no_other(past: Past, back: int) -> None:
    """Also where it might reach into the time that is asked for."""
    past.put(ran(nights(1)))
    past.ledger.upload_blob(missed(nights(80), nights(30), 51).blob, b"{}")

    told = past.recur("runs", "--since", nights(back).isoformat())

    assert told.code == Exit.FOUND
    assert id_(1) in told.out
    assert missed(nights(80), nights(30), 51).blob in told.err


def test_a_misspelt_schedule_is_told_from_those_there_are(past: Past) -> None:
    """Also one that is in the document no more."""
    past.nightly(since=nights(9), decided_until=nights(1))

    told = past.recur("runs", "nigthly")

    assert told.code == Exit.REFUSED
    assert "did you mean nightly?" in told.err
    assert past.recur("runs", "nightly").code == Exit.DONE
    past.put(ran(nights(2), schedule=OTHER))
    assert past.ids("runs", "nightly-b") == [id_(2, OTHER)]
    assert "nightly-b" in past.recur("runs", "nightlyb").err


def test_a_record_is_shown_whole(past: Past) -> None:
    """Decision, attempt, times, outputs and past; Batch is asked, and need not answer."""
    before = Before(
        kind=Kind.SCHEDULED,
        decision=decided(nights(1), Action.SKIPPED, reason="paused").decision,
    )
    past.put(ran(nights(1), Outcome.FAILED, Reason.EXIT_CODE, history=(before,)))

    told = past.recur("show", id_(1))

    assert told.code == Exit.DONE
    for text in (
        f"{id_(1)}: failed, exit code 3 (exit_code)",
        "It failed.",
        "exit code 3",
        "stdout.txt, 3 bytes",
        "skipped(paused)",
        "not asked",
        "took          2 min",
    ):
        assert text in told.out
    shown = past.recur("--json", "show", id_(1)).json
    assert shown["record"]["attempts"][0]["exit_code"] == 3
    assert shown["batch"]["trouble"]


def test_an_occurrence_within_a_range_shows_the_range(past: Past) -> None:
    """One record stands for all of them."""
    past.nightly(since=nights(40), decided_until=nights(1))
    past.put(missed(nights(35), nights(2), 34))

    told = past.recur("show", id_(10))

    assert told.code == Exit.DONE
    assert "34 occurrences" in told.out
    assert past.recur("show", id_(36)).code == Exit.REFUSED
    not_due = ids.run_id(NIGHTLY, nights(10) + timedelta(minutes=1))
    assert past.recur("show", not_due).code == Exit.REFUSED


@pytest.mark.parametrize("suffix", ["", "-r1"])
def test_a_run_is_found_by_the_ids_of_its_jobs(past: Past, suffix: str) -> None:
    """As Batch and the portal show them."""
    past.put(ran(nights(1)))

    assert past.recur("show", id_(1) + suffix).code == Exit.DONE


def test_an_unknown_run_is_told_from_those_there_are(past: Past) -> None:
    """And what is no run id at all, from what one looks like."""
    past.nightly(since=nights(40), decided_until=nights(1))
    past.put(ran(nights(1)))
    near = id_(1).replace("T073000", "T073100")

    assert f"did you mean {id_(1)}?" in past.recur("show", near).err
    schedule = past.recur("show", "nightly").err
    assert "nightly is a schedule, not a run" in schedule
    assert "`recur runs nightly`" in schedule
    assert "`recur describe nightly`" in schedule
    explained = past.recur("explain", id_(1))
    assert explained.code == Exit.REFUSED
    assert explained.err.endswith(f"not of a schedule\n  next: recur show {id_(1)}\n")
    assert "did you mean nightly?" in past.recur("show", id_(1).replace("gh", "hg")).err
    other = past.recur("show", id_(1, ScheduleId("zzz"))).err
    assert "there is no schedule 'zzz'\n  next: `recur runs`" in other
    for unknown in (near, "nightly", "nightly-m0123456789abcdef"):
        assert past.recur("show", unknown).code == Exit.REFUSED


@pytest.mark.parametrize("command", ["show", "logs"])
@pytest.mark.parametrize("time", ["00010101T000000Z", "99991231T235959Z"])
def test_an_end_of_the_recurrence_is_no_run_id(past: Past, command: str, time: str) -> None:
    """It is told as any other."""
    past.nightly(since=nights(9), decided_until=nights(1))

    told = past.recur(command, f"nightly-{time}")

    assert told.code == Exit.REFUSED
    assert "is not a run id" in told.err
    assert "recur runs" in told.err


def test_an_open_run_says_where_it_stands(past: Past) -> None:
    """Blocked, waiting, or to be ended."""
    record = claimed(nights(1))
    blocked = replaced(
        record.attempt, blocked=BlockedReason.POOL_MISSING, blocked_detail="pool recur is gone"
    )
    past.put_open(record.with_attempt(blocked))

    told = past.recur("show", record.run_id)

    assert "blocked (pool_missing)" in told.out
    assert "pool recur is gone" in told.out


async def test_batch_says_how_the_job_stands(world: World, tmp_path: Path) -> None:
    """Where it answers: the state of job and task, right now."""
    await world.pool()
    record = await world.running("hello", "sleep 60")
    await world.task_is(record.run_id, "running")
    someone = operator_of(world, tmp_path)

    told = await asyncio.to_thread(someone.recur, "--json", "show", record.run_id)

    assert told.json["batch"] == {"job": "active", "task": "running", "trouble": None}
    assert told.json["open"] is True


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ni", [(1, NIGHTLY)]),
        ("nightly-2", [(2, NIGHTLY), (1, NIGHTLY)]),
        ("nightly-b-", [(2, OTHER)]),
        ("x", []),
    ],
)
def test_a_shell_is_offered_runs(
    past: Past, tmp_path: Path, typed: str, expected: list[tuple[int, ScheduleId]]
) -> None:
    """Open ones at once, those of this month and the last once it is clear of which schedule."""
    past.put_open(claimed(nights(1)))
    past.put(ran(nights(2)), ran(nights(2), schedule=OTHER), ran(nights(90)))

    for command in ("show", "logs"):
        line = f"recur {command} {typed}"
        found = offered(tmp_path, line, RECUR_SETTINGS=str(past.someone.settings))
        assert found == [id_(back, schedule) for back, schedule in expected]
