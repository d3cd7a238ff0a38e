"""`make up`: blob storage and a Batch account on the laptop, until Ctrl-C."""

import errno
import fcntl
import os
import re
import shutil
import socket
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.errors import LocalError, StopRequestedError
from local.interrupt import StopRequest
from local.keys import FOLDER, LaptopKeys, close_to_others
from local.laptop import Laptop, LaptopOptions, port_of
from local.provision import put_document, sample_document
from local.settings import OWN, SAMPLE, read_local_settings, settings_file, write_keys
from local.survivors import end_survivors, mark

_ROOT = Path(__file__).resolve().parent.parent
_START_MINUTES_BACK = 6  # more than the five minutes between two occurrences of the schedule
_KEY = re.compile("AccountKey=[^;]*")
_GUIDE = """
  blob storage   {storage}
  Batch account  {batch}   account {account}, pool {pool}, {speed:g} times as fast
  schedules      {ledger}/schedules.toml
  files          {folder}   (blobs, keys, logs, nodes)
  settings       {settings}

Run `make start` in another terminal for the timer functions. Ctrl-C here ends both services.
"""


def up(settings_path: Path | None, folder: Path, pool_speed: float, stop: StopRequest) -> int:
    """
    Run both services in the foreground, at the addresses that the settings name.

    The keys of the folder are written into the settings.

    Args:
        settings_path: By default the app's own settings, made from the sample if they are missing.
        folder: Where blobs, keys, logs and nodes are kept.
        pool_speed: By how much everything is faster that the pool waits for.
        stop: Ends it.
    """
    path = settings_path or settings_file(_ROOT)
    settings = read_local_settings(path)
    options = LaptopOptions(
        folder=folder.resolve(),
        kept=True,
        azurite_port=_free(settings, "DATA_STORAGE_URL", "Azurite", path),
        batch_port=_free(settings, "BATCH_ACCOUNT_URL", "the Batch emulator", path),
        pool_speed=pool_speed,
    )
    options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(options.folder):
        keys = _prepare_keys(options.folder)
        path, changed = write_keys(path, keys)
        if changed:
            _say(f"{path}: the keys of {options.folder} are written into it")
        return _run_laptop(options, keys, path, stop)


def _prepare_keys(folder: Path) -> LaptopKeys:
    if folder.name == FOLDER and close_to_others(folder):
        _say(f"{folder}: other users of this machine can no longer read it")
    return LaptopKeys.of_folder(folder)


def _run_laptop(options: LaptopOptions, keys: LaptopKeys, path: Path, stop: StopRequest) -> int:
    settings = read_local_settings(path)
    shutil.rmtree(
        options.nodes, ignore_errors=True
    )  # the account begins empty, and so do its nodes
    marked = mark()
    try:
        with Laptop(options, settings=settings, keys=keys, tell=_say, pause=stop.pause) as laptop:
            _same_storage(settings, laptop.settings, path)
            _print_guide(laptop, path)
            while True:
                laptop.check()
                stop.pause(0.5)
    except StopRequestedError as stopped:
        _say(f"{stopped}; nothing is left running")
        return 0
    finally:
        end_survivors(marked, options.nodes)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """
    Lock the folder: a second `make up` would delete the nodes and overwrite the blobs of the first.

    Raises:
        LocalError: Another process has it. The lock ends with its process.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                f"{folder} is in use by another `make up`: stop it, or use another folder: "
                ".venv/bin/python -m local up --folder FOLDER"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _free(settings: Mapping[str, str], name: str, what: str, path: Path) -> int:
    port = port_of(settings.get(name, ""))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise LocalError(f"port {port}, for {what}: {error.strerror}") from error
            copy = f"copy {SAMPLE} to {OWN} and " if path.name == SAMPLE else ""
            file = OWN if path.name == SAMPLE else path.name
            raise LocalError(
                f"port {port}, for {what}, is in use: stop the program that listens there (another `make up`?), "
                f"or {copy}replace {port} in every setting of {file}"
            ) from None
    return port


def _same_storage(settings: Mapping[str, str], made: Mapping[str, str], path: Path) -> None:
    for name in ("DATA_STORAGE_URL", "DATA_STORAGE_CONNECTION_STRING", "AzureWebJobsStorage"):
        if settings.get(name) != made[name]:
            shown = _KEY.sub("AccountKey=...", made[name])
            raise LocalError(f"{name} of {path} does not match Azurite here, which has {shown}")


def _print_guide(laptop: Laptop, path: Path) -> None:
    settings, options = laptop.settings, laptop.options
    text = sample_document(minutes_back=_START_MINUTES_BACK)
    if put_document(laptop.storage, settings["LEDGER_CONTAINER"], text):
        _say("schedules.toml: uploaded from local/schedules.toml")
    else:
        _say("schedules.toml: left as it was")
    sys.stdout.write(
        _GUIDE.format(
            storage=settings["DATA_STORAGE_URL"],
            batch=settings["BATCH_ACCOUNT_URL"],
            account=settings["BATCH_ACCOUNT_NAME"],
            pool=settings["BATCH_POOL_ID"],
            speed=options.pool_speed,
            ledger=settings["LEDGER_CONTAINER"],
            folder=options.folder,
            settings=path,
        )
    )
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
