"""`recur logs`: what a run wrote, byte for byte, also while it runs."""

import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final

import typer
from azure.core.exceptions import AzureError

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.decisions.declared_outputs import declares
from orchestrator.enums import Outcome
from orchestrator.ledger.record import How, Output, Record
from recur.arguments import Run
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import FoundRun, find_run
from recur.ledger_reader.run_state import run_state
from recur.ledger_reader.snapshot import Snapshot, did_you_mean, read_snapshot
from recur.progress import progress
from recur.run_output.follower import Follower
from recur.run_output.sources import (
    STREAMS,
    NodeFiles,
    Sink,
    StoredOutputs,
    node_files,
    stored_outputs,
)
from recur.run_output.vouching import VERIFIED_BYTES, Voucher, note, voucher
from recur.tables import Column, show_table

_MOST_LISTED: Final = 5000
_STORED: Final = (
    Column(name="PATH", rank=0),
    Column(name="BYTES", rank=1),
    Column(name="NOTE", rank=2, prose=True, optional=True),
)
_FIELDS: Final = ("path", "bytes", "sha256", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions:
    """
    What to show.

    Attributes:
        run: A run id, or the id of one of its jobs.
        path: Of the output, below the run's folder.
        attempt: Its number; None for the newest, or the one that ``run`` names.
        follow: Whether to go on until the run has ended.
        unverified: Whether to write an output that is not what the record vouches for.
    """

    run: str
    path: str = STREAMS[0]
    attempt: int | None = None
    follow: bool = False
    unverified: bool = False


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    run_id: Run,
    stderr: Annotated[bool, typer.Option("--stderr", help="stderr.txt instead of stdout.")] = False,
    output: Annotated[
        str | None, typer.Option(metavar="PATH", help="Another output, as --outputs lists them.")
    ] = None,
    outputs: Annotated[bool, typer.Option("--outputs", help="List what is stored.")] = False,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="Its number. Default: the newest.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until the run has ended.")
    ] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Write it even if it is not what was verified.")
    ] = False,
) -> None:
    """
    Write what a run wrote to stdout; by default what it wrote to its own stdout.

    A pipe or a file gets it byte for byte; on a terminal control characters are escaped.

    While it runs that is read from its node. With --follow it ends when the run has ended: exit
    code 0 if it succeeded, 1 if not. An output of up to 8 MiB is compared with the hash in the
    record before it is written; of what the record does not vouch for, stderr says so.

    Example: recur logs nightly-report-20261123T070000Z --follow
    """
    chosen = [stderr, output is not None, outputs]
    if sum(chosen) > 1:
        raise typer.BadParameter("--stderr, --output and --outputs exclude each other")
    if follow and (outputs or attempt is not None):
        raise typer.BadParameter("--follow is about the newest attempt, and about one output")

    def read(given: Context) -> Exit:
        if outputs:
            return list_outputs(given, run_id, attempt)
        given.output.refuse_lists()
        stream = "stderr.txt" if stderr else "stdout.txt"
        path = stream if output is None else output
        options = LogsOptions(
            run=run_id, path=path, attempt=attempt, follow=follow, unverified=unverified
        )
        return show_output(given, options)

    run(context, read)


def show_output(given: Context, options: LogsOptions) -> Exit:
    """
    Write an output to stdout as it is.

    Raises:
        CliError: There is no such run or output, or none can be; the message says why.
    """
    _check_path(options.path)
    target = given.target()
    ledger = target.ledger()
    history, snapshot = History(ledger, given.output), read_snapshot(ledger)
    found = find_run(history, snapshot, options.run)
    number = _attempt_number(found, options.attempt)
    sink = Sink(keep=given.output.as_json)
    node, outputs = node_files(target), stored_outputs(target, found.record, number)
    if options.follow:
        follower = Follower(given.output, sink, outputs, node, options.path)
        ended = follower.follow(history, snapshot, found.record.run_id)
        sink.close()
        given.output.result(_output_json(ended.run_id, ended.attempt.number, options.path, sink))
        return Exit.DONE if ended.outcome is Outcome.SUCCEEDED else Exit.FOUND
    record = found.record
    says = voucher(record, number, options.path, is_open=found.open is not None)
    path = _folder(record, number) + options.path
    size = outputs.size(path)
    warning = None
    if size is not None:
        stored = _Stored(outputs, path, size, options.path, says)
        warning = stored.warning
        _warn(given, warning)
        stored.write(given, sink, unverified=options.unverified)
    elif not _from_node(node, found, number, options.path, sink):
        raise _missing(given, outputs, snapshot, found, number, options.path)
    sink.close()
    given.output.result(_output_json(record.run_id, number, options.path, sink, warning))
    return Exit.DONE


