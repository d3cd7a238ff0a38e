"""The commands behind `make demo`, `make up` and `make start`: ``python -m local --help``."""

import argparse
import os
import sys
from pathlib import Path

from local.errors import LocalError, StopRequestedError
from local.interrupt import StopRequest

_ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run one command and return the exit code."""
    arguments = _parser().parse_args()
    _reach_loopback_directly()
    try:
        code: int = arguments.command(arguments)
    except StopRequestedError as stopped:
        sys.stderr.write(f"{stopped}\n")
        return 130
    except LocalError as error:
        sys.stderr.write(f"recur: {error}\n")
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command, text in (
        ("start", _start, "run the timer functions against the services of `make up`"),
        ("host", _start, "run the timer functions of another app, or with other settings"),
        ("tick", _tick, "invoke one function once, now"),
    ):
        added = commands.add_parser(name, help=text)
        added.set_defaults(command=command)
        added.add_argument("--settings", type=Path, help="default: local.settings.json")
        added.add_argument("--app", type=Path, default=_ROOT, help="the folder of function_app.py")
        if name == "tick":
            added.add_argument("function", help="for instance submit or collect")
    demo = commands.add_parser("demo", help="show two runs from timer to output; one of them fails")
    demo.set_defaults(command=_demo)
    up = commands.add_parser("up", help="run blob storage and a Batch account until Ctrl-C")
    up.set_defaults(command=_up)
    up.add_argument("--settings", type=Path, help="default: local.settings.json")
    up.add_argument(
        "--folder", type=Path, default=_ROOT / ".local", help="for blobs, keys and logs"
    )
    up.add_argument(
        "--pool-speed", type=float, default=60, help="how many times faster the pool works"
    )
    package = commands.add_parser("package", help="write the deployment package, a zip file")
    package.set_defaults(command=_package)
    package.add_argument("--target", type=Path, default=_ROOT / "dist/recur.zip")
    return parser


def _demo(_: argparse.Namespace) -> int:
    with StopRequest() as stop:  # before the imports: they take a second
        from local.demo import demo  # noqa: PLC0415 - each command loads its own

        return demo(stop)


def _up(arguments: argparse.Namespace) -> int:
    with StopRequest() as stop:
        from local.up import up  # noqa: PLC0415

        return up(arguments.settings, arguments.folder, arguments.pool_speed, stop)


def _package(arguments: argparse.Namespace) -> int:
    from local.deployment_package import write_package  # noqa: PLC0415

    files = write_package(_ROOT, arguments.target)
    sys.stdout.write(f"{arguments.target}: {len(files)} files\n")
    return 0


def _start(arguments: argparse.Namespace) -> int:
    from local.host import start_and_tick  # noqa: PLC0415 - the worker takes a second to import

    return start_and_tick.start(arguments.app, arguments.settings)


def _tick(arguments: argparse.Namespace) -> int:
    from local.host import start_and_tick  # noqa: PLC0415

    return start_and_tick.invoke_once(arguments.app, arguments.settings, arguments.function)


def _reach_loopback_directly() -> None:
    """Keep a proxy that the environment names out of requests to this machine."""
    for name in ("NO_PROXY", "no_proxy"):
        others = [entry for entry in os.environ.get(name, "").split(",") if entry]
        os.environ[name] = ",".join({*others, "127.0.0.1", "localhost"})


if __name__ == "__main__":
    sys.exit(main())
