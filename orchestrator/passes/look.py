"""What three reads say: the document, the state of the submit pass, the work list."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from orchestrator import document, naming
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.container import Text
from orchestrator.adapters.telemetry import trouble
from orchestrator.decide import Due, due
from orchestrator.errors import DocumentError, RecordUnreadable, ScheduleSyntaxError
from orchestrator.ledger import (
    CollectState,
    OpenRequest,
    OpenRun,
    SubmitState,
    load_collect,
    load_submit,
)
from orchestrator.passes.obstacles import waits
from orchestrator.words import ScheduleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    What three reads say.

    Attributes:
        text: The document as it was read.
        parsed: Its schedules; None if the whole document is missing or cannot be used.
        problems: What is wrong with it.
        state: The content of submit.json.
        etag: ETag of submit.json; None if there is none yet.
        open_runs: The runs of the work list, oldest first.
        requests: The requests of the work list, in the order of their making.
    """

    text: Text
    parsed: document.Document | None
    problems: tuple[document.Problem, ...]
    state: SubmitState
    etag: str | None
    open_runs: tuple[OpenRun, ...]
    requests: tuple[OpenRequest, ...] = ()

    @property
    def now(self) -> datetime:
        """The Date of the reply that brought the document: the tick's only clock."""
        return self.text.now

    @property
    def document(self) -> str:
        """What tells this document from another."""
        return self.text.etag or "missing"

    @property
    def changed(self) -> bool:
        """Whether the document is another than the one that was last looked at."""
        return self.document != self.state.document

    def due(self) -> dict[ScheduleId, Due]:
        """Return what is undecided, by schedule; a schedule whose table is invalid stands still."""
        found: dict[ScheduleId, Due] = {}
        if self.parsed is None:
            return found
        for id_, one in self.state.schedules.items():
            if id_ in self.parsed.invalid or not (id_ in self.parsed.schedules or one.removed):
                continue
            try:
                found[id_] = due(one, self.now)
            except ScheduleSyntaxError as error:  # a zone that newer rules no longer know
                trouble(f"schedule {id_} stands still", error)
        return found

    @property
    def idle(self) -> bool:
        """Whether there is nothing to decide, to carry out, to answer or to dispatch."""
        return not (
            self.changed
            or self.state.plan
            or self.requests
            or any(is_ready(run, self.now) for run in self.open_runs)
            or any(one.occurrences for one in self.due().values())
        )


async def read_results(ledger: Ledger) -> CollectState:
    """
    Read what is known of finished runs, which the collector writes.

    Where it cannot be read, nothing is known: no reason to submit nothing.
    """
    text = await ledger.read(naming.COLLECT_STATE)
    try:
        return load_collect(text.data) if text.data else CollectState()
    except RecordUnreadable as error:
        trouble("results of earlier runs are not known", error)
        return CollectState()


def is_ready(run: OpenRun, now: datetime) -> bool:
    """Whether a run is to be dispatched now, if it waits for no other."""
    return waits(run) and (run.not_before is None or run.not_before <= now)


async def look_at(ledger: Ledger) -> Look:
    """Read the document, ``submit.json`` and the work list; what is unchanged is not sent again."""
    text = await ledger.read(naming.DOCUMENT)
    state = await ledger.read(naming.SUBMIT_STATE)
    work = await ledger.open_list()
    parsed, problems = _parsed(text.data)
    return Look(
        text=text,
        parsed=parsed,
        problems=problems,
        state=_state(state.data),
        etag=state.etag,
        open_runs=work.runs,
        requests=work.requests,
    )


@lru_cache(maxsize=2)
def _parsed(data: bytes | None) -> tuple[document.Document | None, tuple[document.Problem, ...]]:
    """Parse a document, once for each that is seen."""
    if data is None:
        return _rejected(f"there is no {naming.DOCUMENT} in the ledger")
    try:
        parsed = document.parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return _rejected(f"not UTF-8: {error.reason} at byte {error.start}")
    except DocumentError as error:
        return _rejected(*error.problems)
    return parsed, parsed.problems


def _rejected(*problems: str) -> tuple[None, tuple[document.Problem, ...]]:
    return None, tuple(
        document.Problem(schedule=None, key=None, message=problem) for problem in problems
    )


@lru_cache(maxsize=2)
def _state(data: bytes | None) -> SubmitState:
    return load_submit(data) if data else SubmitState()