def list_outputs(given: Context, run: str, attempt: int | None) -> Exit:
    """
    List what is stored of a run.

    Raises:
        CliError: There is no such run, or it never had an attempt.
    """
    target = given.target()
    ledger = target.ledger()
    found = find_run(History(ledger, given.output), read_snapshot(ledger), run)
    number = _attempt_number(found, attempt)
    record = found.record
    paths = dict(_paths(given, stored_outputs(target, record, number), record, number))
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
        show_table(given.output, _STORED, cells)
    else:
        given.output.say(f"nothing is stored of attempt {number} yet")
    given.output.listing(
        {"run_id": record.run_id, "attempt": number, "outputs": rows}, rows, _FIELDS
    )
    return Exit.DONE


def _note(output: Output | None, *, stored: bool, final: bool) -> str:
    """Say what is remarkable about an output, from storage and from the final record."""
    if output is None:
        return "not in the record" if final else ""
    return note(output) or ("" if stored else "it is gone")


def _check_path(path: str) -> None:
    """Refuse a path that leads out of the folder of an attempt, or nowhere."""
    if not path or {".", ".."} & {*path.split("/")}:
        raise CliError(
            Exit.USAGE,
            f"--output {path!r} is no path of an output",
            "write it as `recur logs RUN --outputs` lists it, without . and ..",
        )


def _attempt_number(found: FoundRun, asked: int | None) -> int:
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


def _folder(record: Record, number: int) -> str:
    return ids.output_prefix(record.schedule, record.nominal, record.run_id, number)


def _paths(
    given: Context, outputs: StoredOutputs, record: Record, number: int
) -> list[tuple[str, int]]:
    """
    Return what is stored of an attempt: stdout and stderr, and up to 5,000 files.

    Whatever else lies in the folder is not looked at: any task may put it there.
    """
    folder = _folder(record, number)
    streams = ((name, outputs.size(folder + name)) for name in STREAMS)
    found = [(name, size) for name, size in streams if size is not None]
    try:
        found += islice(outputs.paths(folder, ids.FILES), _MOST_LISTED)
    except AzureError as error:  # a name that storage cannot list is enough
        _warn(given, f"storage does not list the files: {first_line(error)}")
    return found


@dataclass(frozen=True, slots=True)
class _Stored:
    """
    An output in storage, and what its record says of it.

    Attributes:
        outputs: The container.
        blob: Its name there.
        size: In bytes.
        path: Below the folder of its attempt.
        says: What the record says.
    """

    outputs: StoredOutputs
    blob: str
    size: int
    path: str
    says: Voucher

    @property
    def warning(self) -> str | None:
        """Why nothing vouches for its bytes; None where its hash is known."""
        if self.says.bytes is None or self.says.bytes == self.size:
            return self.says.warning
        return f"{self.path} has {self.size} bytes, and had {self.says.bytes} when the run ended"

    def write(self, given: Context, sink: Sink, *, unverified: bool) -> None:
        """
        Write it, what is small only after its hash was compared.

        Raises:
            CliError: It is not what the record vouches for, and nobody asked for it all the same.
        """
        kept = bytearray()
        first = self.says.sha256 is not None and self.size <= VERIFIED_BYTES and not unverified
        with progress(given.output, "reading", self.size, shown=True) as advance:
            for part in self.outputs.read(self.blob, 0, self.size):
                if first:
                    kept += part
                else:
                    sink.take(part)
                advance(len(part))
        if first:
            self._compare(hashlib.sha256(kept).hexdigest())
            sink.take(bytes(kept))
        elif not unverified:
            self._compare(sink.sha256)

    def _compare(self, sha256: str) -> None:
        if self.says.sha256 in {None, sha256}:
            return
        raise CliError(
            Exit.FOUND,
            f"{self.path} is not what the record vouches for: its sha256 is {sha256}, and was "
            f"{self.says.sha256} when the run ended",
            "look who has written into the outputs container since; --unverified writes it all the "
            "same",
        )


def _warn(given: Context, warning: str | None) -> None:
    if warning:
        given.output.progress.print(f"warning: {warning}", markup=False)


def _from_node(node: NodeFiles, found: FoundRun, number: int, path: str, sink: Sink) -> bool:
    """Read a stream from the node of a run that has not ended; False if it is not there."""
    if found.open is None or path not in STREAMS or number != found.open.attempt.number:
        return False
    job_id = found.open.attempt.job_id
    size = node.size(job_id, path)
    if size is None:
        return False
    for part in node.read(job_id, path, 0, size):
        sink.take(part)
    return True


def _missing(  # noqa: PLR0913, PLR0917 - all that is known
    given: Context,
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
    there = [name for name, _ in _paths(given, outputs, record, number)]
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
            f"recur logs {record.run_id} --stderr may say why",
        )
    return CliError(
        Exit.FOUND if path in STREAMS else Exit.REFUSED,
        f"attempt {number} of {record.run_id} has no output {path!r}",
        did_you_mean(path, there) or f"recur logs {record.run_id} --outputs lists what there is",
    )


def _output_json(
    run: str, number: int, path: str, sink: Sink, warning: str | None = None
) -> dict[str, Any]:
    return {
        "run_id": run,
        "attempt": number,
        "path": path,
        "bytes": sink.bytes,
        "sha256": sink.sha256,
        "text": sink.text,
        "warning": warning,
    }
