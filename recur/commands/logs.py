"""`recur logs`: what a run wrote, byte for byte, also while it runs."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer

from orchestrator.enums import Outcome
from orchestrator.ledger.record import Record
from recur.arguments import RunOrSchedule
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import FoundRun, find_run, means_run, past_schedule
from recur.ledger_reader.snapshot import Snapshot, read_snapshot
from recur.run_output.follower import Follower
from recur.run_output.latest import latest_run
from recur.run_output.listing import show_stored
from recur.run_output.logged import attempt_number, folder_of, warn
from recur.run_output.missing import missing_output
from recur.run_output.outlet import Outlet
from recur.run_output.sources import STREAMS, NodeFiles, StoredOutputs, node_files, stored_outputs
from recur.run_output.stored_output import StoredOutput
from recur.run_output.tail import tail_begin
from recur.run_output.vouching import voucher
from recur.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions:
    """
    What to show.

    Attributes:
        run: A run id, the id of one of its jobs, or a schedule.
        paths: Of the outputs, below the run's folder.
        attempt: Its number; None for the newest, or the one that ``run`` names.
        follow: Whether to go on until the run has ended.
        tail: How many lines of the end; None: all.
        unverified: Whether to write an output that is not what the record vouches for.
    """

    run: str
    paths: tuple[str, ...] = STREAMS
    attempt: int | None = None
    follow: bool = False
    tail: int | None = None
    unverified: bool = False


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    run_id: RunOrSchedule,
    stdout: Annotated[bool, typer.Option("--stdout", help="Only stdout.")] = False,
    stderr: Annotated[bool, typer.Option("--stderr", help="Only stderr.")] = False,
    output: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Another output, with a path that --outputs lists."),
    ] = None,
    outputs: Annotated[bool, typer.Option("--outputs", help="List the stored files.")] = False,
    attempt: Annotated[
        int | None, typer.Option(min=1, help="The number of the attempt. Default: the newest.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Continue until the run has ended.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Only the last N lines of each file."),
    ] = None,
    unverified: Annotated[
        bool,
        typer.Option(
            "--unverified", help="Write the output even if it differs from the verified one."
        ),
    ] = False,
) -> None:
    """
    Print the output of a run: stdout, then stderr; or one of them, or another output.

    For a schedule, it takes the latest run with output. A pipe or a file gets the bytes unchanged;
    on a terminal, control characters are escaped. If it prints both streams, headings separate
    them; off a terminal the headings go to stderr, so that the output stays unchanged.

    While a run is active, its output is read from the node. With --follow it continues until the
    run has ended: exit code 0 if it succeeded, 1 if not. An output of up to 8 MiB is compared with
    the hash in the record before it is printed. If the record cannot confirm an output, a warning
    on stderr says so.

    Example: recur logs nightly-report

    Example: recur logs nightly-report-20261123T070000Z -f --tail 20
    """
    chosen = [stdout, stderr, output is not None, outputs]
    if sum(chosen) > 1:
        raise typer.BadParameter("--stdout, --stderr, --output and --outputs exclude each other")
    if outputs and (follow or tail is not None):
        raise typer.BadParameter("--outputs only lists: it takes no --follow and no --tail")
    if follow and attempt is not None:
        raise typer.BadParameter("--follow is about the newest attempt")

    def read(given: Context) -> Exit:
        if outputs:
            return list_outputs(given, run_id, attempt)
        given.output.refuse_lists()
        options = LogsOptions(
            run=run_id,
            paths=_paths(output, stdout=stdout, stderr=stderr),
            attempt=attempt,
            follow=follow,
            tail=tail,
            unverified=unverified,
        )
        return show_outputs(given, options)

    run(context, read)


def _paths(output: str | None, *, stdout: bool, stderr: bool) -> tuple[str, ...]:
    """Return what is to be shown; refuse what leads out of the folder of an attempt, or nowhere."""
    if output is None:
        return STREAMS if stdout == stderr else (STREAMS[0 if stdout else 1],)
    if not output or {".", ".."} & {*output.split("/")}:
        raise CliError(
            Exit.USAGE,
            f"--output {output!r} is not a path of an output",
            "write it as `recur logs RUN --outputs` lists it, without . and ..",
        )
    return (output,)


def show_outputs(given: Context, options: LogsOptions) -> Exit:
    """
    Write outputs to stdout as they are.

    Raises:
        CliError: There is no such run or output, or none can be; the message says why.
    """
    target = given.target()
    ledger = target.ledger()
    history, snapshot = History(ledger, given.output), read_snapshot(ledger)
    found = _find(given, target, history, snapshot, options)
    number = attempt_number(found, options.attempt)
    record = found.record
    outlet = Outlet(given.output, options.paths)
    node, outputs = node_files(target), stored_outputs(target, record, number)
    if options.follow:
        follower = Follower(given.output, outlet, outputs, node, options.paths, options.tail)
        ended = follower.follow(history, snapshot, record.run_id)
        outlet.close()
        given.output.result(outlet.json(ended.run_id, ended.attempt.number))
        return Exit.DONE if ended.outcome is Outcome.SUCCEEDED else Exit.FOUND
    there = {path: _stored(outputs, found, number, path) for path in options.paths}
    warnings = {path: one.warning(options.tail) for path, one in there.items() if one}
    for warning in warnings.values():
        warn(given.output, warning)
    missing: list[CliError] = []
    for path, one in there.items():
        if one:
            take = partial(outlet.take, path)
            one.write(given.output, take, unverified=options.unverified, tail=options.tail)
        elif not _from_node(node, found, number, path, outlet, options.tail):
            missing.append(missing_output(given.output, outputs, snapshot, found, number, path))
    if len(missing) == len(options.paths):
        raise missing[0]
    outlet.close()
    for error in missing:
        warn(given.output, error.message)
    asks_for_some = len(options.paths) > 1 and options.tail != 0
    if asks_for_some and not outlet.bytes and not given.output.as_json:
        given.output.progress.print(f"{record.run_id} wrote nothing", markup=False)
    given.output.result(outlet.json(record.run_id, number, warnings))
    return Exit.DONE


def list_outputs(given: Context, run: str, attempt: int | None) -> Exit:
    """
    List what is stored of a run.

    Raises:
        CliError: There is no such run, or it never had an attempt.
    """
    target = given.target()
    ledger = target.ledger()
    history, snapshot = History(ledger, given.output), read_snapshot(ledger)
    found = _find(given, target, history, snapshot, LogsOptions(run=run))
    number = attempt_number(found, attempt)
    show_stored(given.output, found, stored_outputs(target, found.record, number), number)
    return Exit.DONE


def _find(
    given: Context, target: Target, history: History, snapshot: Snapshot, options: LogsOptions
) -> FoundRun:
    """Find the run that is meant; of a schedule the latest that wrote something, and say which."""
    if means_run(options.run):
        return find_run(history, snapshot, options.run)
    schedule = past_schedule(history, snapshot, options.run)
    node = node_files(target)
    found = latest_run(
        history, snapshot, schedule, partial(_wrote, target, node), follow=options.follow
    )
    if not given.output.as_json:
        given.output.progress.print(found.record.run_id, markup=False)
    return found


def _wrote(target: Target, node: NodeFiles, record: Record) -> bool:
    """Whether the attempt in hand of an open run has written something, by node and storage."""
    attempt = record.attempt
    if attempt.started is None:
        return False
    outputs = stored_outputs(target, record, attempt.number)
    folder = folder_of(record, attempt.number)
    return any(outputs.size(folder + path) or node.size(attempt.job_id, path) for path in STREAMS)


def _stored(outputs: StoredOutputs, found: FoundRun, number: int, path: str) -> StoredOutput | None:
    """Return an output as it is in storage; None if it is not there."""
    blob = folder_of(found.record, number) + path
    size = outputs.size(blob)
    if size is None:
        return None
    says = voucher(found.record, number, path, is_open=found.open is not None)
    return StoredOutput(outputs=outputs, blob=blob, size=size, path=path, says=says)


def _from_node(  # noqa: PLR0913, PLR0917 - where from, and where to
    node: NodeFiles, found: FoundRun, number: int, path: str, outlet: Outlet, tail: int | None
) -> bool:
    """Read a stream from the node of a run that has not ended; False if it is not there."""
    if found.open is None or path not in STREAMS or number != found.open.attempt.number:
        return False
    job_id = found.open.attempt.job_id
    size = node.size(job_id, path)
    if size is None:
        return False
    read = partial(node.read, job_id, path)
    begin = 0 if tail is None else tail_begin(read, size, tail)
    for part in read(begin, size):
        outlet.take(path, part)
    return True
