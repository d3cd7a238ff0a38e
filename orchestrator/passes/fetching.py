"""Outputs that the node did not push: fetched from the node, for as long as it is there."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from orchestrator.adapters.node_files import NodeFile, NodeFiles
from orchestrator.adapters.outputs import PART_BYTES, Block, Outputs, parts
from orchestrator.decisions.declared_outputs import blob_path, declares, is_safe, node_path
from orchestrator.decisions.identity import is_ours
from orchestrator.decisions.missing_outputs import code_of, comes_back, missing, unverified
from orchestrator.decisions.places import is_elsewhere
from orchestrator.enums import OutputCode
from orchestrator.errors import BatchRefused, OutputUnreadable
from orchestrator.ids import FILES
from orchestrator.ledger.record import Output, Record
from orchestrator.passes.services import Pace, Services

_MOST_PAGES: Final = 10
_MOST_BLOCKS: Final = 50_000
"""Of a block blob."""

_MOST_FILES: Final = 1000
_LISTING_SECONDS: Final = 10
"""Of listing for one run in one tick: what is listed by then is fetched."""

_RUN_SECONDS: Final = 15
"""Of fetching for one run in one tick, after listing: what is staged by then stays."""


class NodeNotReady(Exception):  # noqa: N818 - a state, not an error
    """The node gives no files now, and may give them once it has restarted."""


class TickOver(Exception):  # noqa: N818 - not an error
    """The time for reading is over; the next tick goes on."""


class OthersFirst(TickOver):
    """The large files of other runs go first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    What is looked for on the node of an attempt.

    Attributes:
        paths: Outputs by their paths below the folder of the attempt.
        patterns: Declared patterns of which files may not have been stored.
        stored: What is stored already.
    """

    paths: tuple[str, ...]
    patterns: tuple[str, ...]
    stored: frozenset[str]


@dataclass(frozen=True, slots=True)
class Slots:
    """
    How much of all outputs together is in hand at a time: it keeps the memory of a tick flat.

    Attributes:
        parts: Parts in memory.
        large: Files of several parts that are read at the same time.
    """

    parts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))


class Fetcher:
    """
    Fetches the outputs of one attempt, one file after the other.

    Attributes:
        progress: Whether it has stored anything, or a part of it.
        without: The outputs that are not to be had, each with its reason, by their paths.
    """

    def __init__(self, services: Services, outputs: Outputs, slots: Slots, pace: Pace) -> None:
        """
        Prepare it.

        Args:
            services: The adapters.
            outputs: Where the outputs of the attempt go.
            slots: Shared with all that read outputs.
            pace: The time for reading.
        """
        self.progress = False
        self.without: dict[str, Output] = {}
        self._services = services
        self._files: NodeFiles = services.batch.files
        self._outputs = outputs
        self._slots = slots
        self._tick = pace
        self._pace = pace.part(_RUN_SECONDS)
        self._cut = False

    async def fetch(self, record: Record, wanted: Wanted) -> None:
        """
        Store what is on the node and not in the container.

        What is not among the outputs ``without`` is stored.

        Raises:
            BatchUnavailable: Batch gives no answer.
            BatchRefused: Batch does not say whose the job is.
            NodeNotReady: The node gives no files now.
            OutputUnreadable: Storage does not take them.
            TickOver: The next tick goes on where this one stopped.
        """
        job_id, account = record.attempt.job_id, record.attempt.account
        if is_elsewhere(account, self._services.place):
            self._miss(wanted, OutputCode.OTHER_ACCOUNT, account or "")
            return
        job = await self._services.batch.job(job_id)
        if job is None or not is_ours(record, job):
            self._miss(wanted, OutputCode.JOB_GONE)
            return
        try:
            found = await self._look(job_id, wanted)
        except BatchRefused as error:
            _check_ready(error)
            self._miss(wanted, code_of(error), str(error))
            return
        unlisted = [path for path in wanted.paths if path not in found]
        if self._cut:
            self.without[FILES] = unverified(FILES, OutputCode.LISTING_CUT, "on the node")
            found = [*unlisted, *found]
        else:
            self.without |= {path: missing(path, OutputCode.NO_SUCH_FILE) for path in unlisted}
        self._pace = self._tick.part(_RUN_SECONDS)
        for path in found:
            self._check_time()
            problem = await self._fetch(record, path)
            self.without |= {path: problem} if problem else {}

    def _miss(self, wanted: Wanted, code: OutputCode, detail: str = "") -> None:
        self.without |= {path: missing(path, code, detail) for path in wanted.paths}

    async def _look(self, job_id: str, wanted: Wanted) -> list[str]:
        """List the task's files; return which are to be fetched, by their paths as outputs."""
        matches = declares(wanted.patterns)
        chosen: list[str] = []

        def choose(file: NodeFile) -> None:
            path = blob_path(file.path)
            if path is None or path in wanted.stored or path in chosen:
                return
            declared = path != file.path and matches(file.path.partition("/")[2])
            if path in wanted.paths or declared:
                chosen.append(path)

        listing = self._tick.part(_LISTING_SECONDS)
        for recursive in (False, True) if wanted.patterns else (False,):
            async with aclosing(self._files.pages(job_id, recursive=recursive)) as pages:
                number = 0
                async for page in pages:
                    number += 1
                    for file in page:
                        choose(file)
                    if self._tick.over:
                        raise TickOver
                    full = number == _MOST_PAGES or len(chosen) >= _MOST_FILES
                    if full or listing.over:
                        self._cut = True
                        break
        return chosen[:_MOST_FILES]

    async def _fetch(self, record: Record, path: str) -> Output | None:
        """Store one file; return why it is not to be had, None if it is stored."""
        if not is_safe(path, prefix=record.output_prefix):
            return missing(path, OutputCode.UNSAFE_NAME)
        try:
            return await self._copy(record, path)
        except BatchRefused as error:
            _check_ready(error)
            return missing(path, code_of(error), str(error))

    async def _copy(self, record: Record, path: str) -> Output | None:
        job_id, name, folder = record.attempt.job_id, node_path(path), record.output_prefix
        now = await self._files.size(job_id, name)
        staged = await self._outputs.staged(folder, path)
        # What grows is taken as long as it was when its first part was staged.
        size = max((block.size for block in staged if block.size <= now), default=now)
        places = parts(size)
        if len(places) > _MOST_BLOCKS:
            return missing(path, OutputCode.TOO_LARGE, f"{size} bytes")
        blocks = [Block(size, number) for number in range(len(places))]
        done = next((n for n, block in enumerate(blocks) if block not in staged), len(blocks))
        if done + 1 < len(blocks):
            if self._slots.large.locked():
                raise OthersFirst
            async with self._slots.large:
                await self._stage(record, path, blocks[done:], places[done][0])
        elif done < len(blocks):
            await self._stage(record, path, blocks[done:], places[done][0])
        changed = size != await self._files.size(job_id, name)
        if not await self._outputs.commit(folder, path, blocks, changed=changed):
            return None  # its node has pushed it meanwhile
        self.progress = True
        stored = await self._outputs.find(folder, path)
        if stored is None or stored.bytes != size:
            raise OutputUnreadable(
                f"{path}: its blob does not have the {size} bytes that were fetched"
            )
        return None

    async def _stage(self, record: Record, path: str, blocks: list[Block], begin: int) -> None:
        size, left = blocks[0].size, iter(blocks)
        reading = self._files.read(record.attempt.job_id, node_path(path), begin, size, PART_BYTES)
        async with aclosing(reading):
            while block := next(left, None):
                self._check_time()
                async with self._slots.parts:
                    part = await anext(reading)
                    await self._outputs.stage(record.output_prefix, path, block, part)
                self.progress = True

    def _check_time(self) -> None:
        if self._pace.over:
            raise TickOver


def _check_ready(error: BatchRefused) -> None:
    if comes_back(error):
        raise NodeNotReady(str(error)) from error
