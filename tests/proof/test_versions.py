"""Every applied document counts, from the time on at which it came into force."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from multidict import CIMultiDict

from local.azurite import Azurite
from orchestrator.errors import LedgerConflict
from orchestrator.ids import (
    COLLECT_STATE,
    DOCUMENT,
    SUBMIT_STATE,
    request_blob,
    run_id,
    version_blob,
)
from orchestrator.ledger.request import Request, RequestKind, dump_request
from orchestrator.ledger.versions import InForce, Version
from orchestrator.passes import Application, apply_version
from tests.proof.ending import end
from tests.proof.proxy import Call, Forward, Reply, Reset, let_pass
from tests.proof.scenarios import ONE, at, table
from tests.proof.stage import Stage, open_stage
from tests.proof.troubles import Seconds

TOMORROW = datetime(2026, 6, 2, 8, 30, tzinfo=UTC)
HELD = table("one", "0 * * * *", paused="true")


@pytest.fixture
async def stage(azurite: Azurite, tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(azurite, tmp_path) as opened:
        await opened.pool()
        yield opened


@pytest.fixture
async def hourly(stage: Stage) -> Stage:
    """Return a stage whose schedule ``one`` is due each hour, and is decided up to noon."""
    await stage.apply(table("one", "0 * * * *"))
    await tick(stage)
    return stage


async def tick(stage: Stage, **by: float) -> dict[str, Any]:
    """Let time pass, and a tick come that is not in trouble."""
    stage.clock.move(timedelta(**by))
    told = await stage.tick("submit")
    assert "failed" not in told, told
    return told


async def later(stage: Stage, *tables: str, **by: float) -> None:
    """Let time pass, and the operator apply a document."""
    stage.clock.move(timedelta(**by))
    await stage.apply(*tables)


def state(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.blobs[SUBMIT_STATE])
    return found


def timings(stage: Stage, name: str = "one") -> list[tuple[str, bool, int | None]]:
    """Return since when, whether paused and by which version a schedule has its timings."""
    found = state(stage)["schedules"][name]["timings"]
    return [(one["since"][11:16], one["paused"], one.get("version")) for one in found]


async def versions(stage: Stage) -> dict[int, Version]:
    found = await stage.services["here apply"].ledger.versions()
    return {number: one for number, one in found.items() if one is not None}


async def test_a_pause_holds_from_its_version_on(hourly: Stage) -> None:
    """An edit after it, before a tick comes, does not put it off."""
    await later(hourly, HELD, minutes=30)
    await later(hourly, "# until Monday", HELD, hours=1)

    await tick(hourly, minutes=10)

    assert end(hourly.blobs) == {at("13:00"): "skipped(paused)"}
    assert timings(hourly) == [("12:00", False, 1), ("12:30", True, 2)]
    assert state(hourly)["version"] == 3


async def test_a_schedule_begins_with_the_version_that_added_it(hourly: Stage) -> None:
    """What was due up to an edit after it has its records."""
    both = (table("one", "0 * * * *"), table("two", "0 * * * *"))
    await later(hourly, *both, minutes=30)
    await later(hourly, "# another comment", *both, hours=3)

    await tick(hourly, minutes=10)

    known = [run for run in end(hourly.blobs) if run.startswith("two-")]
    assert sorted(known) == [at("13:00", "two"), at("14:00", "two"), at("15:00", "two")]


async def test_a_timing_that_was_changed_and_changed_back_held_in_between(hourly: Stage) -> None:
    """What it gave is decided."""
    await later(hourly, table("one", "15 * * * *"), minutes=10)
    await later(hourly, table("one", "0 * * * *"), minutes=10)

    await tick(hourly, minutes=1)

    assert end(hourly.blobs) == {at("12:15"): "submitted"}


async def test_a_removal_that_was_undone_removes_nothing(hourly: Stage) -> None:
    """What was due before it is decided as usual; in between nothing was due."""
    await later(hourly, table("two", "30 * * * *"), minutes=65)
    await later(hourly, table("one", "0 * * * *"), hours=1)

    await tick(hourly, minutes=1)

    assert end(hourly.blobs) == {
        at("13:00"): "submitted",
        at("13:30", "two"): "skipped(removed)",
    }


async def test_an_invalid_version_changes_nothing(hourly: Stage) -> None:
    """Neither as a whole nor by one table; what is valid beside it counts."""
    await later(hourly, "[schedules", minutes=5)
    await later(hourly, table("one", "never"), table("two", "0 * * * *"), minutes=5)
    await later(hourly, table("one", "30 * * * *"), table("two", "0 * * * *"), minutes=80)

    await tick(hourly, minutes=1)

    assert end(hourly.blobs) == {at("13:00"): "submitted", at("13:00", "two"): "submitted"}
    assert timings(hourly) == [("12:00", False, 1), ("13:30", False, 4)]


async def test_what_runs_is_what_the_newest_version_says(hourly: Stage) -> None:
    """Its time is of the version in force then; its command is not."""
    await later(hourly, table("one", "0 * * * *", command='"sleep 61"'), hours=1.5)

    await tick(hourly, minutes=1)

    assert record(hourly, at("13:00"))["task"]["command"] == "sleep 61"


async def test_an_idle_tick_reads_three_times(hourly: Stage) -> None:
    """Versions cost nothing where none is new; one that is new costs one read."""
    asked: list[tuple[str, str]] = []

    async def note(call: Call, forward: Forward) -> Reply:
        asked.append((call.method, call.path))
        return await forward()

    hourly.rule(note)
    await tick(hourly, minutes=1)
    idle = list(asked)
    asked.clear()
    hourly.rule(let_pass)
    await later(hourly, HELD)
    hourly.rule(note)
    await tick(hourly)

    assert len(idle) == 3
    assert [call[0] for call in asked if "/documents/" in call[1]] == ["HEAD"]


async def test_what_was_uploaded_by_hand_becomes_a_version(hourly: Stage) -> None:
    """The tick that takes it over archives it, byte by byte; the next one is applied after it."""
    hourly.clock.move(timedelta(minutes=30))
    await hourly.upload(HELD)
    etag, by_hand = hourly.tags[DOCUMENT], hourly.blobs[DOCUMENT]
    await tick(hourly, hours=1)
    await later(hourly, table("one", "0 * * * *"))
    await tick(hourly, hours=1)

    found = await versions(hourly)
    assert hourly.blobs[version_blob(2)] == by_hand
    assert (found[2].by, found[2].etag) == (None, etag)
    assert found[3].before == InForce(number=2, etag=etag, since=found[2].at)
    assert end(hourly.blobs) == {at("13:00"): "skipped(paused)", at("14:00"): "submitted"}


async def test_an_upload_by_hand_is_archived_by_the_next_apply(hourly: Stage) -> None:
    """Where that comes before a tick: it counts from its time on."""
    hourly.clock.move(timedelta(minutes=30))
    await hourly.upload(HELD)
    await later(hourly, table("one", "0 * * * *"), hours=1)

    await tick(hourly, minutes=1)

    assert end(hourly.blobs) == {at("13:00"): "skipped(paused)"}
    assert [timing[2] for timing in timings(hourly)] == [1, 2, 3]


async def test_a_ledger_of_before_versions_goes_on(stage: Stage) -> None:
    """Its document has no number: the first apply archives it."""
    await stage.upload(table("one", "0 * * * *"))
    await tick(stage)
    for name in [name for name in stage.blobs if name.startswith("documents/")]:
        await stage.desk.delete_blob(name)
    before = state(stage)
    before.pop("version")
    for one in before["schedules"].values():
        for timing in one["timings"]:
            timing.pop("version", None)
    await stage.desk.upload_blob(SUBMIT_STATE, json.dumps(before), overwrite=True)
    await later(stage, HELD, minutes=30)

    await tick(stage, minutes=40)

    assert end(stage.blobs) == {at("13:00"): "skipped(paused)"}
    assert timings(stage) == [("12:00", False, None), ("12:30", True, 2)]
    assert sorted(await versions(stage)) == [1, 2]


async def test_an_earlier_version_that_was_put_back_counts_from_then_on(hourly: Stage) -> None:
    """Its number says nothing of when it returned."""
    first, metadata = hourly.blobs[DOCUMENT], await metadata_of(hourly, DOCUMENT)
    await later(hourly, HELD, minutes=30)
    await tick(hourly, hours=1)
    await hourly.desk.upload_blob(DOCUMENT, first, metadata=metadata, overwrite=True)

    await tick(hourly, hours=1)

    assert end(hourly.blobs) == {at("13:00"): "skipped(paused)", at("14:00"): "submitted"}
    assert [timing[2] for timing in timings(hourly)] == [1, 2, 3]


async def test_an_apply_that_died_before_its_commit_was_never_in_force(hourly: Stage) -> None:
    """Who applies something else takes the next number; who does the same again, the same one."""
    await dies_before_commit(hourly, HELD)
    await later(hourly, table("one", "30 * * * *"), minutes=10)
    await dies_before_commit(hourly, HELD)
    await later(hourly, HELD, minutes=30)

    await tick(hourly, minutes=30)

    assert sorted(await versions(hourly)) == [1, 2, 3, 4]
    assert timings(hourly) == [("12:00", False, 1), ("12:10", False, 3), ("12:40", True, 4)]


async def test_of_two_who_apply_at_once_one_is_refused(hourly: Stage) -> None:
    """Whoever compared with what is no longer in force; the version is in no chain."""
    ledger = hourly.services["here apply"].ledger
    compared = hourly.tags[DOCUMENT]
    await later(hourly, HELD, minutes=10)

    with pytest.raises(LedgerConflict):
        await apply_version(ledger, Application(data=b"# late", by="other"), etag=compared)

    assert hourly.blobs[DOCUMENT].decode() == HELD
    await tick(hourly, hours=1)
    assert [timing[2] for timing in timings(hourly)] == [1, 2]


async def test_who_applies_what_another_applied_at_once_is_done(hourly: Stage) -> None:
    """The same document, by the same person, for the same reason: it is there."""
    ledger = hourly.services["here apply"].ledger
    compared = hourly.tags[DOCUMENT]
    given = Application(data=HELD.encode(), by="proof")

    async def another_first(call: Call, forward: Forward) -> Reply:
        if call.method == "PUT" and call.path.endswith(DOCUMENT):
            hourly.rule(let_pass)
            assert await apply_version(ledger, given, etag=compared) == 2
        return await forward()

    hourly.rule(another_first)

    assert await apply_version(ledger, given, etag=compared) == 2
    assert sorted(await versions(hourly)) == [1, 2]


async def test_what_leads_to_versions_that_are_gone_is_taken_from_there_on(hourly: Stage) -> None:
    """Somebody removed a version: the newest one holds."""
    await later(hourly, table("one", "30 * * * *"), minutes=10)
    await later(hourly, HELD, minutes=10)
    await hourly.desk.delete_blob(version_blob(2))

    await tick(hourly, hours=1)

    assert timings(hourly) == [("12:00", False, 1), ("12:20", True, 3)]


@pytest.mark.parametrize("broken", ["[schedules", "valid", None])
async def test_a_state_begun_anew_takes_over_nothing_of_before(
    hourly: Stage, broken: str | None
) -> None:
    """Whatever the document says at that moment; only what is applied from then on counts."""
    await later(hourly, HELD, hours=20)
    if broken is None:
        await hourly.desk.delete_blob(DOCUMENT)
    else:
        await hourly.apply(broken if broken != "valid" else table("one", "0 * * * *"))
    for name in (SUBMIT_STATE, COLLECT_STATE):
        with suppress(ResourceNotFoundError):
            await hourly.desk.delete_blob(name)
    hourly.clock.move(timedelta(minutes=5))
    told = await hourly.tick("begin anew")
    assert "failed" not in told, told

    await later(hourly, table("one", "30 * * * *"), minutes=5)
    await tick(hourly, minutes=30)

    assert end(hourly.blobs) == {run_id(ONE, TOMORROW): "submitted"}


async def test_a_blob_of_a_versions_name_is_in_nobodys_way(hourly: Stage) -> None:
    """Its number is taken, whatever it holds; also one that is beyond what numbers may be."""
    for name in ("documents/2.toml", f"documents/{10**9 - 1}.toml", f"documents/{10**9}.toml"):
        await hourly.desk.upload_blob(name, b"x")

    await later(hourly, HELD, minutes=30)
    await tick(hourly, hours=1)
    await hourly.upload(table("one", "0 * * * *"))
    await tick(hourly, hours=1)

    assert end(hourly.blobs) == {at("13:00"): "skipped(paused)", at("14:00"): "submitted"}


async def test_a_document_that_cannot_be_archived_holds_all_the_same(hourly: Stage) -> None:
    """Storage refuses the blob of its version: what the document says is decided."""

    async def refused(call: Call, forward: Forward) -> Reply:
        if call.method == "PUT" and "/documents/" in call.path:
            return Reply(400, CIMultiDict({"x-ms-error-code": "InvalidInput"}), b"")
        return await forward()

    await hourly.upload(HELD)
    hourly.rule(refused)
    await tick(hourly, hours=1)

    assert end(hourly.blobs) == {at("13:00"): "skipped(paused)"}


@pytest.fixture
async def slow(azurite: Azurite, tmp_path: Path) -> AsyncIterator[Stage]:
    """Return a stage like ``hourly``, whose ticks read two versions of the past at most."""
    seconds = Seconds()

    async def slowly(call: Call, forward: Forward) -> Reply:
        if call.method == "GET" and "/documents/" in call.path:
            seconds.ahead += 8
        return await forward()

    async with open_stage(
        azurite, tmp_path, clock_of_ticks=lambda: seconds.ahead, at_once=1
    ) as stage:
        await stage.pool()
        await stage.apply(table("one", "0 * * * *", catch_up='{ mode = "none" }'))
        await tick(stage)
        stage.rule(slowly)
        yield stage


async def test_versions_that_are_too_many_for_a_tick_are_taken_over_by_the_next(
    slow: Stage,
) -> None:
    """Each tick decides up to the first that it left; in the end nothing differs."""
    for n in range(8):
        paused = "true" if n % 2 else "false"
        await later(slow, table("one", "0 * * * *", paused=paused), hours=1)
    await ask(slow)
    seen: list[tuple[int, str, bool]] = []
    while not seen or seen[-1][0] < 9:
        assert len(seen) < 9, "a tick takes over one at least"
        await tick(slow)
        now = state(slow)
        decided = now["schedules"]["one"]["decided_until"][11:16]
        seen.append((now["version"], decided, await asked(slow)))

    assert seen == [
        (3, "15:00", True),
        (5, "17:00", True),
        (7, "19:00", True),
        (9, "20:00", False),
    ]
    assert state(slow)["document"] == slow.tags[DOCUMENT]
    told = end(slow.blobs)
    skipped = [run for run, what in told.items() if what == "skipped(paused)"]
    assert sorted(skipped) == [at(f"{hour}:00") for hour in (15, 17, 19)]
    assert len(told) == 8


async def test_what_a_version_left_for_the_next_tick_brings_back_is_not_removed(
    slow: Stage,
) -> None:
    """The newest version says what is removed, also while its timings are not taken over."""
    one = table("one", "0 * * * *")
    await later(slow, table("two", "0 * * * *"), minutes=90)
    await later(slow, "# the same", table("two", "0 * * * *"), minutes=1)
    await later(slow, one, hours=1)
    await later(slow, "# the end", one, minutes=5)

    await tick(slow)
    between = (state(slow)["version"], end(slow.blobs))
    await tick(slow)

    assert between == (3, {at("13:00"): "submitted"})
    assert state(slow)["version"] == 5
    assert end(slow.blobs) == {
        at("13:00"): "submitted",
        at("14:00", "two"): "skipped(removed)",
    }


async def ask(stage: Stage) -> None:
    """Let an operator ask for something."""
    request = Request(id="r1", kind=RequestKind.RESUME, by="proof", schedule=ONE)
    await stage.desk.upload_blob(request_blob(request.id), dump_request(request))


async def asked(stage: Stage) -> bool:
    """Tell whether the request still waits."""
    return await stage.ledger.get_blob_client(request_blob("r1")).exists()


async def dies_before_commit(stage: Stage, *tables: str) -> None:
    """Let an operator apply a document, and the connection break at its commit, for good."""

    async def broken(call: Call, forward: Forward) -> Reply:
        if call.method == "PUT" and call.path.endswith(DOCUMENT):
            raise Reset
        return await forward()

    stage.rule(broken)
    stage.document = "\n".join(tables)
    assert "failed" in await stage.tick("apply")
    stage.rule(let_pass)


async def metadata_of(stage: Stage, name: str) -> dict[str, str]:
    properties = await stage.desk.get_blob_client(name).get_blob_properties()
    return dict(properties.metadata)


def record(stage: Stage, run: str) -> dict[str, Any]:
    (data,) = [data for name, data in stage.blobs.items() if name.endswith(f"/{run}.json")]
    found: dict[str, Any] = json.loads(data)
    return found
