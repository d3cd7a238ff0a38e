"""
Replay the recorded calls and say how many are answered alike.

`python -m tests.recordings` prints the totals and each difference; `--write` writes the list of
differences anew. ``RECUR_ORACLES`` names the folder of the recordings.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from local.azurite import Azurite
from tests.recordings.reasons import write_list
from tests.recordings.replay import totals
from tests.recordings.stage import replay


def main() -> int:
    """Return the exit code of the process."""
    if not (oracles := os.environ.get("RECUR_ORACLES")):
        sys.stderr.write("RECUR_ORACLES names no folder of recordings\n")
        return 2
    with tempfile.TemporaryDirectory() as name:
        azurite = Azurite(log=Path(name) / "azurite.log")
        azurite.start()
        try:
            outcomes = asyncio.run(replay(Path(oracles), Path(name), azurite.connection_string))
        finally:
            azurite.stop()
    for outcome in outcomes:
        if outcome.difference:
            columns = (str(outcome.call.number), outcome.call.operation, outcome.code or "")
            sys.stdout.write("\t".join([*columns, outcome.difference]) + "\n")
    sys.stdout.write(f"{totals(outcomes)}\n")
    if "--write" in sys.argv[1:]:
        write_list(outcomes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
