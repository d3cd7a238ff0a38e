"""`recur logs` on real runs: the bytes that a task wrote, while it runs and afterwards."""

import asyncio
import hashlib
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import ids
from orchestrator.enums import Outcome, Reason
from orchestrator.ledger.record import Action, How, Kind, LastWords, Output, Record
from recur.errors import Exit
from recur.formats import utc
from recur.run_output.vouching import VERIFIED_BYTES
from tests.support.deployment import operator_of
from tests.support.history_world import Past, nights, past
from tests.support.operator import Told
from tests.support.records import claimed, decided, ran, replaced
from tests.support.terminal import at_a_terminal, read_until
from tests.support.waiting import until
from tests.support.world import POOL, World, schedule

__all__ = ["past"]

BYTES = b"caf\xc3\xa9 \xff\x00\r\n\x1b[31m no newline at the end"

type Recur = Callable[..., Coroutine[Any, Any, Told]]


def stored(past: Past, record: Record, name: str, data: bytes, *, attempt: int = 1) -> None:
    folder = ids.output_prefix(record.schedule, record.nominal, record.run_id, attempt)
    past.outputs.upload_blob(folder + name, data, overwrite=True)


def vouched(record: Record, name: str, data: bytes) -> Record:
    digest = hashlib.sha256(data).hexdigest()
    output = Output(path=name, bytes=len(data), sha256=digest, how=How.PUSHED)
    return replaced(record, outputs=(output,))


def test_an_output_is_written_byte_for_byte(past: Past) -> None:
    """Whatever the bytes are."""
    record = vouched(ran(nights(1)), "stdout.txt", BYTES)
    past.put(record)
    stored(past, record, "stdout.txt", BYTES)
    stored(past, record, "stderr.txt", b"oh\n")
    stored(past, record, "files/report/a.csv", b"1;2\r\n")

    assert past.recur("logs", record.run_id, "--stdout").raw == BYTES
    assert past.recur("logs", record.run_id, "--stderr").raw == b"oh\n"
    assert past.recur("logs", record.run_id, "--output", "files/report/a.csv").raw == b"1;2\r\n"


def test_both_streams_are_written_unless_one_is_named(past: Past) -> None:
    """One after the other; in a pipe no byte is added, and the headings go to stderr."""
    record = ran(nights(1), Outcome.FAILED, Reason.EXIT_CODE)
    past.put(record)
    stored(past, record, "stdout.txt", b"no newline")
    stored(past, record, "stderr.txt", b"no such file\n")

    told = past.recur("logs", record.run_id)

    assert (told.code, told.raw) == (Exit.DONE, b"no newlineno such file\n")
    assert [line for line in told.err.splitlines() if line.startswith("==>")] == [
        "==> stdout.txt <==",
        "==> stderr.txt <==",
    ]
    assert "==>" not in past.recur("logs", record.run_id, "--stderr").err
    as_json = past.recur("--json", "logs", record.run_id).json
    assert (as_json["path"], as_json["text"]) == ("stdout.txt", "no newline")
    assert (as_json["stderr"]["path"], as_json["stderr"]["text"]) == (
        "stderr.txt",
        "no such file\n",
    )


def test_a_stream_that_is_empty_has_no_heading(past: Past) -> None:
    """Where both are, that is said."""
    record = ran(nights(1))
    past.put(record)
    stored(past, record, "stdout.txt", b"")
    stored(past, record, "stderr.txt", b"")

    told = past.recur("logs", record.run_id)

    assert (told.code, told.raw) == (Exit.DONE, b"")
    assert "==>" not in told.err
    assert f"{record.run_id} wrote nothing" in told.err


def test_no_lines_are_asked_for_of_a_run_that_wrote_some(past: Past) -> None:
    """Then nothing is said of what it wrote."""
    record = ran(nights(1))
    past.put(record)
    stored(past, record, "stdout.txt", b"a line\n")
    stored(past, record, "stderr.txt", b"")

    told = past.recur("logs", record.run_id, "--tail", "0")

    assert (told.code, told.raw) == (Exit.DONE, b"")
    assert "wrote nothing" not in told.err


