"""Why an output is not there."""

from orchestrator import ids
from orchestrator.decisions.declared_outputs import declares
from orchestrator.ledger.record import How
from recur.errors import CliError, Exit
from recur.ledger_reader.run_lookup import FoundRun
from recur.ledger_reader.run_state import run_state
from recur.ledger_reader.snapshot import Snapshot, did_you_mean
from recur.output import Printer
from recur.run_output.logged import stored_paths
from recur.run_output.sources import STREAMS, StoredOutputs


def missing_output(  # noqa: PLR0913, PLR0917 - all that is known
    output: Printer,
    outputs: StoredOutputs,
    snapshot: Snapshot,
    found: FoundRun,
    number: int,
    path: str,
) -> CliError:
    """Say why an output is not there."""
    record = found.record
    stands = run_state(record, snapshot.now, is_open=found.open is not None)
    if found.open and number == record.attempt.number:
        why = f"the run is {stands.word}" + (f" ({stands.reason})" if stands.reason else "")
        how = f"recur logs {record.run_id} --follow waits for it"
        if path not in STREAMS:
            how = "files are stored when the task ends"
        return CliError(Exit.FOUND, f"there is no {path} yet: {why}", how)
    noted = next((one.why for one in record.outputs if one.path == path and one.why), None)
    if noted is not None and number == record.attempt.number:
        return CliError(Exit.FOUND, f"{path} is missing: {noted}", f"recur show {record.run_id}")
    there = [name for name, _ in stored_paths(output, outputs, record, number)]
    if any(one.path == path and one.how is How.PUSHED for one in record.outputs):
        return CliError(
            Exit.FOUND,
            f"{path} was stored, and is gone from the outputs container",
            "outputs are kept 90 days unless infra/core says otherwise",
        )
    file = path.removeprefix(ids.FILES)
    unmatched = record.unmatched if number == record.attempt.number else ()
    if file != path and any(declares([pattern])(file) for pattern in unmatched):
        return CliError(
            Exit.FOUND,
            f"{path} was not written: the schedule declares it, and no file matched",
            f"recur logs {record.run_id} may say why",
        )
    return CliError(
        Exit.FOUND if path in STREAMS else Exit.REFUSED,
        f"attempt {number} of {record.run_id} has no output {path!r}",
        did_you_mean(path, there) or f"recur logs {record.run_id} --outputs lists what there is",
    )
