"""
Results and summaries made anew from the final records, in steps that a later tick resumes.

A listing says what each record comes to, by the metadata of its blob. Records of earlier versions
have none and are read one by one.
"""

from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import batched
from typing import Any, Final

from orchestrator import ids
from orchestrator.adapters.telemetry import Event, emit, trouble
from orchestrator.errors import BlobRefused, LedgerConflict, LedgerUnavailable, RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.result import Result, read_result, result_of
from orchestrator.ledger.results import (
    CollectState,
    Rebuilding,
    ScheduleResults,
    finished,
    load_collect,
)
from orchestrator.ledger.summaries import (
    KEPT,
    DayNumbers,
    Recent,
    ScheduleRecent,
    day_of,
    last_occurrences,
    numbers_of,
    with_results,
)
from orchestrator.passes.collect_state import CollectStore
from orchestrator.passes.services import Pace, Services
from orchestrator.passes.summarising import REBUILT, Summaries

MOST_REQUESTS: Final = 400
"""To storage in one tick; what a schedule needs at once may go a little beyond."""

PAGE: Final = 1000
"""Records in a page of a listing: after each one the time is looked at."""

_AT_A_TIME: Final = 32
_EVERY_SECONDS: Final = 15 * 60
_TRIGGERED: Final = "triggered/"


async def waiting(services: Services, now: datetime) -> bool:
    """
    Tell whether results wait to be made anew although no run is open.

    Asked in the first tick of each quarter of an hour, and as long as they do wait.
    """
    quarter = int(now.timestamp()) // _EVERY_SECONDS
    if services.cache.results_seen == quarter:
        return False
    text = await services.ledger.read(ids.COLLECT_STATE)
    try:
        rebuilding = load_collect(text.data or b"").rebuilding
    except RecordUnreadable:  # or there is none: then no schedule is known to be overdue
        return True
    if rebuilding is not None and not rebuilding.ended:
        return True
    services.cache.results_seen = quarter
    return False


class Rebuilder:
    """
    Makes anew what was lost, for one tick.

    Args:
        still_open: The jobs of the open records that were there when the tick began.
        most: How many requests to storage a tick makes, about.
        page: How many records are listed at a time.
    """

    def __init__(  # noqa: PLR0913 - all of a tick
        self,
        services: Services,
        store: CollectStore,
        summaries: Summaries,
        pace: Pace,
        *,
        now: datetime,
        still_open: Collection[str],
        most: int = MOST_REQUESTS,
        page: int = PAGE,
    ) -> None:
        self._services = services
        self._store = store
        self._summaries = summaries
        self._pace = pace
        self._now = now
        self._still_open = still_open
        self._most = most
        self._page = page

    async def begin(self) -> None:
        """Begin with the summaries, for the next tick, where this one found them lost."""
        state = await self._store.read()
        under_way = state.rebuilding and not state.rebuilding.ended
        if self._summaries.lost and not under_way:
            rebuilding = Rebuilding(because=self._summaries.lost, results=False)
            await self._store.write(replace(state, rebuilding=rebuilding))

    async def step(self) -> None:
        """
        Make a part anew, if anything was lost; write how far it came.

        A tick that dies in it is followed by one that does the same again. What goes wrong here
        is reported, and keeps no run from its end.

        Raises:
            LedgerUnavailable: ``collect.json`` cannot be read or written.
        """
        state = await self._store.read()
        if state.rebuilding is None or state.rebuilding.ended:
            return
        try:
            state = await self._make_anew(state, state.rebuilding)
        except (LedgerUnavailable, LedgerConflict) as error:
            trouble("the results and summaries are not rebuilt in this tick", error)
        tell(state)

    async def _make_anew(self, state: CollectState, rebuilding: Rebuilding) -> CollectState:
        rebuilding = replace(rebuilding, begun=rebuilding.begun or self._now)
        recent = await self._summaries.recent()
        if recent is None or self._summaries.lost:  # what was done of them is to be done again
            rebuilding = replace(rebuilding, schedule=None, before=None, marker=None)
        part = _Part(
            services=self._services,
            pace=self._pace,
            now=self._now,
            still_open=self._still_open,
            most=self._most,
            page=self._page,
            state=replace(state, rebuilding=rebuilding),
            rebuilding=rebuilding,
            recent=recent or Recent(),
        )
        await part.work()
        await self._summaries.put_days(part.numbers)
        await self._summaries.add_anew(part.recent, part.numbers.keys())
        await self._store.write(part.state)
        self._summaries.lost = ""
        return part.state


