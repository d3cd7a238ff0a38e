"""
A thin Functions host: it fires the timers of a ``function_app.py`` through Microsoft's own worker.

It stands in for ``func start`` where Core Tools cannot be had. Of the real host it has the timers:
bindings from the worker's metadata, UTC, one invocation at a time per function, the next one
counted from the start of the last, one past-due run at start, status blobs. It has neither the
lease that keeps two hosts apart nor retry policies, a function timeout or any other trigger.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from local.errors import LocalError
from local.host import worker
from local.host.monitor import MonitorError, StatusBlobs
from local.host.services_down import services_down
from local.host.timers import (
    Ncrontab,
    ScheduleStatus,
    status_after_run,
    status_at_start,
    timer_input,
)
from local.settings import resolve

_log = logging.getLogger("local.host")

_LONGEST_SLEEP_SECONDS = 5.0  # a laptop that was asleep looks at its clock again this soon
_GRACE_SECONDS = 5.0
_LONGEST_REASON = 100  # characters of a failure that has another cause
_STORAGE = "AzureWebJobsStorage"
_HOST_ID = "AzureFunctionsWebHost__hostid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """
    A timer function with its binding resolved.

    Attributes:
        function: What the worker runs.
        parameter: The name of its trigger parameter.
        schedule: When it is due.
        run_on_startup: Whether it also runs whenever the host starts.
        monitored: Whether its status is kept, so that a missed run is made up at start.
    """

    function: worker.Function
    parameter: str
    schedule: Ncrontab
    run_on_startup: bool
    monitored: bool


async def index_timers(app: Path, settings: Mapping[str, str]) -> tuple[Timer, ...]:
    """
    Import ``function_app.py`` as the worker does and return its timers.

    Raises:
        LocalError: It cannot be imported, or has a function that is not a timer.
    """
    os.environ.update({name: text for name, text in settings.items() if name not in os.environ})
    sys.path.insert(0, str(app))
    os.chdir(app)
    return tuple(_timer(function) for function in await worker.index_functions(app))


async def fire_timers(timers: tuple[Timer, ...]) -> bool:
    """
    Fire the timers until SIGINT, SIGTERM or SIGHUP; a running invocation gets a moment.

    Returns:
        Whether every invocation ended; if not, its threads may still be at work.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    monitor = _monitor() if any(timer.monitored for timer in timers) else None
    tasks = [
        asyncio.create_task(_keep(timer, monitor if timer.monitored else None, stop))
        for timer in timers
    ]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())  # one that failed ends them all
    await stop.wait()
    done, late = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
    for task in late:
        task.cancel()
    if late:
        _log.warning("ended %d invocations that took longer than %g s", len(late), _GRACE_SECONDS)
    if monitor:
        monitor.close()
    for task in done:
        task.result()
    _log.info("stopped")
    return not late


async def invoke_timer(timer: Timer, *, past_due: bool, status: ScheduleStatus | None) -> bool:
    """Run a timer function once, now, and return whether it succeeded."""
    name = timer.function.name
    began = time.monotonic()
    failure = await worker.invoke_function(
        timer.function,
        worker.Invocation(
            invocation_id=str(uuid4()),
            parameter=timer.parameter,
            value=timer_input(past_due=past_due, status=status),
            trace_parent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
        ),
    )
    seconds = time.monotonic() - began
    if failure:
        first, stack = _first_line_and_stack(failure)
        if down := await asyncio.to_thread(services_down):
            text = "%s failed in %.2f s: %s: is `make up` running? (%s)"
            _log.error(text, name, seconds, down, first[:_LONGEST_REASON])
        else:
            _log.error("%s failed in %.2f s: %s\n%s", name, seconds, first, stack)
    else:
        _log.info("%s succeeded in %.2f s%s", name, seconds, " (past due)" if past_due else "")
    return failure is None


async def _keep(timer: Timer, monitor: StatusBlobs | None, stop: asyncio.Event) -> None:
    """Fire one timer whenever it is due, one invocation at a time."""
    name = timer.function.name
    now = datetime.now(UTC)
    stored = await _read_status(monitor, name) if monitor else None
    status = status_at_start(timer.schedule, stored, now)
    if monitor and status != stored:
        await _write_status(monitor, name, status)
    past_due = status.next < now
    at_once = past_due or timer.run_on_startup
    _log.info("%s: %s, next at %s", name, timer.schedule.expression, status.next.isoformat())
    while at_once or await _reached(status.next, stop):
        started = datetime.now(UTC)
        await invoke_timer(timer, past_due=past_due, status=status if monitor else None)
        status = status_after_run(timer.schedule, started)
        if monitor:
            await _write_status(monitor, name, status)
        past_due = at_once = False


async def _reached(instant: datetime, stop: asyncio.Event) -> bool:
    """Wait until ``instant``; return False when asked to stop before."""
    while not stop.is_set():
        left = (instant - datetime.now(UTC)).total_seconds()
        if left <= 0:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(left, _LONGEST_SLEEP_SECONDS))
    return False


def _timer(function: worker.Function) -> Timer:
    triggers = [found for found in function.bindings if found["type"] == "timerTrigger"]
    if len(triggers) != 1:
        raise LocalError(f"{function.name} is not a timer function; this host runs only timers")
    trigger = triggers[0]
    schedule = Ncrontab(resolve(trigger["schedule"], os.environ))
    return Timer(
        function=function,
        parameter=trigger["name"],
        schedule=schedule,
        run_on_startup=trigger.get("runOnStartup", False),
        monitored=trigger.get("useMonitor", True) and not schedule.more_than_once_a_minute,
    )


def _monitor() -> StatusBlobs | None:
    connection_string = os.environ.get(_STORAGE)
    if not connection_string:
        _log.warning(
            "AzureWebJobsStorage is not set: an invocation missed while the host is stopped is not caught up"
        )
        return None
    return StatusBlobs(connection_string, os.environ.get(_HOST_ID, "recur-laptop"))


async def _read_status(monitor: StatusBlobs, name: str) -> ScheduleStatus | None:
    try:
        return await asyncio.to_thread(monitor.read, name)
    except MonitorError as error:
        _log.warning("%s: the time of its last invocation is unknown: %s", name, error)
        return None


async def _write_status(monitor: StatusBlobs, name: str, status: ScheduleStatus) -> None:
    try:
        await asyncio.to_thread(monitor.write, name, status)
    except MonitorError as error:  # best effort, as in the host
        _log.warning("%s: its status could not be stored: %s", name, error)


def _first_line_and_stack(failure: worker.FunctionFailure) -> tuple[str, str]:
    return failure.message.partition("\n")[0], failure.stack_trace.rstrip()