def test_headings_stand_on_the_terminal(past: Past) -> None:
    """Each on a line of its own."""
    record = ran(nights(1))
    past.put(record)
    stored(past, record, "stdout.txt", b"no newline")
    stored(past, record, "stderr.txt", b"oh\n")

    with at_a_terminal(past.someone, "logs", record.run_id) as (terminal, _):
        shown = read_until(terminal, "oh\r\n")

    assert "==> stdout.txt <==\r\nno newline\r\n==> stderr.txt <==\r\noh\r\n" in shown


@pytest.mark.parametrize(("lines", "tail"), [("0", b""), ("2", b"b\nc"), ("9", b"a\nb\nc")])
def test_only_the_last_lines_are_written(past: Past, lines: str, tail: bytes) -> None:
    """After all of it was compared with the record."""
    record = vouched(ran(nights(1)), "stdout.txt", b"a\nb\nc")
    past.put(record)
    stored(past, record, "stdout.txt", b"a\nb\nc")

    assert past.recur("logs", record.run_id, "--stdout", "--tail", lines).raw == tail

    stored(past, record, "stdout.txt", b"a\nx\nc")
    told = past.recur("logs", record.run_id, "--stdout", "--tail", lines)
    assert (told.code, told.raw) == (Exit.FOUND, b"")


def test_of_a_large_output_only_the_end_is_read(past: Past) -> None:
    """It is said that nothing vouches for it then."""
    data = bytes(VERIFIED_BYTES) + b"\nthe end\n"
    record = vouched(ran(nights(1)), "stdout.txt", data)
    past.put(record)
    stored(past, record, "stdout.txt", data)

    told = past.recur("logs", record.run_id, "--stdout", "--tail", "1")

    assert (told.code, told.raw) == (Exit.DONE, b"the end\n")
    assert "only the end of stdout.txt was read" in told.err


def test_of_a_schedule_the_latest_run_that_wrote_something_is_shown(past: Past) -> None:
    """Which one it is stands on stderr; a later one that wrote nothing is passed by."""
    empty = (Output(path="stdout.txt", bytes=0, how=How.PUSHED),)
    silent = replaced(ran(nights(1), Outcome.FAILED, Reason.EXIT_CODE), outputs=empty)
    wrote, before = ran(nights(3)), ran(nights(4))
    past.nightly(since=nights(9), decided_until=nights(1))
    past.put(silent, decided(nights(2), Action.SKIPPED, reason="overlap"), wrote, before)
    stored(past, wrote, "stdout.txt", b"this one\n")

    told = past.recur("logs", "nightly")

    assert (told.code, told.raw) == (Exit.DONE, b"this one\n")
    assert wrote.run_id in told.err
    assert past.recur("--json", "logs", "nightly", "--stdout").json["run_id"] == wrote.run_id
    listed = past.recur("--json", "logs", "nightly", "--outputs").json
    assert listed["run_id"] == wrote.run_id


def test_a_schedule_that_wrote_nothing_leads_to_its_runs(past: Past) -> None:
    """And one that there is not, to those that there are."""
    past.nightly(since=nights(9), decided_until=nights(1))
    past.put(replaced(ran(nights(1)), outputs=()))

    told = past.recur("logs", "nightly")
    assert told.code == Exit.FOUND
    assert "next: recur runs nightly" in told.err
    assert past.recur("logs", "nightli").code == Exit.REFUSED


def test_programs_are_told_size_digest_and_text(past: Past) -> None:
    """The text only where the bytes are one."""
    record = ran(nights(1))
    past.put(record)
    stored(past, record, "stdout.txt", BYTES)
    stored(past, record, "stderr.txt", "café\n".encode())

    told = past.recur("--json", "logs", record.run_id).json
    assert told["sha256"] == hashlib.sha256(BYTES).hexdigest()
    assert (told["bytes"], told["text"]) == (len(BYTES), None)
    assert past.recur("--json", "logs", record.run_id, "--stderr").json["text"] == "café\n"


def test_bytes_that_the_record_does_not_vouch_for_are_told(past: Past) -> None:
    """Somebody has written into the container since."""
    record = vouched(ran(nights(1)), "stdout.txt", b"what was there")
    past.put(record)
    stored(past, record, "stdout.txt", b"what is there")

    told = past.recur("logs", record.run_id)

    assert (told.code, told.raw) == (Exit.FOUND, b"")
    assert "not what the record vouches for" in told.err
    asked = past.recur("logs", record.run_id, "--unverified")
    assert (asked.code, asked.raw) == (Exit.DONE, b"what is there")


