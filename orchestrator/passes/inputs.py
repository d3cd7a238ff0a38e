"""What three reads say: the document, the state of the submit pass, the work list."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from orchestrator import ids
from orchestrator.adapters.blobs import Ledger
from orchestrator.adapters.container import LARGEST_BLOB_BYTES, BlobText
from orchestrator.adapters.telemetry import trouble
from orchestrator.decisions.due import MOST_AT_ONCE, Due, LostTime, due, is_due
from orchestrator.document import parse
from orchestrator.errors import (
    DocumentError,
    LedgerTrouble,
    Problem,
    RecordUnreadable,
    ScheduleSyntaxError,
)
from orchestrator.ids import ScheduleId
from orchestrator.ledger.results import CollectState, load_collect, with_unknown
from orchestrator.ledger.state import OpenRequest, OpenRun, ScheduleState, SubmitState, load_submit
from orchestrator.passes.collect_state import LOST
from orchestrator.passes.runs_in_the_way import waits

MISSING: Final = "missing"
"""Stands in ``submit.json`` for the ETag of a document that is not there."""

_MOST_IN_ALL: Final = 50_000
"""Occurrences of all schedules that are looked at in one go."""

_SEARCHED: Final = timedelta(days=20)
"""A time without occurrences whose search takes no more work than one, even of odd schedules."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """
    What is undecided, as far as one go looks.

    Attributes:
        due: By schedule; those that have waited longest come first.
        whole: Whether every schedule was looked at.
    """

    due: dict[ScheduleId, Due]
    whole: bool

    @property
    def any(self) -> bool:
        """Whether anything is due."""
        return any(one.any for one in self.due.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TickInputs:
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
        until: Up to here the timings in ``state`` hold; later ones are in versions of the document
            that are not taken over yet. None: they hold up to now.
    """

    text: BlobText
    parsed: parse.Document | None
    problems: tuple[Problem, ...]
    state: SubmitState
    etag: str | None
    open_runs: tuple[OpenRun, ...]
    requests: tuple[OpenRequest, ...] = ()
    until: datetime | None = None

    @property
    def now(self) -> datetime:
        """The Date of the reply that brought the document: the tick's only clock."""
        return self.text.now

    @property
    def document(self) -> str:
        """What tells this document from another."""
        return self.text.etag or MISSING

    @property
    def changed(self) -> bool:
        """Whether the document is another than the one that was last looked at."""
        return self.document != self.state.document

    def undecided(self, without: Container[ScheduleId] = ()) -> Undecided:
        """
        Return what is undecided, but of some schedules; one whose table is invalid stands still.

        Those that have waited longest come first. Both the occurrences and the work of searching
        are bounded: after days of silence there is more than memory and a tick can hold. The tick
        asks again for the rest.
        """
        found: dict[ScheduleId, Due] = {}
        most = _MOST_IN_ALL
        tables = self.parsed.schedules if self.parsed else {}
        until = min(self.now, self.until) if self.until else self.now
        for id_, one in self._decidable():
            if id_ in without:
                continue
            if most <= 0:
                return Undecided(found, whole=False)
            try:
                table = tables.get(id_)
                lost = LostTime.of(table.catch_up if table else None, self.now)
                part = min(most, MOST_AT_ONCE)
                found[id_] = due(one, until, part, returns=id_ in tables, lost=lost)
            except ScheduleSyntaxError as error:  # a zone that newer rules no longer know
                trouble(f"schedule {id_} stands still", error)
            else:
                searched = (found[id_].until - one.decided_until) // _SEARCHED
                most -= max(len(found[id_].occurrences), found[id_].looks, searched)
        return Undecided(found, whole=True)

    def _decidable(self) -> list[tuple[ScheduleId, ScheduleState]]:
        if self.parsed is None:
            return []
        tables, invalid = self.parsed.schedules, self.parsed.invalid
        found = [
            (id_, one)
            for id_, one in self.state.schedules.items()
            if id_ not in invalid and (id_ in tables or one.removed) and not one.over
        ]
        return sorted(found, key=lambda pair: pair[1].decided_until)

    @property
    def anything_due(self) -> bool:
        """Whether any schedule has an undecided occurrence, or it takes too long to find that out."""
        left = _MOST_IN_ALL
        for id_, one in self._decidable():
            try:
                if left <= 0 or is_due(one, self.now):
                    return True
            except ScheduleSyntaxError as error:
                trouble(f"schedule {id_} stands still", error)
            else:
                left -= (self.now - one.decided_until) // _SEARCHED
        return False

    @property
    def idle(self) -> bool:
        """Whether there is nothing to decide, to carry out, to answer or to dispatch."""
        return not (
            self.changed
            or self.state.plan
            or self.requests
            or any(is_ready(run, self.now) for run in self.open_runs)
            or self.anything_due
        )


async def read_results(ledger: Ledger) -> CollectState:
    """
    Read what is known of finished runs, which the collector writes.

    Where it is lost or being made anew, schedules that have records are marked: what is known of
    them is not all. That is no reason to submit nothing.
    """
    text = await ledger.read(ids.COLLECT_STATE)
    state = LOST
    if text.data is not None:
        try:
            state = load_collect(text.data)
        except RecordUnreadable as error:
            trouble("results of earlier runs are not known", error)
    rebuilding = state.rebuilding
    if rebuilding is None or rebuilding.ended or not rebuilding.results:
        return state
    return with_unknown(state, await ledger.recorded_schedules())


def is_ready(run: OpenRun, now: datetime) -> bool:
    """Whether a run is to be dispatched now, if it waits for no other."""
    return waits(run) and (run.not_before is None or run.not_before <= now)


async def read_inputs(ledger: Ledger) -> TickInputs:
    """
    Read the document, ``submit.json`` and the work list; what is unchanged is not sent again.

    Raises:
        LedgerTrouble: ``submit.json`` cannot be read.
    """
    text = await ledger.read(ids.DOCUMENT)
    state = await ledger.read(ids.SUBMIT_STATE)
    work = await ledger.open_list()
    parsed, problems = parsed_document(text.data)
    return TickInputs(
        text=text,
        parsed=parsed,
        problems=problems,
        state=_read_state(state.data),
        etag=state.etag,
        open_runs=work.runs,
        requests=work.requests,
    )


@lru_cache(maxsize=2)
def parsed_document(data: bytes | None) -> tuple[parse.Document | None, tuple[Problem, ...]]:
    """Parse a document, once for each that is seen."""
    return parse_document(data)


def parse_document(data: bytes | None) -> tuple[parse.Document | None, tuple[Problem, ...]]:
    """Parse a document; None and what is wrong with it where nothing of it can be used."""
    if data is None:
        return None, (Problem(message=f"there is no {ids.DOCUMENT} in the ledger"),)
    if len(data) > LARGEST_BLOB_BYTES:
        message = f"more than {LARGEST_BLOB_BYTES:,} bytes, which is too large to read"
        return None, (Problem(message=message),)
    try:
        parsed = parse.parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, (Problem(message=f"not UTF-8: {error.reason} at byte {error.start}"),)
    except DocumentError as error:
        return None, error.problems
    return parsed, parsed.problems


@lru_cache(maxsize=2)
def _read_state(data: bytes | None) -> SubmitState:
    try:
        return SubmitState() if data is None else load_submit(data)
    except RecordUnreadable as error:
        raise LedgerTrouble(
            "unreadable",
            ids.SUBMIT_STATE,
            f"{error}. Nothing is decided until you restore it from its soft-deleted versions, or "
            "`recur adopt --new` keeps a copy and starts a new one from now on",
        ) from error
