"""The outputs of a run as they come: from its node, and what is left from the outputs container."""

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Final

from azure.core.exceptions import AzureError

from orchestrator import ids
from orchestrator.enums import AttemptState
from orchestrator.ledger.attempt import Attempt
from orchestrator.ledger.record import Record
from recur.ledger_reader.records import History
from recur.ledger_reader.run_lookup import FoundRun, find_run
from recur.ledger_reader.run_state import run_state
from recur.ledger_reader.snapshot import Snapshot
from recur.output import Printer
from recur.progress import progress
from recur.run_output.outlet import Outlet
from recur.run_output.sources import STREAMS, NodeFiles, StoredOutputs
from recur.run_output.tail import Read, tail_begin

_PAUSE_SECONDS: Final = 2
_FAILURES: Final = 5
"""So many times in a row may storage or Batch fail before that is told as an error."""


class Follower:
    """Writes what a run writes, until it has ended; what it waits for is told on stderr."""

    def __init__(  # noqa: PLR0913, PLR0917 - where from, where to, and what
        self,
        output: Printer,
        outlet: Outlet,
        outputs: StoredOutputs,
        node: NodeFiles,
        paths: tuple[str, ...],
        tail: int | None = None,
    ) -> None:
        """Follow these outputs; ``tail``: of what is there at first, only so many lines."""
        self._output = output
        self._outlet = outlet
        self._outputs = outputs
        self._node = node
        self._paths = paths
        self._tail = tail
        self._attempt = 0
        self._ran = False
        self._offsets: dict[str, int] = {}
        self._said = ""
        self._waits = ExitStack()
        self._is_shown = False

    def follow(self, history: History, snapshot: Snapshot, run: str) -> Record:
        """
        Follow a run until it has its final record, and return that.

        Raises:
            CliError: There is no such run.
            AzureError: Storage or Batch failed several times in a row.
        """
        failures = 0
        with self._waits:
            while True:
                try:
                    found = find_run(history, snapshot, run)
                    self._step(found)
                except AzureError:
                    failures += 1
                    if failures == _FAILURES:
                        raise
                else:
                    failures = 0
                    if found.open is None:
                        return found.record
                self._show_waiting()
                time.sleep(_PAUSE_SECONDS)

    def _step(self, found: FoundRun) -> None:
        """Write what is new, and what an attempt left when the next one has begun."""
        record = found.record
        attempt = record.attempt
        if attempt.number != self._attempt:
            if self._attempt:
                self._rest(record)
                self._tail = None
            self._attempt, self._offsets, self._ran = attempt.number, {}, False
        stands = run_state(record, datetime.now(UTC), is_open=found.open is not None)
        why = f" ({stands.reason})" if stands.reason else ""
        if found.open is None:
            self._rest(record)
            self._say(f"{record.run_id}: {stands.word}{why}")
            return
        sizes = {path: self._on_node(attempt, path) for path in self._paths}
        there = any(size is not None for size in sizes.values())
        self._ran = there or (self._ran and attempt.waiting_since is None)
        word = "running" if self._ran and stands.word == "submitted" else stands.word
        self._say(f"{record.run_id}: {word}{why}, attempt {attempt.number}")
        for path, size in sizes.items():
            if size is not None:
                self._go_on(path, size, partial(self._node.read, attempt.job_id, path))

    def _on_node(self, attempt: Attempt, path: str) -> int | None:
        """Return how much its node has; that may be before a tick has seen that it runs."""
        if attempt.state is AttemptState.SUBMITTED and path in STREAMS:
            return self._node.size(attempt.job_id, path)
        return None

    def _rest(self, record: Record) -> None:
        """Write what is stored of the attempt beyond what came from its node."""
        number = self._attempt
        folder = ids.output_prefix(record.schedule, record.nominal, record.run_id, number)
        for path in self._paths:
            size = self._outputs.size(folder + path)
            if size is not None:
                self._go_on(path, size, partial(self._outputs.read, folder + path))
                continue
            last = number == record.attempt.number
            noted = (one.why for one in record.outputs if last and one.path == path)
            why = next((text for text in noted if text), "nothing is stored of it")
            self._say(f"{path} of attempt {number} is not complete: {why}")

    def _go_on(self, path: str, size: int, read: Read) -> None:
        """Write what is new of one output."""
        offset = self._offsets.get(path)
        if offset is None:  # its first look
            offset = 0 if self._tail is None else tail_begin(read, size, self._tail)
        elif size < offset:  # a task that was put back into the queue writes its file again
            offset = 0
            self._say(f"{path} begins anew")
        self._offsets[path] = offset
        for part in read(offset, size):
            self._hide_waiting()
            self._outlet.take(path, part)
            self._offsets[path] += len(part)

    def _say(self, text: str) -> None:
        if text != self._said and not self._output.as_json:
            self._hide_waiting()
            self._output.progress.print(text, markup=False)
        self._said = text

    def _show_waiting(self) -> None:
        """Show that it waits, unless that would wipe out the line that the run is writing."""
        beside = self._output.people.is_terminal and not self._outlet.ends_a_line
        if not self._is_shown and not beside:
            self._waits.enter_context(progress(self._output, "waiting for something new"))
            self._is_shown = True

    def _hide_waiting(self) -> None:
        self._waits.close()
        self._is_shown = False