def test_a_large_output_is_compared_after_it_was_written(past: Past) -> None:
    """It is not held in memory."""
    data = bytes(VERIFIED_BYTES + 1)
    record = vouched(ran(nights(1)), "stdout.txt", b"1" + data[1:])
    past.put(record)
    stored(past, record, "stdout.txt", data)

    told = past.recur("logs", record.run_id)

    assert (told.code, len(told.raw)) == (Exit.FOUND, len(data))
    assert "not what the record vouches for" in told.err


@pytest.mark.parametrize(
    ("noted", "warning"),
    [
        (None, "files/a is not in the record: nothing vouches for it"),
        (Output(path="files/a", bytes=1, how=How.PUSHED), "not verified byte by byte"),
        (Output(path="files/a", bytes=2, how=How.PUSHED), "has 1 bytes, and had 2"),
        (Output(path="files/a", bytes=1, how=How.PUSHED, undeclared=True), "is undeclared"),
        (Output(path="files/a", how=How.UNVERIFIED, why="no answer"), "byte by byte: no answer"),
    ],
)
def test_what_the_record_does_not_vouch_for_is_written_with_a_warning(
    past: Past, noted: Output | None, warning: str
) -> None:
    """Any task may have put it there."""
    record = replaced(ran(nights(1)), outputs=(noted,) if noted else ())
    past.put(record)
    stored(past, record, "files/a", b"x")

    told = past.recur("logs", record.run_id, "--output", "files/a")

    assert (told.code, told.raw) == (Exit.DONE, b"x")
    assert warning in told.err.replace("\n", " ")
    as_json = past.recur("--json", "logs", record.run_id, "--output", "files/a").json
    assert warning in as_json["warning"]


def test_a_list_of_outputs_leaves_out_what_lies_beside_them(past: Past) -> None:
    """What is not a stream and not among the files was never an output."""
    record = vouched(ran(nights(1)), "stdout.txt", b"1")
    past.put(record)
    for name in ("stdout.txt", "stdout.txt.0", "files/a\u202e.csv"):
        stored(past, record, name, b"1")

    listed = past.recur("logs", record.run_id, "--outputs").out

    assert "stdout.txt.0" not in listed
    assert "files/a\\u202e.csv" in listed
    assert "not in the record" in listed


def test_a_name_that_cannot_be_listed_hides_only_the_files(past: Past) -> None:
    """Azurite answers 500 for a control character, each time."""
    record = vouched(ran(nights(1)), "stdout.txt", b"1")
    past.put(record)
    for name in ("stdout.txt", "files/a\x1b.csv"):
        stored(past, record, name, b"1")

    told = past.recur("logs", record.run_id, "--outputs")

    assert "stdout.txt" in told.out
    assert "storage does not list the files" in told.err


def test_a_record_shows_what_became_of_each_output(past: Past) -> None:
    """Fetched, unverified, undeclared or missing; a list that is cut; and the last line of stderr."""
    outputs = (
        Output(path="stdout.txt", bytes=1, how=How.FETCHED),
        Output(path="stderr.txt", how=How.MISSING, why="its node is gone"),
        Output(path="files/a\x1b", bytes=1, how=How.PUSHED, undeclared=True),
        Output(path="files/b", bytes=1, how=How.UNVERIFIED, why="no answer"),
    )
    words = LastWords(stderr="Traceback\nValueError: \\x1b no\n\n", stdout="out\n")
    record = ran(nights(1), Outcome.FAILED, Reason.EXIT_CODE)
    record = replaced(
        record, outputs=outputs, outputs_total=90_000, unmatched=("*.csv",), last_words=words
    )
    past.put(record)

    shown = past.recur("show", record.run_id).out

    for line in (
        "output        stdout.txt, 1 bytes, fetched from the node",
        "output        stderr.txt, missing: its node is gone",
        "output        files/a\\x1b, 1 bytes, undeclared",
        "output        files/b, 1 bytes, unverified: no answer",
        "output        the record lists 4 of 90000",
        "no output     *.csv matched no file",
        "stderr ends   Traceback",
        "              ValueError: \\x1b no",
    ):
        assert line in shown
    explained = past.recur("explain", record.schedule, utc(record.nominal)).out
    assert "  | ValueError: \\x1b no" in explained
    assert "*.csv matched no file" in explained
    assert "files/b is unverified: no answer" in explained


