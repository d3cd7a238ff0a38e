"""Outputs that cannot be read, that nobody declared, and that are planted in the way of others."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.storage.blob import StandardBlobTier

from orchestrator.enums import Outcome, OutputCode
from orchestrator.ledger.record import How, Output, Record
from tests.contract.conftest import Batch, Start
from tests.support.ended_runs import by_path, completed, remove
from tests.support.world import World

HOUR = timedelta(hours=1)


async def wait_an_hour(world: World, record: Record) -> None:
    """Let the first look that failed be an hour ago."""
    (opened,) = [one for one in await world.open() if one.run_id == record.run_id]
    assert opened.outputs_unread_since is not None
    since = opened.outputs_unread_since - HOUR
    await world.put_open(replace(opened, outputs_unread_since=since))


async def test_an_output_that_cannot_be_read_keeps_a_run_open_for_an_hour(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It lies in the archive; what can be read is verified meanwhile, and only once."""
    await world.pool()
    record = await completed(world, "hello", "echo 1 > a.csv; echo out", outputs='["*.csv"]')
    blob = world.outputs.get_blob_client(f"{record.output_prefix}files/a.csv")
    await blob.set_standard_blob_tier(StandardBlobTier.ARCHIVE)
    other = await completed(world, "other", "echo fine")

    await world.collect()
    (final,) = await world.final()
    assert final.run_id == other.run_id
    await world.collect()
    (opened,) = await world.open()
    assert [one.path for one in opened.outputs] == ["stdout.txt", "stderr.txt"]
    await wait_an_hour(world, record)
    caplog.clear()
    await world.collect()

    final = next(one for one in await world.final() if one.run_id == record.run_id)
    found = by_path(final)
    archived = found["files/a.csv"]
    assert (final.outcome, archived.how, archived.code, archived.bytes) == (
        Outcome.SUCCEEDED,
        How.UNVERIFIED,
        OutputCode.UNREADABLE,
        2,
    )
    assert "BlobArchived" in (archived.why or "")
    assert found["stdout.txt"].sha256 == hashlib.sha256(b"out\n").hexdigest()
    assert "ledger.trouble what=outputs_unverified" in caplog.text


async def test_a_missing_container_holds_up_nobody_else(world: World) -> None:
    """After an hour the run ends, its outputs unverified."""
    await world.pool()
    record = await completed(world, "hello", "true")
    await world.outputs.delete_container()

    await world.collect()
    await wait_an_hour(world, record)
    await world.collect()

    (final,) = await world.final()
    assert {one.how for one in final.outputs} == {How.UNVERIFIED}
    assert all("ContainerNotFound" in (one.why or "") for one in final.outputs)
    assert await world.open() == []


async def test_a_name_that_cannot_be_listed_spoils_the_list_alone(world: World) -> None:
    """Azurite answers 500 for a control character, each time; the streams are verified."""
    await world.pool()
    record = await completed(world, "hello", "echo out", outputs='["*"]')
    await world.outputs.upload_blob(f"{record.output_prefix}files/a\x1b", b"1")

    await world.collect()
    await wait_an_hour(world, record)
    await world.collect()

    (final,) = await world.final()
    found = by_path(final)
    assert found["stdout.txt"].sha256 == hashlib.sha256(b"out\n").hexdigest()
    assert (found["files/"].how, found["files/"].code) == (How.UNVERIFIED, OutputCode.UNREADABLE)
    assert final.unmatched == ()


async def with_faults(world: World, start_batch: Start) -> tuple[World, Batch]:
    """Return this product with an account that has faults on demand."""
    faulty = await start_batch(faults=True)
    there = replace(world.elsewhere(batch_account_url=faulty.url), batch=faulty.client)
    await there.pool()
    return there, faulty


