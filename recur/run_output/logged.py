"""The attempt of a run whose outputs are shown: which one, and where it wrote."""

from itertools import islice
from typing import Final

from azure.core.exceptions import AzureError

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.ledger.record import Record
from recur.errors import CliError, Exit
from recur.ledger_reader.run_lookup import FoundRun
from recur.output import Printer
from recur.run_output.sources import STREAMS, StoredOutputs

_MOST_LISTED: Final = 5000


def attempt_number(found: FoundRun, asked: int | None) -> int:
    """Return the number of the attempt that is meant."""
    record = found.record
    if not record.attempts:
        decision = record.decision
        raise CliError(
            Exit.FOUND,
            f"{record.run_id} wrote nothing, since it did not run: {decision.action} "
            f"({decision.reason})",
            f"recur show {record.run_id}",
        )
    number = asked or found.attempt or record.attempt.number
    if number > record.attempt.number:
        raise CliError(
            Exit.REFUSED,
            f"{record.run_id} has {record.attempt.number} attempt(s), and no attempt {number}",
            f"recur show {record.run_id} lists them",
        )
    return number


def folder_of(record: Record, number: int) -> str:
    """Return the folder of an attempt in the outputs container."""
    return ids.output_prefix(record.schedule, record.nominal, record.run_id, number)


def stored_paths(
    output: Printer, outputs: StoredOutputs, record: Record, number: int
) -> list[tuple[str, int]]:
    """
    Return what is stored of an attempt: stdout and stderr, and up to 5,000 files.

    Whatever else lies in the folder is not looked at: any task may put it there.
    """
    folder = folder_of(record, number)
    streams = ((name, outputs.size(folder + name)) for name in STREAMS)
    found = [(name, size) for name, size in streams if size is not None]
    try:
        found += islice(outputs.paths(folder, ids.FILES), _MOST_LISTED)
    except AzureError as error:  # a name that storage cannot list is enough
        warn(output, f"storage does not list the files: {first_line(error)}")
    return found


def warn(output: Printer, warning: str | None) -> None:
    """Say on stderr what the record does not vouch for, and the like."""
    if warning:
        output.progress.print(f"warning: {warning}", markup=False)
