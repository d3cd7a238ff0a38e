"""
After the code: put schedules.toml in force, if there is one here.

Without one, an empty ledger gets schedules.sample.toml, in which every schedule is paused: nothing is
due by surprise, and nobody is mailed that the document is missing. The first schedules.toml replaces
that sample without a question; later ones that lack schedules in force are refused.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from infra.hooks.running import ready, recur

DOCUMENT = "schedules.toml"
SAMPLE = "schedules.sample.toml"
NOTHING_RUNS = f"""
Nothing runs yet: what is in force is the paused sample.
  next: copy {SAMPLE} to {DOCUMENT}, put in your schedules, recur apply {DOCUMENT}
"""


def main() -> None:
    """Apply what there is to apply."""
    ready()
    if Path(DOCUMENT).exists():
        is_sample = _in_force() == Path(SAMPLE).read_bytes()
        sys.stdout.write(_apply(DOCUMENT, *(("--remove",) if is_sample else ())))
    elif _in_force() is None:
        sys.stdout.write(_apply(SAMPLE) + NOTHING_RUNS)
    else:
        sys.stdout.write(f"there is no {DOCUMENT} here: the schedules in force stay\n")


def _apply(file: str, *options: str) -> str:
    """Run `recur apply`, with time for the role that infra/core gave a few minutes ago."""
    from recur.role_waiting import LIMIT  # noqa: PLC0415 - an old Python cannot

    return recur("apply", file, *options, "--wait", f"{LIMIT.total_seconds():.0f}")


def _in_force() -> bytes | None:
    """Return the document in force; None if there is none."""
    from azure.core.exceptions import ResourceNotFoundError  # noqa: PLC0415 - as above

    from recur.commands.apply import LedgerCalls  # noqa: PLC0415 - as above
    from recur.errors import CliError  # noqa: PLC0415 - as above
    from recur.output import Printer  # noqa: PLC0415 - as above
    from recur.role_waiting import RoleWait  # noqa: PLC0415 - as above
    from recur.target import find_target  # noqa: PLC0415 - as above

    output = Printer(as_json=False)
    try:
        target = find_target(None)
        ledger = LedgerCalls(target, target.ledger(), RoleWait(output.progress))
        return ledger.call(lambda container: container.download_blob(DOCUMENT).readall())
    except ResourceNotFoundError:
        return None
    except CliError as error:
        output.fail(error)
        sys.exit(error.code)


if __name__ == "__main__":
    main()
