"""What was read of a deployment, as values: what the status follows from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.batch_state import Node, Pool
from orchestrator.document.parse import Document
from orchestrator.ids import ScheduleId
from orchestrator.ledger.results import CollectState
from orchestrator.ledger.state import HousekeepingMark, OpenRequest, OpenRun, SubmitState
from orchestrator.ledger.summaries import Recent


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """
    Something that could not be read.

    Attributes:
        why: In words.
        next_step: What to do about it: the role that is missing, where it is a role.
        damaged: Whether it was read, and is not what it should be.
    """

    why: str
    next_step: str
    damaged: bool = False


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
class OpenLine:
    """
    One line of the work list.

    Attributes:
        run: What the line says of a run.
        blocked: Why it has no job yet; None: it is not blocked.
    """

    run: OpenRun
    blocked: str | None = None


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
        now: By the clock of the storage.
        account: URL of the Batch account of these settings, on a laptop without its port.
        on_laptop: Whether that account is the emulator's.
        pool_id: The pool of these settings.
        document: ``schedules.toml``.
        submit: ``submit.json``.
        collect: ``collect.json``.
        recent: ``summaries/recent.json``.
        work: The listing of ``open/``.
        timers: What the Functions host notes, by function.
        pool: The pool.
        nodes: Its nodes.
    """

    now: datetime
    account: str
    on_laptop: bool
    pool_id: str
    document: Blob[InForce] | Unreadable | None
    submit: Blob[SubmitState] | Unreadable | None
    collect: Blob[CollectState] | Unreadable | None
    recent: Recent | Unreadable | None
    work: Work | Unreadable
    timers: Mapping[str, TimerNote] | Unreadable = field(default_factory=dict[str, TimerNote])
    pool: Pool | Unreadable | None
    nodes: tuple[Node, ...] = ()

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
