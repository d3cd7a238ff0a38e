"""Run an emulated Batch account on 127.0.0.1 until a signal ends it."""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from batch_emulator.clients_help import client_variables, clients_help, shell_exports
from batch_emulator.clock import Clock, RealClock
from batch_emulator.keys import (
    KEY_VARIABLE,
    STORAGE_VARIABLE,
    TOKEN_VARIABLE,
    find_keys,
    find_storage,
)
from batch_emulator.options import DEFAULT_ACCOUNT, DEFAULT_PORT, Options, SignalExitCode
from batch_emulator.package import Package
from batch_emulator.runtime.nodes import wipe
from batch_emulator.runtime.store import KEYS, NODES
from batch_emulator.secret_file import write_private
from batch_emulator.server import Emulator
from batch_emulator.simulation import read_simulation
from batch_emulator.virtual_clock import IdleLoop, VirtualClock
from batch_emulator.wire import now

_COLLECTION_THRESHOLDS: Final = (10_000, 20, 1000)
_LAST_PORT: Final = 65535
_FASTEST: Final = 100_000.0
"""The fastest clock: it reaches the year 9999 within a month."""
_SCRATCH: Final = Path(tempfile.gettempdir(), f"batch-emulator-{uuid.uuid4().hex}")
"""The nodes' folder if none is given; it is removed at the end."""


def _checked[T](read: Callable[[str], T]) -> Callable[[str], T]:
    def check(argument: str) -> T:
        try:
            return read(argument)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return check


def _port(argument: str) -> int:
    port = int(argument)
    if not 0 <= port <= _LAST_PORT:
        raise ValueError(f"not a port, 0 to {_LAST_PORT}: {port}")
    return port


def _seconds(argument: str) -> float:
    seconds = float(argument)
    if not 0 <= seconds < float("inf"):
        raise ValueError("not a number of seconds")
    return seconds


def _speed(argument: str) -> float:
    speed = float(argument)
    if not 0 < speed < float("inf"):
        raise ValueError("not a positive number")
    return speed


def _clock_speed(argument: str) -> float:
    speed = _speed(argument)
    if speed > _FASTEST:
        raise ValueError("too large")
    return speed


def _moment(argument: str) -> datetime:
    moment = datetime.fromisoformat(argument)
    if moment.tzinfo is None:
        raise ValueError("the time has no zone: end it with Z")
    return moment.astimezone(UTC)


def _clock(kind: str, start: datetime | None) -> Clock:
    """
    Return the clock that is asked for.

    Raises:
        ValueError: The kind is unknown, or a start is given for a clock that is not virtual.
    """
    if kind == "virtual":
        return VirtualClock(start or now())
    if start is not None:
        raise ValueError("--clock-start needs --clock virtual")
    try:
        return RealClock() if kind == "real" else RealClock(speed=_clock_speed(kind))
    except ValueError:
        text = f"--clock is real, virtual or a positive number up to {_FASTEST:,.0f}, not {kind}"
        raise ValueError(text) from None


def _not_a_secret(instead: str) -> Callable[[str], NoReturn]:
    def refuse(_: str) -> NoReturn:
        text = f"refused: every user of this machine can read a command line; {instead}"
        raise argparse.ArgumentTypeError(text)

    return refuse


