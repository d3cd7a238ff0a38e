"""What is stored of a run, as a table."""

from typing import Any, Final

from orchestrator.ledger.record import Output
from recur.ledger_reader.run_lookup import FoundRun
from recur.output import Printer
from recur.run_output.logged import stored_paths
from recur.run_output.sources import StoredOutputs
from recur.run_output.vouching import note
from recur.tables import Column, show_table

_STORED: Final = (
    Column(name="PATH", rank=0),
    Column(name="BYTES", rank=1),
    Column(name="NOTE", rank=2, prose=True, optional=True),
)
_FIELDS: Final = ("path", "bytes", "sha256", "why")


def show_stored(output: Printer, found: FoundRun, outputs: StoredOutputs, number: int) -> None:
    """List what is stored of an attempt, by its number, and what its record says of it."""
    record = found.record
    paths = dict(stored_paths(output, outputs, record, number))
    last = number == record.attempt.number
    noted = {one.path: one for one in record.outputs} if last else {}
    rows: list[dict[str, Any]] = [
        {
            "path": path,
            "bytes": paths.get(path),
            "sha256": noted[path].sha256 if path in noted else None,
            "why": _note(noted.get(path), stored=path in paths, final=last and not found.open),
        }
        for path in sorted({*paths, *noted})
    ]
    if rows:
        cells = [(one["path"], str(one["bytes"]), one["why"]) for one in rows]
        show_table(output, _STORED, cells)
    else:
        output.say(f"nothing is stored of attempt {number} yet")
    output.listing({"run_id": record.run_id, "attempt": number, "outputs": rows}, rows, _FIELDS)


def _note(output: Output | None, *, stored: bool, final: bool) -> str:
    """Say what is remarkable about an output, from storage and from the final record."""
    if output is None:
        return "not in the record" if final else ""
    return note(output) or ("" if stored else "it is gone")