async def test_what_a_slow_listing_found_is_fetched(world: World, start_batch: Start) -> None:
    """Listing the node takes longer than a run has: the first tick stores what came in time."""
    there, faulty = await with_faults(world, start_batch)
    command = "echo 1 > a.csv; touch $(seq -f z%04g 1100); exit 1"
    record = await completed(there, "hello", command, outputs='["*.csv"]')
    await remove(there, record, "stdout.txt", "files/a.csv")
    await faulty.faults.add("latency", operation="list_task_files", milliseconds=5500)

    await there.collect()

    (final,) = await there.final()
    found = by_path(final)
    assert {found[path].how for path in ("stdout.txt", "files/a.csv")} == {How.FETCHED}
    assert (found["files/"].how, found["files/"].code) == (How.UNVERIFIED, OutputCode.LISTING_CUT)
    assert await there.output(final, "files/a.csv") == b"1\n"


async def test_ticks_that_bring_nothing_new_keep_a_run_open_for_an_hour(
    world: World, start_batch: Start
) -> None:
    """The node gives none of the files, and takes the whole time of each tick for that."""
    there, faulty = await with_faults(world, start_batch)
    command = "for name in a b c; do echo 1 > $name.csv; done; echo out; exit 1"
    record = await completed(there, "hello", command, outputs='["*.csv"]')
    await remove(there, record, *(f"files/{name}.csv" for name in "abc"))
    await faulty.faults.add("latency", method="HEAD", path=".*/files/.+", milliseconds=6000)
    await faulty.faults.add("refusal", method="GET", path=".*/files/.+", status=403)

    await there.collect()
    await wait_an_hour(there, record)
    await there.collect()

    (final,) = await there.final()
    found = by_path(final)
    assert [found[f"files/{name}.csv"].code for name in "ab"] == [OutputCode.REFUSED] * 2
    assert (found["files/"].how, found["files/"].code) == (How.UNVERIFIED, OutputCode.UNREADABLE)
    assert found["stdout.txt"].sha256 == hashlib.sha256(b"out\n").hexdigest()
    assert final.unmatched == ()


async def test_planted_blobs_are_not_looked_at_or_marked(world: World) -> None:
    """Beside the streams they cost nothing; among the files they are undeclared."""
    await world.pool()
    record = await completed(world, "hello", "echo 1 > a.csv", outputs='["*.csv", "b/*"]')
    folder = record.output_prefix
    names = [f"stdout.txt.{number}" for number in range(200)]
    names += ["files/0.txt", "files/a.csv.bak", "r2/stdout.txt", "x"]
    await asyncio.gather(*(world.outputs.upload_blob(f"{folder}{n}", b"forged") for n in names))

    (final,) = await world.collect_until_finished()

    assert [(one.path, one.undeclared, one.sha256 is None) for one in final.outputs] == [
        ("stdout.txt", False, False),
        ("stderr.txt", False, False),
        ("files/a.csv", False, False),
        ("files/0.txt", True, True),
        ("files/a.csv.bak", True, True),
    ]
    assert (final.outputs_total, final.unmatched) == (5, ("b/*",))


async def test_a_list_of_outputs_is_cut_and_says_so(world: World) -> None:
    """What is declared comes before what is planted, whatever their names."""
    await world.pool()
    record = await completed(world, "hello", "echo 1 > z.csv", outputs='["z.csv"]')
    folder = f"{record.output_prefix}files/"
    slots = asyncio.Semaphore(16)

    async def plant(number: int) -> None:
        async with slots:
            await world.outputs.upload_blob(f"{folder}{number:05}", b"")

    await asyncio.gather(*(plant(number) for number in range(1200)))

    (final,) = await world.collect_until_finished(within=120)

    assert (len(final.outputs), final.outputs_total) == (1000, 1203)
    assert [one.path for one in final.outputs[:3]] == ["stdout.txt", "stderr.txt", "files/z.csv"]
    assert final.outputs[2].sha256


@pytest.mark.parametrize(
    ("command", "stderr", "stdout"),
    [
        (r"echo out; printf 'a\n\033[1mb \377\n' >&2; exit 3", "a\n\\x1b[1mb \ufffd\n", "out\n"),
        ("seq 10000 >&2; exit 3", None, ""),
        ("true", None, None),
    ],
)
async def test_the_last_words_of_a_run_that_did_not_succeed(
    world: World, command: str, stderr: str | None, stdout: str | None
) -> None:
    """Two KiB of each stream, as text that a terminal shows as it is."""
    await world.pool()
    await completed(world, "hello", command)

    (final,) = await world.collect_until_finished()

    words = final.last_words
    if stdout is None:
        assert words is None
        return
    assert words is not None
    assert words.stdout == stdout
    if stderr is not None:
        assert words.stderr == stderr
    else:
        assert len(words.stderr) == 2048
        assert words.stderr.endswith("9999\n10000\n")


