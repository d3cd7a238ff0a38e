"""The two timer functions: a heartbeat each. What is due is decided by the passes."""

import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cache

import azure.functions as func

from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import Settings, read_settings
from orchestrator.adapters.telemetry import Event, emit, flush
from orchestrator.passes import Services, collect_finished, open_services, submit_due

# The Azure clients tell of every request at INFO: a bill, and no news.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)

app = func.FunctionApp()
_cache = Cache()


@cache
def _settings() -> Settings:
    """Read the settings once; where they are wrong, each tick says so."""
    return read_settings(os.environ)


@app.timer_trigger(arg_name="timer", schedule="%SUBMIT_CRON%", use_monitor=True)
async def submit(timer: func.TimerRequest) -> None:
    """Submit a Batch job for every occurrence that is due."""
    await _tick("submit", submit_due, timer)


@app.timer_trigger(arg_name="timer", schedule="%COLLECT_CRON%", use_monitor=True)
async def collect(timer: func.TimerRequest) -> None:
    """Collect the outcome and the outputs of every run that has ended."""
    await _tick("collect", collect_finished, timer)


async def _tick(
    function: str,
    run: Callable[[Services], Awaitable[Mapping[str, int | str]]],
    timer: func.TimerRequest,
) -> None:
    """Do one pass and give the heartbeat; a failure fails the invocation, the next tick goes on."""
    try:
        async with open_services(_settings(), _cache) as services:
            counts = await run(services)
    except Exception as error:
        emit(Event.TICK_FINISHED, function=function, past_due=timer.past_due, problem=str(error))
        raise
    else:
        emit(Event.TICK_FINISHED, function=function, past_due=timer.past_due, **counts)
    finally:
        await flush()
