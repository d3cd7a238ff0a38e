"""Moving a ledger to this app's Batch account, or beginning its ``submit.json`` anew."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator import ids
from orchestrator.adapters.container import Lease
from orchestrator.decisions.elsewhere import giving_up
from orchestrator.decisions.places import (
    is_elsewhere,
    needs_account,
    unplaced,
    with_account,
)
from orchestrator.decisions.timings import begun_anew
from orchestrator.enums import AttemptState, Reason
from orchestrator.errors import LedgerTrouble, OutOfTime, RecordUnreadable
from orchestrator.ids import RunId
from orchestrator.ledger.record import Record
from orchestrator.ledger.results import dump_collect
from orchestrator.ledger.state import OpenRun, SubmitState, dump_submit, load_submit
from orchestrator.ledger.versions import named_number
from orchestrator.passes.collect_state import LOST
from orchestrator.passes.inputs import MISSING, parsed_document
from orchestrator.passes.services import Pace, Services

LEDGER_ID_BYTES: Final = 8
_EMPTY: Final = dump_collect(LOST)


@dataclass(slots=True)
class Adopted:
    """
    What became of a ledger.

    Attributes:
        ledger: Its id.
        owner: The account to which it belongs now.
        was: The one to which it belonged; empty if to none.
        kept: Where an unreadable ``submit.json`` is kept; None if it was readable or missing.
        waiting: Open runs whose job is in another account.
        given_up: Those of them that end without it.
        unreadable: Open runs whose record cannot be read: nothing is known of their account.
    """

    ledger: str
    owner: str
    was: str
    kept: str | None = None
    waiting: list[RunId] = field(default_factory=list[RunId])
    given_up: list[RunId] = field(default_factory=list[RunId])
    unreadable: list[RunId] = field(default_factory=list[RunId])


async def adopt(services: Services, *, new: bool, give_up: bool) -> Adopted:
    """
    Make this app's Batch account the owner of the ledger, while no tick is at work.

    Done again after it died anywhere, it goes on.

    Args:
        services: With the settings of the account that is to be the owner.
        new: Begin ``submit.json`` anew where it is missing or cannot be read.
        give_up: End open runs of another account without its word.

    Raises:
        LeaseTaken: A tick is at work.
        LedgerTrouble: ``submit.json`` is missing or cannot be read, and ``new`` is not set.
        LedgerConflict: Somebody else wrote at the same time.
        OutOfTime: There are more open runs than one minute allows; the next try goes on.
    """
    ledger, pace = services.ledger, services.pace()
    begin = None
    if (await ledger.read(ids.SUBMIT_STATE)).data is None:
        if not new:
            raise LedgerTrouble(
                "missing", ids.SUBMIT_STATE, "it is missing; `recur adopt --new` starts a new one"
            )
        begin = dump_submit(await _anew(services))
    async with (
        ledger.lease(ids.SUBMIT_STATE, empty=begin) as lease,
        ledger.lease(ids.COLLECT_STATE, empty=_EMPTY),
        pace.limit(),
    ):
        return await _Adoption(services, pace, lease).run(new=new, give_up=give_up)


class _Adoption:
    """The part that holds both leases."""

    def __init__(self, services: Services, pace: Pace, lease: Lease) -> None:
        self._services = services
        self._pace = pace
        self._lease = lease

    async def run(self, *, new: bool, give_up: bool) -> Adopted:
        text = await self._services.ledger.read(ids.SUBMIT_STATE)
        state, kept = await self._state(text.data or b"", new=new)
        ours = self._services.place.account
        done = Adopted(ledger=state.ledger, owner=ours, was=state.owner, kept=kept)
        runs = (await self._services.ledger.open_list()).runs
        # Whose jobs these are is written before the ledger changes hands.
        await self._each(runs, lambda run: self._note_account(run, state.owner, done))
        if kept or state.owner != ours:
            moved = replace(state, owner=ours, plan=tuple(unplaced(one) for one in state.plan))
            etag = text.etag or ""
            await self._services.ledger.write(
                ids.SUBMIT_STATE, dump_submit(moved), self._lease, etag
            )
        if give_up:
            await self._each(runs, lambda run: self._give_up(run, done))
        done.waiting = sorted({*done.waiting} - {*done.given_up})
        return done

    async def _state(self, data: bytes, *, new: bool) -> tuple[SubmitState, str | None]:
        """Return the state to go on with, and where the old one is kept if it is unreadable."""
        try:
            state = load_submit(data)
        except RecordUnreadable as error:
            if not new:
                raise LedgerTrouble(
                    "unreadable", ids.SUBMIT_STATE, f"{error}; `recur adopt --new` keeps a copy"
                ) from error
        else:
            return replace(state, ledger=state.ledger or secrets.token_hex(LEDGER_ID_BYTES)), None
        now = (await self._services.ledger.open_list()).now
        kept = f"submit-{now:%Y%m%dT%H%M%SZ}.json"
        await self._services.ledger.keep(kept, data)
        return await _anew(self._services), kept

    async def _each(
        self, runs: Sequence[OpenRun], work: Callable[[OpenRun], Awaitable[None]]
    ) -> None:
        if not await self._pace.each(runs, work):
            raise OutOfTime("there are too many open runs for one minute: the next try continues")

    async def _note_account(self, run: OpenRun, owner: str, done: Adopted) -> None:
        """Write the account of an attempt of an earlier version; note who waits for another."""
        account = run.account
        if account is None and (owner or run.damaged):
            found = await self._read(run, done)
            account = found[0].attempt.account if found else None
            if found is not None and owner and needs_account(found[0]):
                account = owner
                await self._services.ledger.write_open(with_account(found[0], owner), found[1])
        if is_elsewhere(account, self._services.place) and run.state is not AttemptState.ENDED:
            done.waiting.append(run.run_id)

    async def _give_up(self, run: OpenRun, done: Adopted) -> None:
        if run.run_id not in done.waiting:
            return
        found = await self._read(run, done)
        if found is None:
            return
        record, etag = found
        if record.stop is None or record.stop.cause is not Reason.ACCOUNT_LEFT:
            now = (await self._services.ledger.read(ids.SUBMIT_STATE)).now
            await self._services.ledger.write_open(giving_up(record, now), etag)
        done.given_up.append(run.run_id)

    async def _read(self, run: OpenRun, done: Adopted) -> tuple[Record, str] | None:
        try:
            return await self._services.ledger.read_open(run.run_id)
        except RecordUnreadable:
            if run.run_id not in done.unreadable:
                done.unreadable.append(run.run_id)
            return None


async def _anew(services: Services) -> SubmitState:
    """Return a state by which every schedule begins now: what was decided is not decided again."""
    text = await services.ledger.read(ids.DOCUMENT)
    parsed, _ = parsed_document(text.data)
    version = named_number(text.data or b"", text.metadata)
    state = SubmitState(
        ledger=await _ledger_id(services),
        owner=services.place.account,
        document=text.etag or MISSING,  # also where it is unusable: what was before it is over
        version=version,
    )
    if parsed is None or text.etag is None:
        return state
    return begun_anew(
        state,
        parsed.schedules,
        parsed.invalid,
        document=text.etag,
        now=text.now,
        version=version,
    )


async def _ledger_id(services: Services) -> str:
    """Return the id that open runs have of this ledger; a new one where none is known."""
    for run in (await services.ledger.open_list()).runs:
        try:
            found = await services.ledger.read_open(run.run_id)
        except RecordUnreadable:
            continue
        if found is not None and found[0].ledger:
            return found[0].ledger
    return secrets.token_hex(LEDGER_ID_BYTES)
