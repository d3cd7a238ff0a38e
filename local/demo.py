"""`make demo`: one schedule, from the timer to its output in blob storage, on this laptop."""

import contextlib
import hashlib
import json
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

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

_SCHEDULE = "hello"
_EVERY_MINUTE = '"* * * * *"'
_EVERY_TWO_SECONDS = "*/2 * * * * *"
_TIMERS = {"SUBMIT_CRON": _EVERY_TWO_SECONDS, "COLLECT_CRON": _EVERY_TWO_SECONDS}
_LIMIT_SECONDS = 120.0
_LOOK_SECONDS = 0.25


def demo(stop: StopRequest) -> int:
    """
    Show one run and return 0; everything it needed is gone afterwards.

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
        raise LocalError("\n".join(["processes were left, and are ended now:", *processes]))


def _run_demo(screen: Display, folder: Path, stop: StopRequest) -> None:
    with Laptop(LaptopOptions(folder=folder), tell=screen.step, pause=stop.pause) as laptop:
        settings = _write_settings(laptop, folder)
        operator = Operator(settings)
        schedules = folder / "schedules.toml"
        schedules.write_text(sample_document(minutes_back=2, cron=_EVERY_MINUTE))
        _show_command(screen, operator, "apply", str(schedules))
        _start_functions(laptop, folder, settings)
        screen.step("the timer functions submit and collect run every 2 seconds")
        watch = Watch(laptop, _SCHEDULE)
        _wait_until(watch, screen, stop, lambda: watch.run_id is not None)
        screen.step(f"{watch.run_id} is submitted; the schedule is paused now, one run will do")
        schedules.write_text(sample_document(minutes_back=2, cron=_EVERY_MINUTE, paused="true"))
        _show_command(screen, operator, "apply", str(schedules))
        _wait_until(watch, screen, stop, lambda: watch.record is not None)
        _show_until_ended(watch, screen, operator)
        _wait_until(watch, screen, stop, lambda: watch.nodes == 0)
        screen.step("the pool is back at zero nodes")


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
    shown = " ".join(Path(word).name if word.startswith("/") else word for word in arguments)
    screen.text(f"$ recur {shown}", said.decode())
    return said


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
            raise LocalError(f"nothing more happened within {_LIMIT_SECONDS:g} s; last: {scene}")
        stop.pause(_LOOK_SECONDS)


def _show_until_ended(watch: Watch, screen: Display, operator: Operator) -> None:
    """Print the record and the output as an operator sees them, and hold the one to the other."""
    record = watch.record or {}
    screen.text(f"The record {watch.record_blob}", json.dumps(record, indent=2))
    _show_command(screen, operator, "runs", _SCHEDULE)
    if record["outcome"] != "succeeded":
        raise LocalError(f"the run did not succeed: {record['sentence']}")
    output = _show_command(screen, operator, "logs", record["run_id"])
    told = {entry["path"]: entry["sha256"] for entry in record["outputs"]}
    if told.get("stdout.txt") != hashlib.sha256(output).hexdigest():
        raise LocalError(f"the record's sha256 of stdout.txt is not that of these bytes: {told}")
    screen.step("the record's sha256 of stdout.txt is that of these bytes")
