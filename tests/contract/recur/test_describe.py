"""`recur describe` on real storage: one value from the summaries, in few reads."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob.aio import ContainerClient as AsyncContainerClient

from bench.counting import StorageCalls
from local.azurite import Azurite
from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ledger.record import Action, Kind, Record
from orchestrator.ledger.result import result_of
from orchestrator.ledger.summaries import (
    Day,
    Recent,
    counted,
    day_blob,
    day_of,
    dump_day,
    dump_recent,
    with_results,
)
from orchestrator.model import Timing
from recur.errors import Exit
from tests.conftest import Containers
from tests.support.history_world import Past, nights, past
from tests.support.records import BOGOTA, NIGHTLY, claimed, decided, ran

__all__ = ["past"]

NIGHT = """
[schedules.nightly]
cron = "30 2 * * *"
time_zone = "America/Bogota"
command = "true"
"""
OTHER = '[schedules.other]\nevery = "1h"\ncommand = "true"\n'
MOST_READS = 40
"""The numbers of up to 30 days, and a few blobs more: none for each record."""


def in_force(past: Past, folder: Path, text: str, *arguments: str) -> None:
    """Put a document in force, as eva does."""
    file = folder / "schedules.toml"
    file.write_text(text)
    told = past.recur("apply", str(file), "--by", "eva", *arguments)
    assert told.code == Exit.DONE, told.err


def summarised(past: Past, *records: Record) -> None:
    """Put final records into the ledger, and the summaries that the passes make of them."""
    past.put(*records)
    results = [result_of(one) for one in records]
    ended = [one for one in results if one.outcome]
    days = {day_of(one) for one in ended}
    recent = with_results(Recent(), results, days)
    past.ledger.upload_blob(ids.RECENT, dump_recent(recent), overwrite=True)
    for day in days:
        numbers = counted(Day(), [one for one in ended if day_of(one) == day], ())
        past.ledger.upload_blob(day_blob(day), dump_day(numbers), overwrite=True)


def a_past(past: Past) -> None:
    """Put 40 nights into the ledger: two failed, one was skipped, one is open."""
    since = nights(99)
    past.timings(Timing(since=since, recurrence=BOGOTA, version=1), decided_until=nights(1))
    summarised(
        past,
        *(ran(nights(n)) for n in range(5, 41)),
        ran(nights(4), Outcome.FAILED, Reason.EXIT_CODE),
        ran(nights(3), Outcome.LOST, Reason.JOB_MISSING, kind=Kind.BACKFILLED),
        decided(
            nights(2), Action.SKIPPED, reason="overlap", because=ids.run_id(NIGHTLY, nights(3))
        ),
    )
    past.put_open(claimed(nights(1)))


def test_a_schedule_is_described(past: Past, tmp_path: Path) -> None:
    """What it is, who applied it, what was and what comes."""
    in_force(past, tmp_path, NIGHT, "--note", "quiet")
    a_past(past)

    people, programs = (
        past.recur("describe", "nightly"),
        past.recur("--json", "describe", "nightly"),
    )

    assert (people.code, programs.code) == (Exit.DONE, Exit.DONE), people.err
    told = programs.json
    assert told["definition"]["timing"] == "at 02:30, every day, America/Bogota"
    assert told["definition"]["toml"] == NIGHT.lstrip()
    version = told["definition"]["version"]
    assert (version["number"], version["by"], version["note"]) == (1, "eva", "quiet")
    assert [(one["outcome"], one["exit_code"]) for one in told["past"]][:3] == [
        ("skipped", None),
        ("lost", None),
        ("failed", 3),
    ]
    assert len(told["past"]) == len(told["coming"]) == 10
    assert [one["run_id"] for one in told["open_runs"]] == [ids.run_id(NIGHTLY, nights(1))]
    figures = told["figures"]
    assert figures["runs"] - figures["lateness"]["count"] == 1, "the backfilled one"
    assert 25 <= figures["runs"] <= 30
    assert {"failed": 1, "lost": 1}.items() <= figures["outcomes"].items()
    assert told["doubts"] == []
    assert "  due                   at 02:30, every day, America/Bogota" in people.out
    assert "failed (3)" in people.out
    assert "applied by eva" in people.out


async def test_a_description_takes_few_reads(
    past: Past, azurite: Azurite, containers: Containers, tmp_path: Path
) -> None:
    """However many records there are."""
    await asyncio.to_thread(in_force, past, tmp_path, NIGHT)
    a_past(past)
    async with AsyncContainerClient.from_connection_string(
        containers.connection_string, containers.ledger
    ) as ledger:
        calls = StorageCalls(azurite.log, ledger)
        await calls.begin()
        await asyncio.to_thread(past.recur, "describe", "nightly")
        asked = await calls.told()

    assert len(asked) <= MOST_READS
    assert not [call for call in asked if call.changes]
    records = [call for call in asked if call.name.startswith(ids.FINAL_PREFIX)]
    assert len(records) == 1, "that of the failure, for its exit code"


def test_a_removed_schedule_is_described_as_it_was(past: Past, tmp_path: Path) -> None:
    """By the version before the one that removed it; also before a tick has taken that over."""
    in_force(past, tmp_path, NIGHT)
    a_past(past)
    in_force(past, tmp_path, OTHER, "--remove")
    unseen = past.recur("--json", "describe", "nightly").json
    now = datetime.now(UTC)
    timings = (
        Timing(since=nights(99), recurrence=BOGOTA, version=1),
        Timing(since=now - timedelta(hours=1), recurrence=None, removed=True, version=2),
    )
    past.timings(*timings, decided_until=now)

    people, programs = (
        past.recur("describe", "nightly"),
        past.recur("--json", "describe", "nightly"),
    )

    for told in (unseen, programs.json):
        assert told["presence"] == "removed"
        assert told["definition"]["version"]["number"] == 2
        assert told["definition"]["toml"] == NIGHT.lstrip()
        assert told["definition"]["timing"] == "at 02:30, every day, America/Bogota"
        assert len(told["past"]) == 10
        assert told["coming"] == []
    assert people.out.startswith("nightly: removed by version 2 of the document\n")


def test_a_schedule_that_is_new_has_no_past(past: Past, tmp_path: Path) -> None:
    """No tick has seen it, and no summaries are there."""
    in_force(past, tmp_path, NIGHT)

    told = past.recur("describe", "nightly")

    assert told.code == Exit.DONE, told.err
    assert told.out.startswith("nightly: new: no tick has taken it over yet; the next that runs: ")
    assert "last 30 days          no run ended" in told.out
    assert "none is recorded; `recur runs " in told.out


def test_a_ledger_that_is_not_there_is_named(past: Past) -> None:
    """As the other commands do."""
    told = past.recur("describe", "nightly")
    past.ledger.delete_container()

    gone = past.recur("describe", "nightly")

    assert told.code == Exit.REFUSED
    assert "no schedule is in force" in told.err
    assert gone.code == Exit.FOUND
    assert f"there is no container {past.ledger.container_name!r}" in gone.err


@pytest.mark.parametrize(
    ("typed", "hint"), [("nightli", "did you mean nightly?"), ("xx", "there are: nightly")]
)
def test_an_unknown_schedule_names_the_closest(
    past: Past, tmp_path: Path, typed: str, hint: str
) -> None:
    """As the other commands do."""
    in_force(past, tmp_path, NIGHT)

    told = past.recur("describe", typed)

    assert told.code == Exit.REFUSED
    assert f"there is no schedule {typed!r}" in told.err
    assert hint in told.err