def test_each_attempt_has_its_own_outputs(past: Past) -> None:
    """The newest by default, another by its number or by its job id."""
    record = ran(nights(1))
    second = replaced(record.attempt, number=2, job_id=ids.job_id(record.run_id, 2))
    record = replaced(record, attempts=(record.attempt, second))
    past.put(record)
    stored(past, record, "stdout.txt", b"first")
    stored(past, record, "stdout.txt", b"second", attempt=2)

    assert past.recur("logs", record.run_id).raw == b"second"
    assert past.recur("logs", record.run_id, "--attempt", "1").raw == b"first"
    assert past.recur("logs", f"{record.run_id}-r2").raw == b"second"
    assert past.recur("logs", record.run_id, "--attempt", "3").code == Exit.REFUSED
    listed = past.recur("--json", "logs", record.run_id, "--outputs", "--attempt", "1").json
    assert [(one["path"], one["bytes"]) for one in listed["outputs"]] == [("stdout.txt", 5)]


def test_a_missing_output_says_why(past: Past) -> None:
    """In the words of the record, or with what there is instead."""
    missing = Output(path="stdout.txt", how=How.MISSING, why="the task never started")
    lost = Output(path="files/a.csv", bytes=3, how=How.PUSHED)
    record = replaced(ran(nights(1)), outputs=(missing, lost), unmatched=("report/*.csv",))
    past.put(record)
    stored(past, record, "stderr.txt", b"x")

    told = past.recur("logs", record.run_id, "--stdout")
    assert (told.code, told.raw) == (Exit.FOUND, b"")
    assert "the task never started" in told.err
    both = past.recur("logs", record.run_id)
    assert (both.code, both.raw) == (Exit.DONE, b"x")
    assert "the task never started" in both.err
    gone = past.recur("logs", record.run_id, "--output", "files/a.csv")
    assert gone.code == Exit.FOUND
    assert "gone from the outputs container" in gone.err
    never = past.recur("logs", record.run_id, "--output", "files/report/daily.csv")
    assert never.code == Exit.FOUND
    assert "files/report/daily.csv was not written: the schedule declares it" in never.err
    unknown = past.recur("logs", record.run_id, "--output", "stderr.tx")
    assert unknown.code == Exit.REFUSED
    assert "did you mean stderr.txt?" in unknown.err
    listed = past.recur("logs", record.run_id, "--outputs").out
    assert "the task never started" in listed
    assert "stderr.txt" in listed


@pytest.mark.parametrize("path", ["../x", "files/../../x", "./stdout.txt", "..", ""])
def test_a_path_that_leads_out_of_a_run_is_refused(past: Past, path: str) -> None:
    """Before storage is asked, which would take it for another blob's name."""
    past.put(ran(nights(1)))

    told = past.recur("logs", ran(nights(1)).run_id, "--output", path)

    assert told.code == Exit.USAGE
    assert f"--output {path!r}" in told.err
    assert "--outputs" in told.err


def test_what_did_not_run_wrote_nothing(past: Past) -> None:
    """It is said why, and where to look."""
    record = decided(nights(1), Action.SKIPPED, reason="overlap")
    past.put(record)

    told = past.recur("logs", record.run_id)

    assert told.code == Exit.FOUND
    assert "skipped (overlap)" in told.err
    assert f"recur show {record.run_id}" in told.err


@pytest.mark.parametrize(
    "options",
    [
        ("--stderr", "--outputs"),
        ("--stdout", "--stderr"),
        ("--follow", "--outputs"),
        ("--tail", "3", "--outputs"),
        ("--follow", "--attempt", "1"),
    ],
)
def test_options_that_exclude_each_other_are_refused(past: Past, options: tuple[str, ...]) -> None:
    """As a usage error."""
    assert past.recur("logs", "x", *options).code == Exit.USAGE


def test_following_a_run_that_has_ended_ends_at_once(past: Past) -> None:
    """With its output, and an exit code by its outcome."""
    good, bad = ran(nights(1)), ran(nights(2), Outcome.FAILED, Reason.EXIT_CODE)
    past.put(good, bad)
    for record in (good, bad):
        stored(past, record, "stdout.txt", b"done")

    told = past.recur("logs", good.run_id, "--follow")
    assert (told.code, told.raw) == (Exit.DONE, b"done")
    told = past.recur("logs", bad.run_id, "--follow")
    assert (told.code, told.raw) == (Exit.FOUND, b"done")
    assert "failed (exit_code)" in told.err


