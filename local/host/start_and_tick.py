"""The functions run on this laptop: `make start`, and one tick by hand."""

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from local.errors import LocalError
from local.host import functions_host, worker
from local.host.log_lines import write_log_lines
from local.host.services_down import services_down
from local.keys import FOLDER, LaptopKeys
from local.settings import SAMPLE, lacks_keys, read_local_settings, settings_file, write_keys

_log = logging.getLogger("local.host")


def start(app: Path, settings: Path | None) -> int:
    """
    Fire the timers of an app until Ctrl-C or SIGTERM.

    Args:
        app: The folder of ``function_app.py``.
        settings: Its settings; by default the app's own, or the sample.
    """
    write_log_lines()
    ended = asyncio.run(_fire_until_stopped(app.resolve(), _read_settings(app, settings)))
    if not ended:
        logging.shutdown()
        os._exit(0)  # what was cut off may have left a thread that nobody can end
    worker.stop_worker()
    return 0


def invoke_once(app: Path, settings: Path | None, function: str) -> int:
    """Invoke one function once, now; the exit code says whether it succeeded."""
    write_log_lines()
    succeeded = asyncio.run(_invoke_once(app.resolve(), _read_settings(app, settings), function))
    worker.stop_worker()
    return 0 if succeeded else 1


def _read_settings(app: Path, settings: Path | None) -> dict[str, str]:
    path = (settings or _own_settings(app)).resolve()
    _log.info("settings of %s; environment variables override them", path)
    return read_local_settings(path)


def _own_settings(app: Path) -> Path:
    """Return the app's settings file, made from the sample where that lacks keys."""
    path = settings_file(app)
    if path.name != SAMPLE or not lacks_keys(read_local_settings(path)):
        return path
    path, _ = write_keys(path, LaptopKeys.of_folder(app / FOLDER))
    _log.info("made %s with the keys of %s", path, app / FOLDER)
    return path


async def _fire_until_stopped(app: Path, settings: Mapping[str, str]) -> bool:
    timers = await functions_host.index_timers(app, settings)
    if down := services_down():
        _log.warning("%s: is `make up` running?", down)
    return await functions_host.fire_timers(timers)


async def _invoke_once(app: Path, settings: Mapping[str, str], function: str) -> bool:
    timers = {
        timer.function.name: timer for timer in await functions_host.index_timers(app, settings)
    }
    if function not in timers:
        raise LocalError(f"there is no function {function!r}, only {', '.join(sorted(timers))}")
    return await functions_host.invoke_timer(timers[function], past_due=False, status=None)
