"""The ledger in blob storage, blob by blob; `container` makes the single calls."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from azure.identity.aio import DefaultAzureCredential
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import BlobServiceClient, ExponentialRetry

from orchestrator import ids
from orchestrator.adapters.calls import BlobMissing, BlobUnchanged, environment_options
from orchestrator.adapters.container import BlobText, Container, Lease
from orchestrator.adapters.outputs import Outputs
from orchestrator.adapters.settings import Settings
from orchestrator.adapters.telemetry import trouble
from orchestrator.decisions.identity import is_stale, tells_of
from orchestrator.decisions.moving import is_older, join, reaches
from orchestrator.errors import LedgerConflict, LedgerUnavailable, RecordUnreadable
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.moved import (
    Moved,
    RemovedSchedule,
    dump_moved,
    dump_removed,
    load_moved,
    load_removed,
)
from orchestrator.ledger.open_record import load_open
from orchestrator.ledger.record import Record, dump, load, metadata
from orchestrator.ledger.request import Answer, Request, dump_answer, load_request
from orchestrator.ledger.result import result_metadata
from orchestrator.ledger.state import (
    HousekeepingMark,
    OpenRequest,
    OpenRun,
    ScheduleState,
    damaged_open_run,
    read_open_run,
)
from orchestrator.ledger.versions import Version, commit_metadata, read_version, version_metadata

_VERSIONS_A_PAGE: Final = 1000
_TRANSPORT: Final[dict[str, Any]] = {"connection_timeout": 3, "read_timeout": 8}


@dataclass(slots=True)
class Cache:
    """
    What this process remembers from one tick to the next; losing it costs a read and a report.

    Attributes:
        texts: What was read, by blob name, for reads by If-None-Match.
        reported: The quarter of an hour in which the schedules were last reported.
        positions: Those of the collector, by turn, as its last tick left them at its regular end.
        results_seen: The quarter of an hour in which ``collect.json`` was last found to be whole.
        old_jobs: Link of the page of old jobs at which the next look for them begins.
    """

    texts: dict[str, BlobText] = field(default_factory=dict[str, BlobText])
    reported: int | None = None
    positions: dict[str, RunId] = field(default_factory=dict[str, RunId])
    results_seen: int | None = None
    old_jobs: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkList:
    """
    The whole work list.

    Attributes:
        runs: Oldest first.
        requests: In the order of their making.
        now: The Date of the reply.
        mark: When old jobs were last looked for; None: never.
    """

    runs: tuple[OpenRun, ...]
    requests: tuple[OpenRequest, ...]
    now: datetime
    mark: HousekeepingMark | None = None


class Ledger:
    """
    The container of the ledger.

    Every method raises ``LedgerUnavailable`` when storage does not answer or refuses, and
    ``LedgerConflict`` when a condition of a write does not hold.
    """

    def __init__(self, container: Container, cache: Cache) -> None:
        self._container = container
        self._cache = cache

    async def read(self, name: str) -> BlobText:
        """Read a blob, by If-None-Match when it was read before."""
        known = self._cache.texts.get(name)
        try:
            text = await self._container.download(name, unless=known.etag if known else None)
        except BlobMissing as missing:
            self._cache.texts.pop(name, None)
            return BlobText(data=None, etag=None, modified=None, now=missing.now)
        except BlobUnchanged as unchanged:
            if known is None:
                raise LedgerUnavailable(
                    f"{name}: storage answered 304 without an earlier read"
                ) from None
            return replace(known, now=unchanged.now)
        self._cache.texts[name] = text
        return text

    async def open_list(self) -> WorkList:
        """
        List ``open/``: the whole work list.

        One request up to 5,000 blobs. Anything there that is neither a run nor a request by its
        name is left alone. A run whose metadata cannot be read is listed as damaged.
        """
        blobs, now = await self._container.listing(ids.OPEN_PREFIX)
        runs: list[OpenRun] = []
        requests: list[OpenRequest] = []
        mark: HousekeepingMark | None = None
        for blob in blobs:
            if blob.name == ids.HOUSEKEEPING:
                after = (blob.metadata or {}).get("after")
                mark = HousekeepingMark(at=blob.last_modified, after=after, etag=blob.etag)
                continue
            if blob.name.startswith(ids.REQUEST_PREFIX):
                if request := ids.open_request_id(blob.name):
                    requests.append(OpenRequest(id=request, made=blob.creation_time))
                else:
                    trouble("a request is ignored", RecordUnreadable(f"{blob.name}: its name"))
                continue
            run = _open_run(blob)
            runs += [run] if run else []
        return WorkList(
            runs=tuple(sorted(runs, key=lambda run: run.order)),
            requests=tuple(sorted(requests, key=lambda one: (one.made, one.id))),
            now=now,
            mark=mark,
        )

    async def write_mark(self, after: str | None, mark: HousekeepingMark | None) -> None:
        """Note that old jobs were looked for just now, up to one or all of them."""
        values = {"after": after} if after else None
        if mark is None:
            await self._container.create(ids.HOUSEKEEPING, b"{}", values)
        else:
            await self._container.put(ids.HOUSEKEEPING, b"{}", mark.etag, values)

    async def versions(self) -> dict[int, Version | None]:
        """Return every version of the document by its number; None where it cannot be read."""
        found: dict[int, Version | None] = {}
        marker: str | None = None
        while True:
            page, marker = await self._container.page(ids.VERSIONS_PREFIX, marker, _VERSIONS_A_PAGE)
            for blob in page:
                if (number := ids.version_number(blob.name)) is None:
                    continue
                try:
                    found[number] = _version(number, blob.metadata or {})
                except RecordUnreadable as error:
                    trouble("a version of the document is ignored", error)
                    found[number] = None
            if marker is None:
                return found

    async def version(self, number: int) -> Version | None:
        """
        Return what is known of a version of the document; None if there is none.

        Raises:
            RecordUnreadable: Its metadata are not those of a version.
        """
        metadata = await self._container.metadata(ids.version_blob(number))
        return None if metadata is None else _version(number, metadata)

    async def read_version(self, number: int) -> bytes | None:
        """Return the content of a version of the document; None if there is none."""
        try:
            return (await self._container.download(ids.version_blob(number))).data
        except BlobMissing:
            return None

    async def create_version(self, version: Version, data: bytes) -> bool:
        """Create a version of the document; False if its number is taken."""
        name = ids.version_blob(version.number)
        return await self._container.create(name, data, version_metadata(version))

    async def put_in_force(self, version: Version, data: bytes, etag: str | None) -> None:
        """
        Let ``schedules.toml`` hold a version, if it still holds what ``etag`` names.

        Raises:
            LedgerConflict: It holds something else; or something, where ``etag`` is None.
        """
        self._cache.texts.pop(ids.DOCUMENT, None)
        values = commit_metadata(version)
        if etag is not None:
            await self._container.put(ids.DOCUMENT, data, etag, values)
        elif not await self._container.create(ids.DOCUMENT, data, values):
            raise LedgerConflict(f"{ids.DOCUMENT} was created at the same time")

    async def has_final_records(self) -> bool:
        """Tell whether there is any final record."""
        return await self._container.holds(ids.FINAL_PREFIX)

    def lease(self, name: str, *, empty: bytes | None) -> AbstractAsyncContextManager[Lease]:
        """
        Hold the lease of a blob for 60 s at most; the blob is created with ``empty`` if missing.

        Raises:
            LeaseTaken: Another tick holds it.
            LedgerConflict: The blob is missing, and ``empty`` is None.
        """
        return self._container.lease(name, empty=empty)

    async def write(self, name: str, data: bytes, lease: Lease, etag: str) -> str:
        """Replace a leased blob if it is still the one that was read; return its new ETag."""
        etag = await self._container.put(name, data, etag, lease=lease)
        self._cache.texts.pop(name, None)
        return etag

    async def keep(self, name: str, data: bytes) -> None:
        """Keep what cannot be read under another name; there already is as good."""
        await self._container.create(name, data)

    async def write_summary(self, name: str, data: bytes, etag: str | None) -> None:
        """Replace a summary if it is still the one that was read; None creates it."""
        self._cache.texts.pop(name, None)
        if etag is not None:
            await self._container.put(name, data, etag)
        elif not await self._container.create(name, data):
            raise LedgerConflict(f"{name} already exists")

    async def summary_days(self) -> set[str]:
        """Return the names of the blobs that hold the numbers of a day."""
        blobs, _ = await self._container.listing(ids.DAYS_PREFIX)
        return {blob.name for blob in blobs}

    async def recorded_schedules(self) -> list[ScheduleId]:
        """Return the schedules that have final records, by their ids: one listing."""
        names = await self.final_folders("")
        return sorted(ScheduleId(name.rstrip("/")) for name in names)

    async def final_folders(self, below: str) -> list[str]:
        """Return the names of the folders right below a folder of ``runs/``, in their order."""
        prefix = f"{ids.FINAL_PREFIX}{below}"
        found = await self._container.folders(prefix)
        return [name.removeprefix(prefix) for name in found]

    async def final_page(
        self, below: str, marker: str | None, size: int
    ) -> tuple[list[tuple[str, Mapping[str, str]]], str | None]:
        """
        List a page of the final records in a folder of ``runs/``.

        Args:
            below: The folder.
            marker: Where the page begins; None: it is the first.
            size: How many records a page holds at most.

        Returns:
            Names and metadata, and the marker of the next page; None: there is none.
        """
        page, marker = await self._container.page(f"{ids.FINAL_PREFIX}{below}", marker, size)
        return [(blob.name, blob.metadata or {}) for blob in page], marker

    async def claim(self, record: Record) -> bool:
        """Create an open record; False if there is one already."""
        name = ids.open_blob(record.run_id)
        return await self._container.create(name, dump(record), metadata(record))

    async def read_open(self, run_id: RunId) -> tuple[Record, str] | None:
        """
        Return an open record and its ETag; None if it is gone.

        Raises:
            RecordUnreadable: It is damaged, or of a later version.
        """
        try:
            text = await self._container.download(ids.open_blob(run_id))
        except BlobMissing:
            return None
        return load_open(run_id, text.data or b"", text.metadata), text.etag or ""

    async def write_open(self, record: Record, etag: str) -> str:
        """Replace an open record if it is still the one that was read; return its new ETag."""
        name = ids.open_blob(record.run_id)
        return await self._container.put(name, dump(record), etag, metadata(record))

    async def remove_open(self, run_id: RunId, etag: str) -> None:
        """Remove an open record if it is still the one that was read; gone already is as good."""
        await self._container.remove(ids.open_blob(run_id), etag)

    async def finalise(self, record: Record) -> bool:
        """
        Create a final record, or replace the one that a backfill opened again.

        Returns:
            False if this was done already.
        """
        if record.replaces is None:
            return await self._container.create(record.blob, dump(record), result_metadata(record))
        etag = record.replaces
        while True:
            try:
                await self._container.put(record.blob, dump(record), etag, result_metadata(record))
            except (LedgerConflict, BlobMissing):
                there = await self._container.etag(record.blob)
                if there is None:  # what it replaces has been deleted meanwhile
                    return await self._container.create(
                        record.blob, dump(record), result_metadata(record)
                    )
                if await self._is_newer(record):
                    return False
                etag = there
            else:
                return True

    async def _is_newer(self, record: Record) -> bool:
        """Whether the final record that is there is this one, or that of a later life."""
        try:
            there = await self.read_final(record.blob)
        except RecordUnreadable:
            return False
        if there is None:
            return False
        return tells_of(there[0], record)

    async def read_final(self, name: str) -> tuple[Record, str] | None:
        """Return a final record by its blob's name, and its ETag; None if there is none."""
        try:
            text = await self._container.download(name)
        except BlobMissing:
            return None
        return load(text.data or b"", text.metadata), text.etag or ""

    async def is_left_over(self, record: Record) -> bool:
        """
        Tell whether an open record is left from a life of its run that has ended.

        Raises:
            RecordUnreadable: The final record of its run is none.
        """
        etag = await self._container.etag(record.blob)
        if etag is None or etag == record.replaces:
            return False
        final = await self.read_final(record.blob)
        return final is not None and is_stale(record, final[0])

    async def final_etag(self, record: Record) -> str | None:
        """Return the ETag of the final record that the run of this one has; None: it has none."""
        return await self._container.etag(record.blob)

    async def keep_moved(self, moved: Moved) -> None:
        """Write down what leaves ``submit.json``, unless it is there."""
        await self._container.create(moved.blob, dump_moved(moved))

    async def keep_removed(self, schedule: ScheduleId, state: ScheduleState) -> None:
        """Write down the last state of a removed schedule, in the place of an earlier one."""
        name, data = ids.removed_blob(schedule), dump_removed(RemovedSchedule(state=state))
        if not await self._container.create(name, data):
            await self._container.put(name, data, await self._container.etag(name) or "")

    async def read_removed(self, schedule: ScheduleId) -> ScheduleState | None:
        """
        Return the last state of a removed schedule; None if it is not known.

        Raises:
            RecordUnreadable: It cannot be read.
        """
        try:
            text = await self._container.download(ids.removed_blob(schedule))
        except BlobMissing:
            return None
        return load_removed(text.data or b"").state

    async def with_moved(
        self, schedule: ScheduleId, state: ScheduleState, *, after: datetime
    ) -> ScheduleState:
        """
        Return the state of a schedule with its timings from ``after`` on, also those moved out.

        Raises:
            RecordUnreadable: A blob of them cannot be read.
        """
        if reaches(state, after):
            return state
        blobs, _ = await self._container.listing(ids.MOVED_PREFIX)
        for name in sorted((blob.name for blob in blobs), reverse=True):
            if reaches(state, after) and is_older(name, state):
                break
            text = await self._container.download(name)
            moved = load_moved(text.data or b"").schedules.get(schedule)
            state = join(state, moved) if moved else state
        return state

    async def read_request(self, request_id: str) -> tuple[Request, str] | None:
        """
        Return a request and its ETag; None if it is gone.

        Raises:
            RecordUnreadable: It is none.
        """
        try:
            text = await self._container.download(ids.request_blob(request_id))
        except BlobMissing:
            return None
        return load_request(text.data or b""), text.etag or ""

    async def answer(self, request_id: str, answer: Answer) -> None:
        """Answer a request, unless it has been answered, and remove it."""
        await self._container.create(ids.answer_blob(request_id), dump_answer(answer))
        name = ids.request_blob(request_id)
        etag = await self._container.etag(name)
        if etag:
            await self._container.remove(name, etag)