@pytest.fixture
async def recur(world: World, tmp_path: Path) -> Recur:
    """Ask in a thread: the emulator lives in this one."""
    someone = operator_of(world, tmp_path)

    async def ask(*arguments: str) -> Told:
        return await asyncio.to_thread(someone.recur, *arguments)

    return ask


async def test_a_running_task_shows_what_it_has_written_so_far(world: World, recur: Recur) -> None:
    """From its node."""
    await world.pool()
    record = await world.running("hello", "echo so far; sleep 60")

    async def look() -> Told:
        return await recur("logs", record.run_id)

    told = await until(look, lambda seen: bool(seen.raw))

    assert (told.code, told.raw) == (Exit.DONE, b"so far\n")


async def test_a_run_that_waits_has_written_nothing_yet(world: World, recur: Recur) -> None:
    """It is said what it waits for, and how to wait with it."""
    await world.pool(targetDedicatedNodes=0)
    record = await world.running("hello", "true")

    told = await recur("logs", record.run_id)

    assert told.code == Exit.FOUND
    assert "the run is submitted" in told.err
    assert "--follow" in told.err


@pytest.mark.parametrize(("command", "code"), [("true", Exit.DONE), ("exit 3", Exit.FOUND)])
async def test_a_run_is_followed_to_its_end(
    world: World, recur: Recur, tmp_path: Path, command: str, code: Exit
) -> None:
    """Each byte once and in order; the exit code says how it ended."""
    await world.pool()
    gate = tmp_path / "gate"
    script = f"printf 'one\\n'; while ! test -e {gate}; do sleep 0.1; done; printf two; {command}"
    record = await world.running("hello", script)
    await world.task_is(record.run_id, "running")

    following = asyncio.create_task(recur("logs", record.run_id, "--follow"))
    await asyncio.sleep(1)
    assert not following.done()
    gate.touch()
    await world.collect_until_finished()
    told = await following

    assert told.raw == b"one\ntwo"
    assert told.code == code


async def test_both_streams_are_followed_while_the_task_writes(
    world: World, recur: Recur, tmp_path: Path
) -> None:
    """From its node, beginning with the last lines; of a schedule it is the run that is open."""
    await world.pool()
    gate = tmp_path / "gate"
    script = (
        "echo one; echo two; echo oh >&2; "
        f"while ! test -e {gate}; do sleep 0.1; done; echo three; echo dear >&2"
    )
    record = await world.running("hello", script)

    async def tail() -> bytes:
        return (await recur("logs", record.run_id, "--tail", "1")).raw

    await until(tail, lambda seen: seen == b"two\noh\n")
    someone = operator_of(world, tmp_path)
    with at_a_terminal(someone, "logs", "hello", "-f", "--tail", "1") as (terminal, process):
        begun = await asyncio.to_thread(read_until, terminal, "oh\r\n")
        gate.touch()
        await world.collect_until_finished()
        rest = await asyncio.to_thread(read_until, terminal, "succeeded (exit_zero)")
        assert await asyncio.to_thread(process.wait) == Exit.DONE

    assert record.run_id in begun
    assert "==> stdout.txt <==\r\ntwo\r\n==> stderr.txt <==\r\noh\r\n" in begun
    assert "one" not in begun
    assert [rest.count(line) for line in ("three\r\n", "dear\r\n", "two", "oh")] == [1, 1, 0, 0]


async def test_a_node_that_is_gone_takes_no_run_back(
    world: World, recur: Recur, tmp_path: Path
) -> None:
    """What has run is not said to wait again, while no tick has seen its end."""
    await world.pool()
    gate = tmp_path / "gate"
    record = await world.running("hello", f"while ! test -e {gate}; do sleep 0.1; done")
    await world.task_is(record.run_id, "running")
    following = asyncio.create_task(recur("logs", record.run_id, "--follow"))
    await asyncio.sleep(3)  # for it to see that
    gate.touch()
    await world.job_is(record.run_id, "completed")
    await (await world.batch.begin_delete_pool(POOL)).result()
    await asyncio.sleep(5)
    await world.collect_until_finished()
    told = await following

    assert "running" in told.err
    assert "submitted" not in told.err.partition("running")[2]


