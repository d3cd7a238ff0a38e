"""
Runs command lines of azure-cli one after another, in one process: starting it takes long.

Run by the Python that has azure-cli. Reads a line of JSON per command from stdin: its words, without
``az``. Writes a line of JSON for each: its exit code, what it printed, and what it complained of.
"""

import contextlib
import importlib
import io
import json
import sys


def main() -> None:
    """Run what stdin holds."""
    answers = sys.stdout
    # Loaded by name: linters and type checkers run where it is not installed.
    core = importlib.import_module("azure.cli.core")
    complaint = io.StringIO()  # one for all: azure-cli's log keeps the first that it meets
    for line in sys.stdin:
        printed, before = io.StringIO(), complaint.tell()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complaint):
            cli = core.get_default_cli()
            try:
                code = cli.invoke(json.loads(line), out_file=printed)
            except SystemExit as ended:
                code = ended.code
            except Exception as error:  # noqa: BLE001 - as azure-cli's own main function does
                code = 1
                complaint.write(f"{type(error).__name__}: {error}")
        answer = {
            "code": code,
            "out": printed.getvalue(),
            "err": complaint.getvalue()[before:][-600:],
        }
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