def tell(state: CollectState) -> None:
    """Tell that results of runs were lost, and are being made anew or have been."""
    rebuilding = state.rebuilding
    if rebuilding is not None and rebuilding.lost_results:
        emit(
            Event.LEDGER_TROUBLE,
            what="results_lost",
            blob=ids.COLLECT_STATE,
            detail=rebuilding.because,
        )


@dataclass(slots=True, kw_only=True)
class _Part:
    """
    What one tick makes anew.

    Attributes:
        state: The results so far, and how far this came.
        recent: The last occurrences so far.
        numbers: By day and schedule: the numbers of runs that are closed, and those still open.
    """

    services: Services
    pace: Pace
    now: datetime
    still_open: Collection[str]
    most: int
    page: int
    state: CollectState
    rebuilding: Rebuilding
    recent: Recent
    numbers: dict[date, dict[ScheduleId, tuple[DayNumbers, list[Result]]]] = field(
        default_factory=dict[date, dict[ScheduleId, tuple[DayNumbers, list[Result]]]]
    )

    async def work(self) -> None:
        """Go on with the schedule in hand, then with those after it, as long as time allows."""
        hand, before = self.rebuilding.schedule, self.rebuilding.before
        for id_ in await self._ask(self.services.ledger.recorded_schedules()):
            if hand is not None and (id_ < hand or (id_ == hand and before is None)):
                continue
            rest = await self._schedule(id_, before if id_ == hand else None)
            marker = self.rebuilding.marker if rest else None
            self._note(schedule=id_, before=rest, marker=marker)
            if self._over:
                return
        self._note(ended=self.now)
        if not self.rebuilding.lost_results:  # nothing that anybody should know of
            self.state = replace(self.state, rebuilding=None)

    @property
    def _over(self) -> bool:
        return self.most <= 0 or self.pace.over

    async def _ask[T](self, call: Awaitable[T]) -> T:
        self.most -= 1
        return await call

    def _note(self, **changes: Any) -> None:  # noqa: ANN401 - fields of a dataclass
        self.rebuilding = replace(self.rebuilding, **changes)
        self.state = replace(self.state, rebuilding=self.rebuilding)

    async def _schedule(self, id_: ScheduleId, before: str | None) -> str | None:
        """
        Take in the records of one schedule, the newest first, until older ones say nothing new.

        Returns:
            The name before which names are left for the next tick; None: nothing is left.
        """
        whole = before is None
        async for folder in self._folders(id_):
            if before is not None and folder >= before:
                continue
            if before is None or not before.startswith(folder):
                self._note(marker=None)  # it is of another folder
            if self._enough(id_, _end(folder), numbers=True):
                return None
            rest = await self._folder(id_, folder, before)
            rest = rest or (folder if self._over else None)
            if rest is not None:
                begin = _begin(folder)
                whole = whole and begin is not None and begin.date() <= self._since
                if not whole:  # numbers of a part of a day would be taken for those of all of it
                    self._forget_numbers(id_)
                return rest
        if not whole:
            self._forget_numbers(id_)
        return None

    async def _folders(self, id_: ScheduleId) -> AsyncGenerator[str]:
        """Yield the folders of a schedule's records: of triggers first, then months backwards."""
        ledger = self.services.ledger
        for top in reversed(await self._ask(ledger.final_folders(f"{id_}/"))):
            if top == _TRIGGERED:
                yield top
                continue
            for month in reversed(await self._ask(ledger.final_folders(f"{id_}/{top}"))):
                yield f"{top}{month}"

    async def _folder(self, id_: ScheduleId, folder: str, before: str | None) -> str | None:
        """
        Take in one folder, page by page, as long as time allows.

        Returns:
            The name before which names are left in the page of the marker; None: nothing is left.
        """
        while True:
            marker = self.rebuilding.marker
            try:
                listed = self.services.ledger.final_page(f"{id_}/{folder}", marker, self.page)
                page, following = await self._ask(listed)
            except BlobRefused as error:
                if marker is None:
                    raise
                trouble(f"{folder} of {id_} is listed again from the start", error)
                self._note(marker=None)
                return f"{folder}~"
            rest = await self._take_page(id_, page, before)
            if rest is not None:
                return rest
            self._note(marker=following)
            if following is None:
                return None
            if self._over:
                return f"{folder}~"
            before = None

    async def _take_page(
        self, id_: ScheduleId, page: Sequence[tuple[str, Mapping[str, str]]], before: str | None
    ) -> str | None:
        """Take in a page; return where records without metadata are left, if any are."""
        old: list[str] = []
        results: list[Result] = []
        for name, metadata in page:
            try:
                result = read_result(name, metadata)
            except RecordUnreadable as error:
                trouble(f"{name} is read in full", error)
                result = None
            if result is None:
                old.append(name)
            elif result.schedule == id_:
                results.append(result)
        self._take(results)
        self._count(id_, results)
        own = f"{ids.FINAL_PREFIX}{id_}/"
        names = sorted((name.removeprefix(own) for name in old), reverse=True)
        if before is not None:
            names = [name for name in names if name < before]
        return await self._read_old(id_, names)

    async def _read_old(self, id_: ScheduleId, names: Sequence[str]) -> str | None:
        """Read records of earlier versions, the newest first, until older ones say nothing new."""
        before: str | None = f"{names[0]}~" if names else None
        for some in batched(names, _AT_A_TIME, strict=False):
            if self._enough(id_, _nominal(some[0]), numbers=False):
                return None
            if not await self.pace.each(some, lambda name: self._read_one(id_, name)):
                return before
            before = some[-1]
            if self._over:  # not before something was read: else a listing might use up each tick
                return before
        return None

    async def _read_one(self, id_: ScheduleId, name: str) -> None:
        try:
            found = await self._ask(
                self.services.ledger.read_final(f"{ids.FINAL_PREFIX}{id_}/{name}")
            )
        except (RecordUnreadable, BlobRefused) as error:
            trouble(f"{name} is left out of the results", error)
            return
        if found is not None and found[0].schedule == id_:
            self._take([result_of(found[0])])

    def _take(self, results: Sequence[Result]) -> None:
        if any(one.outcome and one.job_id not in self.still_open for one in results):
            self._note(found=True)
        self.recent = with_results(self.recent, results)
        if self.rebuilding.results:
            self.state = reduce(finished, results, self.state)

    def _count(self, id_: ScheduleId, results: Sequence[Result]) -> None:
        for result in results:
            day = day_of(result)
            if result.outcome is None or day < self._since:
                continue
            by_schedule = self.numbers.setdefault(day, {})
            numbers, still_open = by_schedule.get(id_, (DayNumbers(), []))
            if result.job_id in self.still_open:
                still_open = [*still_open, result]
            else:
                numbers = numbers_of([result], numbers)
            by_schedule[id_] = numbers, still_open

    def _forget_numbers(self, id_: ScheduleId) -> None:
        for by_schedule in self.numbers.values():
            by_schedule.pop(id_, None)

    @property
    def _since(self) -> date:
        return (self.now - REBUILT).date()

    def _enough(self, id_: ScheduleId, until: datetime | None, *, numbers: bool) -> bool:
        """
        Tell whether records of nominal times before ``until`` say nothing new.

        Args:
            id_: The schedule.
            until: None where it is not known.
            numbers: Whether those records count in the numbers of days.
        """
        if until is None or (numbers and until.date() >= self._since):
            return False
        known = last_occurrences(self.recent.schedules.get(id_, ScheduleRecent()))
        if len(known) < KEPT or known[0].nominal < until.timestamp():
            return False
        success = self.state.schedules.get(id_, ScheduleResults()).last_success
        return not self.rebuilding.results or (success is not None and success >= until)


def _begin(folder: str) -> datetime | None:
    """Return when the month of a folder begins; None for the folder of triggers."""
    if folder == _TRIGGERED:
        return None
    try:
        return datetime.strptime(folder, "%Y/%m/").replace(tzinfo=UTC)
    except ValueError:
        return None


def _end(folder: str) -> datetime | None:
    """Return when the month of a folder is over; None for the folder of triggers."""
    begin = _begin(folder)
    return (begin + timedelta(days=31)).replace(day=1) if begin else None


def _nominal(name: str) -> datetime | None:
    """Return the nominal time of a record by its name; None for a trigger's."""
    run_id = ids.final_run_id(f"{ids.FINAL_PREFIX}{name}")
    parsed = ids.parse_run_id(run_id) if run_id else None
    return parsed[1] if parsed else None