async def test_the_next_attempt_is_followed_as_well(past: Past) -> None:
    """What the one before left in the container comes first."""
    record = claimed(nights(1), kind=Kind.SCHEDULED)
    past.put_open(record)
    following = asyncio.create_task(
        asyncio.to_thread(past.recur, "logs", record.run_id, "--follow")
    )
    await asyncio.sleep(1)
    assert not following.done()

    stored(past, record, "stdout.txt", b"first ")
    stored(past, record, "stdout.txt", b"second", attempt=2)
    final = ran(nights(1))
    second = replace(final.attempt, number=2, job_id=ids.job_id(record.run_id, 2))
    past.put(replaced(final, attempts=(final.attempt, second)))
    past.ledger.delete_blob(ids.open_blob(record.run_id))
    told = await following

    assert told.raw == b"first second"
    assert told.code == Exit.DONE


async def test_a_terminal_shows_the_state_before_the_output(world: World, tmp_path: Path) -> None:
    """As its node tells it: the ticks see only later that it runs. In between it waits visibly."""
    await world.pool()
    gate = tmp_path / "gate"
    script = f"echo one; while ! test -e {gate}; do sleep 0.1; done; echo two"
    record = await world.running("hello", script)
    someone = operator_of(world, tmp_path)

    with at_a_terminal(someone, "logs", record.run_id, "--follow") as (terminal, process):
        shown = await asyncio.to_thread(read_until, terminal, "one\r\n")
        shown += await asyncio.to_thread(read_until, terminal, "waiting for something new")
        gate.touch()
        await world.collect_until_finished()
        shown += await asyncio.to_thread(read_until, terminal, "succeeded (exit_zero)")
        assert await asyncio.to_thread(process.wait) == Exit.DONE

    assert shown.index(f"{record.run_id}: running, attempt 1") < shown.index("one\r\n")
    assert shown.count("one") == shown.count("two") == 1


def test_what_shows_that_it_waits_is_no_part_of_the_output(past: Past) -> None:
    """Whoever keeps stdout gets the bytes, and sees on the terminal that it goes on."""
    record = claimed(nights(1))
    past.put_open(record)
    command = [sys.executable, "-m", "recur", "--settings", str(past.someone.settings)]
    ours, theirs = pty.openpty()

    with subprocess.Popen(
        [*command, "logs", record.run_id, "--follow"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        try:
            read_until(ours, "waiting for something new")
            stored(past, record, "stdout.txt", BYTES)
            past.put(ran(nights(1)))
            past.ledger.delete_blob(ids.open_blob(record.run_id))
            read_until(ours, "succeeded (exit_zero)")
            assert process.stdout
            assert process.stdout.read() == BYTES
            assert process.wait() == Exit.DONE
        finally:
            process.kill()
            os.close(ours)


async def test_a_real_schedule_is_read_from_tick_to_log(world: World, recur: Recur) -> None:
    """Nothing but the product's own passes, and its command line."""
    await world.pool()
    await world.apply(schedule("hello", "echo $RECUR_RUN_ID"))
    await world.submit()
    (record,) = await world.collect_until_finished()

    told = await recur("logs", record.run_id)

    assert told.out == f"{record.run_id}\n"


async def test_outputs_are_where_their_attempt_put_them(world: World, tmp_path: Path) -> None:
    """Also after settings name another container; of another account's job nothing is concluded."""
    await world.pool()
    await world.apply(schedule("hello", "echo there", minutes=1))
    await world.submit()
    (record,) = await world.collect_until_finished()
    moved = operator_of(world.elsewhere(outputs_container="another"), tmp_path)

    told = await asyncio.to_thread(moved.recur, "logs", record.run_id)

    assert (told.code, told.raw) == (Exit.DONE, b"there\n"), told.err


async def test_a_job_in_another_account_is_not_called_gone(world: World, tmp_path: Path) -> None:
    """`recur show` says where it is."""
    await world.pool()
    record = await world.running("hello", "sleep 60")
    there = replace(record.attempt, account="https://old.batch.example")
    await world.put_open(record.with_attempt(there))

    told = await asyncio.to_thread(operator_of(world, tmp_path).recur, "show", record.run_id)

    assert "its job is in the Batch account https://old.batch.example" in told.out
