"""`make demo`: two schedules, from the timer to their outputs, on this laptop; one fails."""

import contextlib
import hashlib
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from batch_emulator.secret_file import write_private
from local.child import Child
from local.display import Display, display
from local.errors import LocalError, StopRequestedError
from local.interrupt import StopRequest
from local.laptop import Laptop, LaptopOptions
from local.operator import Operator
from local.provision import sample_document
from local.settings import settings_document
from local.survivors import end_survivors, mark
from local.watch import Watch

_WORKS, _FAILS = "hello", "broken"
_BROKEN = """
[schedules.broken]
cron = {cron}
command = "cat orders.csv > report.csv"
start = {start}
"""
_POOL_SPEED = 120.0
_EVERY_TWO_SECONDS = "*/2 * * * * *"
_TIMERS = {"SUBMIT_CRON": _EVERY_TWO_SECONDS, "COLLECT_CRON": _EVERY_TWO_SECONDS}
_LIMIT_SECONDS = 120.0
_LOOK_SECONDS = 0.25


def demo(stop: StopRequest) -> int:
    """
    Show two runs and return 0; everything it needed is gone afterwards.

    Raises:
        StopRequestedError: A signal came.
        LocalError: Anything else has gone wrong, with the folder of the logs.
    """
    folder = Path(tempfile.mkdtemp(prefix="recur-demo-"))
    marked = mark()
    keep = True
    try:
        with explained(folder), display() as screen:
            _run_demo(screen, folder, stop)
            _none_left(end_survivors(marked, folder))
            screen.step("everything is stopped, done")
        keep = False
    except StopRequestedError:
        keep = False
        raise
    finally:
        end_survivors(marked, folder)
        if not keep:
            shutil.rmtree(folder)
    return 0


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """
    Make of whatever goes wrong a reason for people, and say where the logs are.

    The stack of what nobody expected is kept with the logs.

    Raises:
        StopRequestedError: A signal came.
        LocalError: Anything else.
    """
    try:
        yield
    except StopRequestedError:
        raise
    except Exception as error:
        reason = str(error) if isinstance(error, LocalError) else f"{type(error).__name__}: {error}"
        if not isinstance(error, LocalError):
            with contextlib.suppress(OSError):  # a full disk may be the very reason
                (folder / "demo.log").write_text(traceback.format_exc())
        raise LocalError(f"{reason}\nThe logs are in {folder}") from error


def _none_left(processes: list[str]) -> None:
    if processes:
        raise LocalError(
            "\n".join(["these processes were still running and are being ended:", *processes])
        )


def _run_demo(screen: Display, folder: Path, stop: StopRequest) -> None:
    options = LaptopOptions(folder=folder, pool_speed=_POOL_SPEED, brief=True)
    with Laptop(options, tell=screen.step, pause=stop.pause) as laptop:
        settings = _write_settings(laptop, folder)
        operator = Operator(settings)
        watch = Watch(laptop, (_WORKS, _FAILS))
        screen.scene(watch.look())
        _start_functions(laptop, folder, settings)  # it loads while the document is applied
        schedules = folder / "schedules.toml"
        schedules.write_text(demo_document(datetime.now(UTC)))
        _show_command(screen, operator, "apply", str(schedules), "--next", "0")
        screen.step("the timer functions submit and collect run every 2 seconds")
        _wait_until(watch, screen, stop, lambda: watch.ended)
        _show_both_ends(watch, screen, operator)
        _wait_until(watch, screen, stop, lambda: watch.nodes == 0)
        screen.step("the pool is back at zero nodes")


def demo_document(now: datetime) -> str:
    """Return two schedules, each due once a day, at the last full minute that is a minute old."""
    due = now.replace(second=0, microsecond=0) - timedelta(minutes=1)
    cron = f'"{due.minute} {due.hour} * * *"'
    start = (due - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    hello = sample_document(minutes_back=2, cron=cron, catch_up='{ mode = "latest" }')
    return hello + _BROKEN.format(cron=cron, start=start)


def _write_settings(laptop: Laptop, folder: Path) -> Path:
    """Write what the functions and the operator's commands are told of this laptop."""
    path = folder / "local.settings.json"
    write_private(path, settings_document(laptop.settings | _TIMERS))
    return path


def _start_functions(laptop: Laptop, folder: Path, settings: Path) -> None:
    """Start the thin host in a process of its own, so that its log does not mix with this."""
    laptop.run(
        Child(
            "the functions host",
            [sys.executable, "-m", "local", "host", "--settings", str(settings)],
            log=folder / "functions.log",
            # The environment wins over a settings file, so it says the same.
            environment=laptop.settings | _TIMERS,
        )
    )


def _show_command(screen: Display, operator: Operator, *arguments: str) -> bytes:
    """Run `recur` and show what it says."""
    said = operator.recur(*arguments)
    screen.text(_typed(arguments), said.decode())
    return said


def _typed(arguments: Sequence[str]) -> str:
    """Return a command as it would be typed, without the folder of a file."""
    shown = (Path(word).name if word.startswith("/") else word for word in arguments)
    return f"$ recur {' '.join(shown)}"


def _wait_until(
    watch: Watch, screen: Display, stop: StopRequest, reached: Callable[[], bool]
) -> None:
    limit = time.monotonic() + _LIMIT_SECONDS
    while True:
        stop.pause(0)  # a signal counts also where nothing is left to wait for
        watch.laptop.check()
        scene = watch.look()
        screen.scene(scene)
        if reached():
            return
        if time.monotonic() > limit:
            raise LocalError(f"no progress within {_LIMIT_SECONDS:g} s; last: {scene}")
        stop.pause(_LOOK_SECONDS)


def _show_both_ends(watch: Watch, screen: Display, operator: Operator) -> None:
    """Show both runs as an operator sees them, and hold the record of one to its output."""
    worked, failed = watch.records[_WORKS], watch.records[_FAILS]
    wanted = {"succeeded": worked, "failed": failed}
    for outcome, record in wanted.items():
        if record["outcome"] != outcome:
            raise LocalError(f"{record['run_id']} has not {outcome}: {record['sentence']}")
    commands = (("logs", worked["run_id"]), ("explain", _FAILS, failed["nominal"]))
    with ThreadPoolExecutor(len(commands)) as pool:  # each takes a second to load
        output, explained = pool.map(lambda words: operator.recur(*words), commands)
    screen.text(f"The record {watch.blobs[_WORKS]}, in short", _in_short(worked))
    screen.text(_typed(commands[0]), output.decode())
    told = {entry["path"]: entry["sha256"] for entry in worked["outputs"]}
    if told.get("stdout.txt") != hashlib.sha256(output).hexdigest():
        raise LocalError(f"the record's sha256 of stdout.txt is not that of these bytes: {told}")
    screen.step("the record's sha256 of stdout.txt is that of these bytes")
    screen.text(_typed(commands[1]), explained.decode())


def _in_short(record: Mapping[str, Any]) -> str:
    """Return what matters most in a final record, in a few lines."""
    attempt = record["attempts"][-1]
    lines = [
        f"  outcome:    {record['outcome']} ({record['reason']}), exit code {attempt['exit_code']}",
        f"  due:        {record['nominal']}, submitted {record['lateness_seconds']:.0f} s later",
        f"  ran:        {attempt['started']} to {attempt['finished']}, attempt {attempt['number']}",
    ]
    lines += [
        f"  {one['path'] + ':':<12}{one['bytes']} bytes, sha256 {one['sha256']}"
        for one in record["outputs"]
        if one["bytes"]
    ]
    return "\n".join(lines)