def _kept_keys(data: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the key file of a data folder, unless the environment has the keys."""
    given = environment.get(KEY_VARIABLE) or environment.get(TOKEN_VARIABLE)
    return data / KEYS if data and not given else None


class _OptionParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, without the usage."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_options(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Options:
    """
    Read the command line and the environment, and make the keys that are missing.

    An invalid option ends the process with code 2 and one line that explains it. New keys are
    printed on stderr.
    """
    environment = os.environ if environment is None else environment
    parser = _OptionParser(prog="batch-emulator", description=__doc__)
    parser.add_argument(
        "--port",
        type=_checked(_port),
        default=DEFAULT_PORT,
        help=f"default: {DEFAULT_PORT}; 0 chooses a free one",
    )
    parser.add_argument(
        "--account",
        default=DEFAULT_ACCOUNT,
        metavar="NAME",
        help=f"the account's name; default: {DEFAULT_ACCOUNT}",
    )
    parser.add_argument(
        "--key-file",
        type=Path,
        metavar="FILE",
        help="JSON with the account's key and token, made with mode 0600 if it is missing; "
        f"default: {KEY_VARIABLE}, else {KEYS} in the folder of --data, else new ones for "
        "this run",
    )
    parser.add_argument(
        "--storage-file",
        type=Path,
        metavar="FILE",
        help="file with the connection string of blob storage, mode 0600; "
        f"default: {STORAGE_VARIABLE}, else Azurite's own defaults",
    )
    for name, instead in (
        ("--key", f"use --key-file FILE or the variable {KEY_VARIABLE}"),
        ("--storage", f"use the variable {STORAGE_VARIABLE} or --storage-file FILE"),
    ):
        refuse = _not_a_secret(instead)
        parser.add_argument(name, nargs="?", const="", type=refuse, help=argparse.SUPPRESS)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder that keeps the account and its keys; default: everything is in memory",
    )
    parser.add_argument(
        "--root",
        type=Path,
        metavar="DIR",
        help=f"folder of the nodes' folders; default: {NODES} in the folder of --data, else a temporary one",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="file for the variables of `az batch`, written with mode 0600 when the emulator listens",
    )
    parser.add_argument(
        "--pool-speed",
        type=_checked(_speed),
        default=1.0,
        metavar="N",
        help="how many times faster pools work",
    )
    parser.add_argument(
        "--application",
        action="append",
        default=[],
        type=_checked(Package.parse),
        metavar="NAME=VERSION=ZIP",
        help="an application package; may be repeated",
    )
    parser.add_argument(
        "--package-sas",
        action="store_true",
        help="sign the addresses to which packages are uploaded",
    )
    parser.add_argument(
        "--lower-case-status",
        action="store_true",
        help="spell the status of each task of a collection in lower case",
    )
    parser.add_argument(
        "--counts-delay",
        type=_checked(_seconds),
        default=0.0,
        metavar="SECONDS",
        help="how long task counts may be out of date",
    )
    parser.add_argument(
        "--faults",
        action="store_true",
        help="accept requests for faults at the paths under /emulator",
    )
    parser.add_argument(
        "--signal-exit-code",
        choices=[word.value for word in SignalExitCode],
        default=SignalExitCode.NEGATIVE.value,
        help="exit code of a task that a signal ended: -9 or 137, for example",
    )
    parser.add_argument(
        "--any-vm-size",
        action="store_true",
        help="accept VM sizes that are not in the emulator's table",
    )
    parser.add_argument(
        "--clock",
        default="real",
        metavar="KIND",
        help="clock of the account: real; a number up to 100,000, by which it runs faster; or virtual, "
        "which stands still until POST /emulator/clock/advance",
    )
    parser.add_argument(
        "--clock-start",
        type=_checked(_moment),
        metavar="TIME",
        help="first time of a virtual clock, such as 2026-12-01T00:00:00Z; default: the time of the start",
    )
    parser.add_argument(
        "--simulation",
        type=Path,
        metavar="FILE",
        help="JSON that says how tasks end and what happens to nodes; no program runs",
    )
    given = parser.parse_args(arguments)
    try:
        storage = find_storage(given.storage_file, environment)
        keys = find_keys(given.key_file or _kept_keys(given.data, environment), environment)
        options = Options(
            account=given.account,
            key=keys.account_key,
            token=keys.arm_token,
            storage=storage,
            root=given.root or (given.data / NODES if given.data else _SCRATCH),
            data=given.data,
            env_file=given.env_file,
            port=given.port,
            pool_speed=given.pool_speed,
            applications=tuple(given.application),
            package_sas=given.package_sas,
            lower_case_status=given.lower_case_status,
            counts_delay_seconds=given.counts_delay,
            faults=given.faults,
            signal_exit_code=SignalExitCode(given.signal_exit_code),
            any_vm_size=given.any_vm_size,
            clock=_clock(given.clock, given.clock_start),
            simulation=read_simulation(given.simulation.read_bytes()) if given.simulation else None,
        )
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if keys.news:
        print(f"{parser.prog}: {keys.news}", file=sys.stderr)  # noqa: T201 - for the operator
    return options


async def serve(options: Options) -> None:
    """Run an emulator until SIGTERM or SIGINT, announcing on stdout when it listens."""
    # By default each collection of all objects would hold up requests longer, the more jobs there
    # are, and find next to nothing: what a job holds stays as long as the account has it.
    gc.freeze()
    gc.set_threshold(*_COLLECTION_THRESHOLDS)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with Emulator(options) as emulator:
        if options.env_file is not None:
            variables = client_variables(emulator.url, options.account, options.key)
            write_private(options.env_file, shell_exports(variables))
        ready = {"event": "ready", "url": emulator.url, "account": options.account}
        ready["storage"] = emulator.storage_url
        print(json.dumps(ready), flush=True)  # noqa: T201 - the one line that others wait for
        text = clients_help(emulator.url, options.account, options.env_file)
        print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - for the operator
        await ended.wait()
    _remove_scratch()
    # A thread may unzip a package or remove a folder. Nobody needs what comes of it any more, and
    # an ordinary exit would wait for it.
    logging.shutdown()
    os._exit(0)


def _remove_scratch() -> None:
    if _SCRATCH.exists():
        with contextlib.suppress(OSError):  # a thread may be writing there
            wipe(_SCRATCH)


def main() -> int:
    """Return the exit code of the process."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("batch_emulator").setLevel(logging.INFO)
    # No line of the journal has these, and every request would pay for them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    options = read_options(sys.argv[1:])
    loop = IdleLoop if isinstance(options.clock, VirtualClock) else None
    try:
        asyncio.run(serve(options), loop_factory=loop)
    except (OSError, ValueError) as error:
        print(f"batch-emulator: {error}", file=sys.stderr)  # noqa: T201 - for the operator
        return 2
    finally:
        _remove_scratch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