async def test_last_words_of_a_large_stream_are_its_end(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """It is verified by size alone; the event tells the last line of stderr."""
    await world.pool()
    size = 65 * 1024 * 1024
    await completed(world, "hello", f"head -c {size} /dev/zero; echo end; echo why >&2; exit 1")

    (final,) = await world.collect_until_finished()

    stdout = by_path(final)["stdout.txt"]
    assert (stdout.bytes, stdout.sha256, stdout.how) == (size + 4, None, How.PUSHED)
    assert final.last_words is not None
    assert final.last_words.stdout.endswith("\\x00end\n")
    assert "last_words=why" in caplog.text


async def test_last_words_can_be_turned_off(world: World) -> None:
    """What a job writes may be secret."""
    await world.pool()
    await completed(world, "hello", "echo secret >&2; exit 1", last_words="false")

    (final,) = await world.collect_until_finished()

    assert final.last_words is None


async def test_what_was_verified_is_not_read_again_after_a_death(world: World) -> None:
    """The note of an earlier tick stands, although the bytes have been changed since."""
    await world.pool()
    record = await completed(world, "hello", "head -c 1000 /dev/zero; exit 1")
    blob = world.outputs.get_blob_client(f"{record.output_prefix}stderr.txt")
    await blob.upload_blob(b"x", overwrite=True)
    await blob.set_standard_blob_tier(StandardBlobTier.ARCHIVE)
    await world.collect()
    (opened,) = await world.open()
    noted = by_path(opened)["stdout.txt"]
    assert noted.sha256 == hashlib.sha256(bytes(1000)).hexdigest()
    changed = b"x" * 1000
    await world.outputs.upload_blob(f"{record.output_prefix}stdout.txt", changed, overwrite=True)
    await blob.delete_blob()
    await blob.upload_blob(b"x")

    (final,) = await world.collect_until_finished()

    assert by_path(final)["stdout.txt"] == noted
    assert final.outputs_unread_since is None


async def test_outputs_of_an_attempt_that_is_followed_are_fetched_too(world: World) -> None:
    """Once its next attempt is written down; `recur logs --attempt 1` shows them."""
    await world.pool()
    record = await completed(
        world, "hello", "echo $RECUR_ATTEMPT; exit 1", retries='{ max = 1, on = ["failed"] }'
    )
    await world.outputs.delete_blob(f"{record.output_prefix}stdout.txt")

    counts = await world.collect()

    assert counts["retried"] == 1
    assert await world.output(record) == b"1\n"
    (opened,) = await world.open()
    assert (opened.attempt.number, opened.outputs) == (2, ())


async def test_outputs_of_another_account_are_left_unverified(world: World) -> None:
    """Each attempt keeps the place of its outputs, whatever the settings are now."""
    await world.pool()
    record = await completed(world, "hello", "true")
    attempt = replace(record.attempt, outputs_url="https://other.example/outputs")
    await world.put_open(record.with_attempt(attempt))

    await world.collect()
    await wait_an_hour(world, record)
    await world.collect()

    (final,) = await world.final()
    assert {one.how for one in final.outputs} == {How.UNVERIFIED}
    assert all("https://other.example/outputs" in (one.why or "") for one in final.outputs)


async def test_outputs_that_an_earlier_version_noted_stay(world: World) -> None:
    """It wrote them together with the end, and counted none."""
    await world.pool()
    record = await completed(world, "hello", "echo hi")
    await world.collect()
    (final,) = await world.final()
    outputs = (Output(path="stdout.txt", how=How.MISSING, why="an earlier version said so"),)
    await world.ledger.delete_blob(final.blob)
    earlier = replace(final, outputs=outputs, outputs_total=None)
    await world.claim(earlier)

    await world.collect()

    (again,) = await world.final()
    assert again.outputs == outputs
    assert again.run_id == record.run_id
