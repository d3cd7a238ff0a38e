"""The outputs of a run that has ended: verified, fetched, or missing with a reason."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from orchestrator.adapters.outputs import PART_BYTES, StoredOutput, parts
from orchestrator.adapters.telemetry import Event, emit
from orchestrator.decisions.declared_outputs import STREAMS, declares, is_safe, unmatched
from orchestrator.decisions.last_words import LAST_BYTES, words_of
from orchestrator.decisions.missing_outputs import (
    NODE_RESTARTS_FOR,
    UNREAD_FOR,
    missing,
    sentence,
    unverified,
)
from orchestrator.enums import Outcome, OutputCode, Reason
from orchestrator.errors import BatchRefused, BatchUnavailable, OutputUnreadable
from orchestrator.ids import FILES
from orchestrator.ledger.record import How, LastWords, Output, Record
from orchestrator.passes.fetching import (
    Fetcher,
    NodeNotReady,
    OthersFirst,
    Slots,
    TickOver,
    Wanted,
)
from orchestrator.passes.looking import OpenRecord
from orchestrator.passes.services import Pace, Services

HASHED_BYTES: Final = 64 * 1024 * 1024
"""So much of the outputs of one attempt is read back and hashed; the rest is verified by size."""

_FILE_SECONDS: Final = 10
"""Where the bytes of a file come more slowly than that, its size alone is verified."""

_MOST_LISTED: Final = 1000
_MOST_PAGES: Final = 20
_LISTING_SECONDS: Final = 10
_TOO_SLOW: Final = "no tick had time to read it"
_LARGE_BYTES: Final = 1024 * 1024
"""After so much that was verified, a tick that dies is not to begin again."""


class Gatherer:
    """
    Finds out what became of the outputs of runs.

    Of all the runs together, two parts of blobs are in memory at a time.
    """

    def __init__(self, services: Services, pace: Pace, now: datetime) -> None:
        """
        Prepare it for one tick.

        Args:
            services: The adapters.
            pace: The time for reading what attempts that are tried again left on their nodes.
            now: The tick's only clock.
        """
        self._services = services
        self._pace = pace
        self._now = now
        self._slots = Slots()

    async def gather(self, ended: OpenRecord, pace: Pace) -> OpenRecord | None:
        """
        Return a record with its outputs; None if the next tick goes on with them.

        An output that is missing says why and changes no outcome.

        Args:
            ended: The run.
            pace: The time that is left for reading.

        Raises:
            LedgerConflict: The open record changed meanwhile.
        """
        if ended.record.outputs and ended.record.outputs_total is None:
            return ended  # an earlier version wrote them together with the end
        return await self._one(ended, pace).run()

    async def save(self, ended: OpenRecord) -> None:
        """
        Store what is only on the node, for an attempt that is followed by another.

        As far as it goes in this tick: nothing is noted, and no failure is one of the run's.
        """
        with suppress(TickOver, NodeNotReady):
            await self._one(ended, self._pace).save()

    def _one(self, ended: OpenRecord, pace: Pace) -> "_Gathering":
        return _Gathering(self._services, pace, self._now, self._slots, ended)


@dataclass(slots=True)
class _Found:
    """
    What is known of the outputs of an attempt.

    Attributes:
        streams: stdout and stderr, if they are stored.
        files: What is stored and declared, the first thousand by name.
        planted: What is stored and matches no declared pattern, the first thousand.
        count: How many there are of both.
        unmatched: Declared patterns that match none of them.
        noted: What is missing, or cannot be read back, by its path.
        unread: Why something could not be read now, by its path.
        cut: Whether there are more files than are counted.
    """

    streams: dict[str, StoredOutput] = field(default_factory=dict[str, StoredOutput])
    files: dict[str, StoredOutput] = field(default_factory=dict[str, StoredOutput])
    planted: list[StoredOutput] = field(default_factory=list[StoredOutput])
    count: int = 0
    unmatched: tuple[str, ...] = ()
    noted: dict[str, Output] = field(default_factory=dict[str, Output])
    unread: dict[str, str] = field(default_factory=dict[str, str])
    cut: bool = False

    @property
    def stored(self) -> dict[str, StoredOutput]:
        """What is declared and stored: stdout and stderr first, then by name."""
        return self.streams | self.files

    @property
    def missing_streams(self) -> tuple[str, ...]:
        """Those of stdout and stderr of which nothing is known yet."""
        known = self.streams.keys() | self.unread.keys() | self.noted.keys()
        return tuple(name for name in STREAMS if name not in known)


class _Gathering:
    """The outputs of one attempt, in one tick."""

    def __init__(
        self,
        services: Services,
        pace: Pace,
        now: datetime,
        slots: Slots,
        ended: OpenRecord,
    ) -> None:
        self._services = services
        self._pace = pace
        self._now = now
        self._slots = slots
        self._ended = ended
        self._record = ended.record
        self._etag = ended.etag
        self._outputs = services.outputs
        self._found = _Found()
        self._known = {one.path: one for one in ended.record.outputs}
        self._verified: dict[str, Output] = {}
        self._tails: dict[str, str] = {}
        self._left_bytes = HASHED_BYTES
        self._unsaved_bytes = 0
        self._fetched = False

    async def run(self) -> OpenRecord | None:
        try:
            await self._look()
            await self._verify()
        except TickOver as over:
            await self._save_progress(unread_since=self._unread_since(over))
            return None
        if self._waits():
            since = self._record.outputs_unread_since or self._now
            await self._save_progress(unread_since=since)
            return None
        return OpenRecord(self._finished(), self._etag)

    async def save(self) -> None:
        self._outputs = self._outputs.at(self._record.attempt.outputs_url)
        await self._look_for_streams()
        await self._look_for_files()
        await self._fetch()

    async def _look(self) -> None:
        """Find what is stored, and fetch what is not."""
        try:
            self._outputs = self._outputs.at(self._record.attempt.outputs_url)
        except OutputUnreadable as error:
            self._found.unread |= dict.fromkeys(STREAMS, str(error))
            return
        await self._look_for_streams()
        await self._look_for_files()
        try:
            await self._fetch()
        except NodeNotReady as error:
            await self._wait_for_node(OutputCode.NODE_NOT_READY, NODE_RESTARTS_FOR, str(error))
        except BatchUnavailable as error:
            await self._wait_for_node(OutputCode.NO_ANSWER, UNREAD_FOR, str(error))
        except BatchRefused as error:
            await self._wait_for_node(OutputCode.REFUSED, UNREAD_FOR, str(error))
        except OutputUnreadable as error:
            paths = self._found.missing_streams or (FILES,)
            self._found.unread |= dict.fromkeys(paths, str(error))

    async def _look_for_streams(self) -> None:
        """Ask for stdout and stderr by their names: whatever lies beside them is not looked at."""
        for name in self._found.missing_streams:
            try:
                found = await self._outputs.find(self._record.output_prefix, name)
            except OutputUnreadable as error:
                self._found.unread[name] = str(error)
            else:
                self._found.streams |= {name: found} if found else {}
        self._found.streams = {
            name: self._found.streams[name] for name in STREAMS if name in self._found.streams
        }

    async def _look_for_files(self) -> None:
        """List the declared outputs, and what else lies in their folder, as far as that goes."""
        found = self._found
        found.files, found.planted, found.count = {}, [], 0
        found.unmatched = self._patterns
        is_declared = declares(self._patterns)
        end = asyncio.get_running_loop().time() + _LISTING_SECONDS
        number = 0
        try:
            async with aclosing(self._outputs.pages(self._record.output_prefix, FILES)) as pages:
                async for page in pages:
                    number += 1
                    for one in page:
                        self._take(one, is_declared)
                    late = asyncio.get_running_loop().time() > end
                    if number == _MOST_PAGES or late:
                        found.cut = True
                        break
                    if self._pace.over:
                        self._check_stuck(TickOver())
                        found.cut = True
                        break
        except OutputUnreadable as error:
            found.unread[FILES] = str(error)

    def _take(self, one: StoredOutput, is_declared: Callable[[str], bool]) -> None:
        found, path = self._found, one.path.removeprefix(FILES)
        found.count += 1
        if not is_declared(path):
            found.planted += [one] if len(found.planted) < _MOST_LISTED else []
            return
        found.unmatched = unmatched(found.unmatched, [path])
        if not is_safe(one.path, prefix=self._record.output_prefix):
            found.noted[one.path] = unverified(one.path, OutputCode.UNSAFE_NAME, size=one.bytes)
        elif len(found.files) < _MOST_LISTED:
            found.files[one.path] = one

    async def _fetch(self) -> None:
        """Fetch from the node what it should have pushed."""
        found, record = self._found, self._record
        streams = found.missing_streams
        if record.attempt.started is None and record.outcome is not Outcome.LOST:
            found.noted |= {path: missing(path, OutputCode.NEVER_STARTED) for path in streams}
            return
        # Batch calls a task a success only when all its outputs were pushed.
        complete = record.outcome is Outcome.SUCCEEDED
        unknown = FILES in found.unread or found.cut or found.count > _MOST_LISTED
        patterns = () if complete or unknown else self._patterns
        if not streams and not patterns:
            return
        wanted = Wanted(streams, patterns, frozenset(found.stored))
        fetcher = Fetcher(self._services, self._outputs, self._slots, self._pace)
        late = False
        try:
            await fetcher.fetch(record, wanted)
        except TickOver as over:
            self._fetched = fetcher.progress
            self._check_stuck(over)
            late = True
        self._fetched = fetcher.progress
        await self._look_for_streams()
        if patterns:
            await self._look_for_files()
        found.noted |= fetcher.without
        if late:
            paths = (*found.missing_streams, *((FILES,) if patterns else ()))
            found.unread |= dict.fromkeys(paths, _TOO_SLOW)

    async def _wait_for_node(self, code: OutputCode, limit: timedelta, detail: str) -> None:
        """Let the next tick try again, until it has been tried for so long."""
        await self._look_for_streams()  # some of them may have been fetched
        paths = self._found.missing_streams
        if self._record.reason is Reason.OUTPUT_UPLOAD_FAILED:
            paths = paths or (FILES,)
        for path in paths:
            if self._is_overdue(limit):
                self._found.noted[path] = missing(path, code, detail)
            else:
                self._found.unread[path] = detail

    def _is_overdue(self, limit: timedelta) -> bool:
        since = self._record.outputs_unread_since
        return since is not None and self._now - since >= limit

    async def _verify(self) -> None:
        """Read back what is stored, as far as that goes."""
        for path, stored in [*self._found.stored.items()][:_MOST_LISTED]:
            before = self._known.get(path)
            again = before and before.bytes == stored.bytes and before.how is _how(stored)
            try:
                if before and again:
                    self._verified[path] = before
                    self._left_bytes -= stored.bytes if before.sha256 else 0
                else:
                    sha256 = await self._digest(stored)
                    self._verified[path] = _output(stored, sha256)
                    self._unsaved_bytes += stored.bytes if sha256 else 0
                if path in STREAMS and self._wants_words and path not in self._tails:
                    await self._read_tail(stored)
            except OutputUnreadable as error:
                self._found.unread[path] = str(error)
            except TickOver as over:
                self._check_stuck(over)
                self._found.unread[path] = _TOO_SLOW
            if self._unsaved_bytes >= _LARGE_BYTES or (stored.fetched and not again):
                await self._save_progress(unread_since=self._record.outputs_unread_since)

    async def _digest(self, stored: StoredOutput) -> str | None:
        """Return the sha256 of an output; None where its size alone is verified."""
        if stored.bytes > self._left_bytes:
            return None
        if stored.bytes <= PART_BYTES:
            return await self._read_back(stored)
        async with self._slots.large:
            return await self._read_back(stored)

    async def _read_back(self, stored: StoredOutput) -> str | None:
        digest, data = hashlib.sha256(), b""
        clock = asyncio.get_running_loop().time
        end_of_time = clock() + _FILE_SECONDS
        for begin, end in parts(stored.bytes):
            if self._pace.over:
                raise TickOver
            if clock() > end_of_time:
                return None
            async with self._slots.parts:
                part = await self._outputs.read(self._record.output_prefix, stored, begin, end)
                digest.update(part)
                data = (data + part[-LAST_BYTES:])[-LAST_BYTES:]
                del part
        self._left_bytes -= stored.bytes
        if stored.path in STREAMS:
            self._tails[stored.path] = words_of(data, cut=stored.bytes > len(data))
        return digest.hexdigest()

    async def _read_tail(self, stored: StoredOutput) -> None:
        begin = max(0, stored.bytes - LAST_BYTES)
        data = b""
        if stored.bytes:
            async with self._slots.parts:
                data = await self._outputs.read(
                    self._record.output_prefix, stored, begin, stored.bytes
                )
        self._tails[stored.path] = words_of(data, cut=begin > 0)

    @property
    def _wants_words(self) -> bool:
        task = self._record.task
        wants = task is None or task.last_words
        return wants and self._record.outcome is not Outcome.SUCCEEDED

    @property
    def _patterns(self) -> tuple[str, ...]:
        return self._record.task.outputs if self._record.task else ()

    def _waits(self) -> bool:
        """Whether something could not be read, and is tried again by the next tick."""
        return bool(self._found.unread) and not self._is_overdue(UNREAD_FOR)

    @property
    def _progress(self) -> bool:
        """Whether this tick has fetched or verified something new."""
        return self._fetched or not self._verified.keys() <= self._known.keys()

    def _check_stuck(self, over: TickOver) -> None:
        """
        Return if the time of an hour's ticks brought nothing new: what is left is given up.

        Raises:
            TickOver: The next tick goes on.
        """
        if isinstance(over, OthersFirst) or self._progress or not self._is_overdue(UNREAD_FOR):
            raise over

    def _unread_since(self, over: TickOver) -> datetime | None:
        """Return since when outputs cannot be read; a tick that brings something new begins anew."""
        since = self._record.outputs_unread_since
        if isinstance(over, OthersFirst):
            return since
        if self._progress and not self._found.unread:
            return None
        return since or self._now

    async def _save_progress(self, *, unread_since: datetime | None) -> None:
        """Write down what is verified, so that nothing of it is read again."""
        self._unsaved_bytes = 0
        known = self._known | self._verified
        record = replace(
            self._record,
            outputs=tuple(known.values()),
            outputs_total=len(known) if known else self._record.outputs_total,
            outputs_unread_since=unread_since,
        )
        if record != self._record:
            self._etag = await self._services.ledger.write_open(record, self._etag)
            self._record = record

    def _finished(self) -> Record:
        """Return the record with all that is known of its outputs."""
        record, found = self._record, self._found
        given_up = {
            path: unverified(path, OutputCode.UNREADABLE, why, _size(found, path))
            for path, why in found.unread.items()
            if path not in self._known
        }
        if given_up:
            emit(
                Event.LEDGER_TROUBLE,
                what="outputs_unverified",
                blob=record.output_prefix,
                detail="; ".join(sorted(set(found.unread.values())))[:1000],
            )
        if found.cut:
            given_up[FILES] = unverified(FILES, OutputCode.LISTING_CUT)
        known = self._known | found.noted | self._verified | given_up
        first = [known[name] for name in STREAMS if name in known]
        files = [known[path] for path in sorted(known) if path not in STREAMS]
        planted = [_undeclared(one) for one in found.planted]
        more = [path for path in (*found.noted, *given_up) if path not in found.stored]
        return replace(
            record,
            outputs=(*first, *files, *planted)[:_MOST_LISTED],
            outputs_total=len(found.streams) + found.count + len({*more}),
            outputs_stored=max((one.stored for one in found.stored.values()), default=None),
            outputs_unread_since=record.outputs_unread_since if found.unread else None,
            unmatched=self._unmatched(),
            last_words=self._last_words(),
            sentence=_with_fetched(record, known.values()),
        )

    def _unmatched(self) -> tuple[str, ...]:
        """Return the patterns that matched nothing, as far as that is known."""
        found = self._found
        unknown = found.cut or FILES in found.unread or FILES in found.noted
        return () if self._record.attempt.started is None or unknown else found.unmatched

    def _last_words(self) -> LastWords | None:
        if not self._wants_words or not any(self._tails.values()):
            return None
        return LastWords(
            stderr=self._tails.get("stderr.txt", ""), stdout=self._tails.get("stdout.txt", "")
        )


def _how(stored: StoredOutput) -> How:
    return How.FETCHED if stored.fetched else How.PUSHED


def _output(stored: StoredOutput, sha256: str | None) -> Output:
    code = OutputCode.CHANGED if stored.changed else None
    return Output(
        path=stored.path,
        bytes=stored.bytes,
        sha256=sha256,
        how=_how(stored),
        code=code,
        why=sentence(code) if code else None,
    )


def _undeclared(stored: StoredOutput) -> Output:
    return Output(path=stored.path, bytes=stored.bytes, how=_how(stored), undeclared=True)


def _size(found: _Found, path: str) -> int | None:
    return found.stored[path].bytes if path in found.stored else None


def _with_fetched(record: Record, outputs: Iterable[Output]) -> str | None:
    """Return the sentence of a run; where its node failed to store outputs that were fetched, so."""
    if record.reason is not Reason.OUTPUT_UPLOAD_FAILED or not record.sentence:
        return record.sentence
    fetched = sum(one.how is How.FETCHED for one in outputs)
    if not fetched:
        return record.sentence
    many = "An output was" if fetched == 1 else f"{fetched} outputs were"
    return f"{record.sentence} {many} fetched from the node."
