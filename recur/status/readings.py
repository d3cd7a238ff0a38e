"""What was read of a deployment, as values: what the status follows from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.document.parse import Document
from orchestrator.ids import ScheduleId
from orchestrator.ledger.results import CollectState
from orchestrator.ledger.state import HousekeepingMark, OpenRequest, SubmitState
from orchestrator.ledger.summaries import Recent
from recur.causes.surroundings import OpenLine, Surroundings, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob[T]:
    """
    A blob of the ledger.

    Attributes:
        content: What it holds.
        etag: Of it.
        modified: When it was last written.
    """

    content: T
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """
    The document in force.

    Attributes:
        document: What it says; Unreadable: it decides nothing.
        number: Of its version; None: somebody uploaded it by hand.
        data: Its bytes.
    """

    document: Document | Unreadable
    number: int | None
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The listing of ``open/``: runs, requests, and when old jobs were last looked for."""

    lines: tuple[OpenLine, ...] = ()
    requests: tuple[OpenRequest, ...] = ()
    mark: HousekeepingMark | None = None

    def by_schedule(self) -> dict[ScheduleId, list[OpenLine]]:
        """Return the lines of each schedule, the oldest run first."""
        found: dict[ScheduleId, list[OpenLine]] = {}
        for line in sorted(self.lines, key=lambda one: one.run.order):
            found.setdefault(line.run.schedule, []).append(line)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerNote:
    """
    What the Functions host notes of one timer.

    Attributes:
        last: When it last fired; None: it has not.
        following: When it fires next; None: that is not known.
    """

    last: datetime | None
    following: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """
    What was read of a deployment. A part that is None is not there.

    Attributes:
        surroundings: What the runs run in: the pool of these settings, and its nodes.
        document: ``schedules.toml``.
        submit: ``submit.json``.
        collect: ``collect.json``.
        recent: ``summaries/recent.json``.
        work: The listing of ``open/``.
        timers: What the Functions host notes, by function.
    """

    surroundings: Surroundings
    document: Blob[InForce] | Unreadable | None
    submit: Blob[SubmitState] | Unreadable | None
    collect: Blob[CollectState] | Unreadable | None
    recent: Recent | Unreadable | None
    work: Work | Unreadable
    timers: Mapping[str, TimerNote] | Unreadable = field(default_factory=dict[str, TimerNote])

    @property
    def now(self) -> datetime:
        """By the clock of the storage."""
        return self.surroundings.now

    @property
    def on_laptop(self) -> bool:
        """Whether the Batch account is the emulator's."""
        return self.surroundings.on_laptop

    @property
    def parsed(self) -> Document | None:
        """The document in force, if it decides anything."""
        if not isinstance(self.document, Blob):
            return None
        document = self.document.content.document
        return None if isinstance(document, Unreadable) else document

    @property
    def state(self) -> SubmitState | None:
        """The state of the submit pass, if it can be read."""
        return self.submit.content if isinstance(self.submit, Blob) else None

    @property
    def lines(self) -> tuple[OpenLine, ...]:
        """The open runs, as far as they can be listed."""
        return self.work.lines if isinstance(self.work, Work) else ()