def _version(number: int, metadata: Mapping[str, str]) -> Version:
    """Read the metadata of a version; its name says its number."""
    return replace(read_version(ids.version_blob(number), metadata), number=number)


def _open_run(blob: BlobProperties) -> OpenRun | None:
    try:
        run = read_open_run(blob.name, blob.metadata or {})
    except RecordUnreadable:
        run = None
    return run or damaged_open_run(blob.name, blob.creation_time)


@asynccontextmanager
async def open_storage(settings: Settings, cache: Cache) -> AsyncGenerator[tuple[Ledger, Outputs]]:
    """Open both containers, by connection string where one is set, else by the identity."""
    retry = ExponentialRetry(initial_backoff=1, increment_base=1, retry_total=2)
    options: dict[str, Any] = {"retry_policy": retry, **_TRANSPORT, **environment_options()}
    if settings.data_storage_connection_string:
        service = BlobServiceClient.from_connection_string(
            settings.data_storage_connection_string, **options
        )
        async with service:
            yield _containers(service, settings, cache)
        return
    async with (
        DefaultAzureCredential(managed_identity_client_id=settings.client_id) as credential,
        BlobServiceClient(settings.data_storage_url, credential, **options) as service,
    ):
        yield _containers(service, settings, cache)


def _containers(
    service: BlobServiceClient, settings: Settings, cache: Cache
) -> tuple[Ledger, Outputs]:
    ledger = Ledger(Container(service.get_container_client(settings.ledger_container)), cache)
    return ledger, Outputs(service, settings.outputs_container)
