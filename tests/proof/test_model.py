"""
Whatever happens, in whatever order: the invariants of the product hold.

Hypothesis edits, breaks and removes schedules, ticks early, late, twice and at once, kills ticks
between any two effects, moves the clock, asks for things and loses connections. Each write of the
ledger and each creation of a job is judged as it comes to pass, and in the end everything that was
begun has ended.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, override

import pytest
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import ExponentialRetry
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from rich.table import Table

from local.azurite import Azurite
from orchestrator.adapters.calls import RETRIES
from orchestrator.enums import AttemptState
from orchestrator.ids import (
    COLLECT_STATE,
    HOUSEKEEPING,
    RunId,
    ScheduleId,
    open_blob,
    open_run_id,
    request_blob,
)
from orchestrator.ledger.record import load
from orchestrator.ledger.request import Request, RequestKind, dump_request
from tests.conftest import YoungAzurite
from tests.proof.conftest import Proof
from tests.proof.effects import EFFECTS
from tests.proof.invariants import Invariants
from tests.proof.model import INVALID, Model, Period
from tests.proof.proxy import let_pass
from tests.proof.scenarios import moving, table, years_pass
from tests.proof.stage import ELSEWHERE, PASSES, Stage, open_stage
from tests.proof.troubles import Kind, Seconds, troubled_tick

_NAMES: Final = ("one", "two")
_CRON: Final = {15: "*/15 * * * *", 30: "*/30 * * * *", 60: "0 * * * *"}
_HOSTS: Final = ("here", "there", ELSEWHERE)
_MOST_ROUNDS: Final = 40
_AT_ONCE: Final = 2
"""Few, so that a tick that dies leaves much half done."""
_GHOST: Final = open_blob(RunId("ghost-20200101T000000Z"))
_RARE: Final = {
    ("collect", "write open record: begun"),
    ("collect", "write open record: submitted"),
    ("collect", "write open record: held up"),
    ("collect", "replace the final record of a run"),
    ("submit", "remove open record"),
    ("submit", "keep the state of a removed schedule"),
    ("submit", "write open record: ended"),
    *((which, effect) for which, effect in EFFECTS if which in {"adopt", "begin anew"}),
}
"""What needs nodes, or a rare moment to come: the kill table has these."""
_WRITES: Final = 'echo "$RECUR_RUN_ID $RECUR_ATTEMPT"; echo oh >&2; '
_ENDS: Final = ("echo a > a.csv", "echo a > a.csv", "exit 3", "kill -9 $$")
"""How commands end; some have written a file before."""

_A_QUARTER: Final = timedelta(minutes=15)
_LOST_AFTER: Final = timedelta(minutes=11)

names = st.sampled_from(_NAMES)
passes = st.sampled_from(tuple(PASSES))
effects = st.sampled_from([1, *[2, 3, 4] * 2, 5, 6, 7, 9, 12])
quarters = st.integers(min_value=1, max_value=2)
periods = st.sampled_from(tuple(_CRON))
some = st.integers(min_value=0, max_value=3)
kinds = st.sampled_from([*RequestKind, RequestKind.BACKFILL, RequestKind.STOP])
tables = st.fixed_dictionaries(
    {
        "command": st.sampled_from([json.dumps(_WRITES + end) for end in _ENDS]),
        "outputs": st.sampled_from(['["a.cs[v]"]', '["a.csv"]', "[]"]),
        "overlap": st.sampled_from(['"skip"', '"queue"', '"replace"', '"allow"']),
        "catch_up": st.sampled_from(
            ['{ mode = "latest" }', '{ mode = "none" }', '{ mode = "all", max = 3 }']
        ),
        "paused": st.sampled_from(["false", "false", "false", "true"]),
        "retries": st.sampled_from(
            ["{ max = 0 }", "{ max = 2 }", '{ max = 1, on = ["failed", "lost"] }']
        ),
        "start_timeout": st.just('"1h"'),
        "kind": st.sampled_from(["plain", "plain", "ends", "moves"]),
    }
)


def planned(name: str, minutes: int, keys: Mapping[str, str], now: datetime) -> tuple[Period, str]:
    """
    Return when a table is due, and the table.

    One that ends does so within two hours. The occurrences of one that moves are all on the day
    before, which is a holiday.
    """
    others = {key: value for key, value in keys.items() if key != "kind"}
    plain, cron = Period(minutes, keys["paused"] == "true"), _CRON[minutes]
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    match keys["kind"]:
        case "ends":
            end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
            others["end"] = f"{end:%Y-%m-%dT%H:%M:%SZ}"
            return plain._replace(end=end), table(name, cron, **others)
        case "moves":
            holiday = today - timedelta(days=1)
            others |= {**moving(name, "next"), "weekend": "[]"}
            cron = " ".join([*cron.split()[:2], f"{holiday.day} {holiday.month} *"])
            days = f"[calendars.{name}]\ndates = [{holiday:%Y-%m-%d}]\n"
            period = plain._replace(begin=today, end=today + timedelta(days=1))
            return period, table(name, cron, **others) + days
        case _:
            return plain, table(name, cron, **others)


class Machine(RuleBasedStateMachine):
    """A product, and everything that can happen to it."""

    def __init__(self, azurite: Azurite, folder: Path, seen: Counter[tuple[str, str]]) -> None:
        super().__init__()
        self._seen = seen
        self._seconds = Seconds()
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        stage = open_stage(
            azurite,
            folder,
            hosts=_HOSTS,
            clock_of_ticks=self._seconds.monotonic,
            at_once=_AT_ONCE,
        )
        self.stage: Stage = self._do(self._stack.enter_async_context(stage))
        self.model = Model()
        self.judge = Invariants(self.stage, self.model)
        self.stage.watch = self.judge
        self.tables: dict[str, tuple[Period, str]] = {}
        self._asked = 0
        self._do(self.stage.pool())

    def _do[T](self, what: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(what)

    def _step(self, what: Coroutine[Any, Any, object]) -> None:
        """Let something happen, and see that nothing was broken by it."""
        self._do(what)
        assert not self.judge.broken, "\n".join(self.judge.broken)

    @rule(name=names, period=periods, keys=tables)
    def the_operator_edits(self, name: str, period: int, keys: dict[str, str]) -> None:
        self._step(self._edit(name, period, keys))

    async def _edit(self, name: str, period: int, keys: dict[str, str]) -> None:
        self.tables[name] = planned(name, period, keys, self.stage.clock.now)
        await self._apply()

    async def _apply(self, *lines: str, by_hand: bool = False, remark: str = "") -> None:
        """Apply the tables that there are; whoever uploads them by hand hides what was before."""
        texts = [remark, *(text for _, text in self.tables.values()), *lines]
        await (self.stage.upload(*texts) if by_hand else self.stage.apply(*texts))
        tag = self.stage.tags["schedules.toml"]
        if tag in self.model.documents:
            return  # the same was in force
        if by_hand:
            self.model.waiting.clear()
        periods = None if lines else {name: period for name, (period, _) in self.tables.items()}
        self.model.documents[tag] = (self.stage.clock.now, periods)
        self.model.waiting.append(tag)

    @rule(
        what=st.sampled_from(
            ["remove", "invalid", "unreadable", "missing", "by hand", *["repair"] * 3]
        ),
        name=names,
    )
    def the_document_changes(self, what: str, name: str) -> None:
        self._step(self._change(what, name))

    async def _change(self, what: str, name: str) -> None:
        match what:
            case "missing":
                with suppress(ResourceNotFoundError):
                    await self.stage.desk.delete_blob("schedules.toml")
                self.model.waiting.clear()
            case "by hand":
                await self._apply(by_hand=True)
            case "unreadable":
                await self._apply("[schedules")
            case "invalid" if name in self.tables:
                self.tables[name] = (Period(INVALID), table(name, "never"))
                await self._apply()
            case "remove":
                self.tables.pop(name, None)
                await self._apply()
            case _:
                await self._apply()

    @rule(kind=kinds, name=names, n=some, flag=st.booleans())
    def somebody_asks(self, kind: RequestKind, name: str, n: int, *, flag: bool) -> None:
        self._step(self._ask(kind, ScheduleId(name), n, flag=flag))

    async def _ask(self, kind: RequestKind, name: ScheduleId, n: int, *, flag: bool) -> None:
        self.stage.clock.move(timedelta(seconds=1))
        self._asked += 1
        now, values = self.stage.clock.now, dict[str, Any]()
        match kind:
            case RequestKind.TRIGGER:
                values = {"key": f"key{n}", "force": flag}
            case RequestKind.STOP:
                runs = self._runs()
                values = {"run_id": runs[n % len(runs)] if runs else None}
            case RequestKind.PAUSE:
                values = {"until": now + timedelta(hours=n)} if flag else {}
            case RequestKind.BACKFILL:
                after = now - timedelta(minutes=20 + 40 * n)
                values = {"after": after, "until": now, "rerun": flag}
            case RequestKind.RESUME:
                pass
        request = Request(id=f"r{self._asked}", kind=kind, by="proof", schedule=name, **values)
        await self.stage.desk.upload_blob(request_blob(request.id), dump_request(request))

    def _runs(self) -> list[RunId]:
        """Return the runs of the work list, first those that nobody knows to have a job."""
        records = [load(data) for name, data in self.stage.blobs.items() if open_run_id(name)]
        in_order = sorted(records, key=lambda one: (one.attempt.state, one.run_id))
        return [one.run_id for one in in_order]

    @initialize(first=st.tuples(periods, tables), second=st.tuples(periods, tables))
    def there_are_schedules(
        self, first: tuple[int, dict[str, str]], second: tuple[int, dict[str, str]]
    ) -> None:
        for name, (period, keys) in zip(_NAMES, (first, second), strict=True):
            self._step(self._edit(name, period, keys))
        self._step(self.stage.tick("submit"))

    @rule(seconds=st.sampled_from([0, 20, 61, 600]), which=passes)
    def a_tick(self, seconds: int, which: str) -> None:
        self.stage.clock.move(timedelta(seconds=seconds))
        self._step(self.stage.tick(which))

    @rule(n=st.integers(min_value=1, max_value=4))
    def occurrences_come_due(self, n: int) -> None:
        self._quarters_pass(n)
        self._step(self.stage.tick("submit"))

    def _quarters_pass(self, n: int) -> None:
        now = self.stage.clock.now
        begun = now.minute % 15 * 60 + now.second
        self.stage.clock.move(timedelta(seconds=n * 900 - begun + 5))

    @rule(which=passes, kind=st.sampled_from(Kind), nth=effects, quarters=quarters)
    def a_tick_in_trouble(self, which: str, kind: Kind, nth: int, quarters: int) -> None:
        self._quarters_pass(quarters)
        self._step(self._troubled(which, kind, nth))

    async def _troubled(self, which: str, kind: Kind, nth: int) -> None:
        await troubled_tick(self.stage, which, "there", kind, nth, seconds=self._seconds)
        self.stage.rule(let_pass)

    @rule(first=passes, second=passes, quarters=quarters)
    def two_ticks_at_once(self, first: str, second: str, quarters: int) -> None:
        self._quarters_pass(quarters)
        self._step(self._both(first, second))

    async def _both(self, first: str, second: str) -> None:
        await asyncio.gather(self.stage.tick(first), self.stage.tick(second, "there"))

    @rule(by=st.sampled_from([timedelta(hours=-1), timedelta(hours=5), timedelta(days=1)]))
    def the_clock_jumps(self, by: timedelta) -> None:
        self.stage.clock.move(by)

    @rule(n=some)
    def batch_forgets_a_job(self, n: int) -> None:
        self._step(self._forget(n))

    async def _forget(self, n: int) -> None:
        records = [load(data) for name, data in self.stage.blobs.items() if open_run_id(name)]
        attempts = [one.attempt for one in records]
        unsure = {one.job_id for one in attempts if one.state is AttemptState.CLAIMED}
        # The one exception to the first invariant: an answer was lost, then the job is deleted.
        jobs = sorted((await self.stage.jobs()).keys() - unsure)
        if jobs:
            await self.stage.faults.forget_job(jobs[n % len(jobs)])

    @rule(times=some)
    def the_account_is_full(self, times: int) -> None:
        self._step(self._fill(times))

    async def _fill(self, times: int) -> None:
        await self.stage.faults.clear()
        await self.stage.faults.add("quota", times=times + 1)

    @rule(
        lost=st.sampled_from([slice(0), slice(0), slice(0, None, 2), slice(1, None, 2)]),
        late=st.booleans(),
        vanish=st.booleans(),
    )
    def tasks_run(self, lost: slice, *, late: bool, vanish: bool) -> None:
        self._step(self._run(lost, late=late, vanish=vanish))

    async def _run(self, which: slice, *, late: bool, vanish: bool) -> None:
        """
        Let the tasks end that wait, and take some of their new outputs away.

        A late one comes after the next tick. The node may go with its files.
        """
        before = await self.stage.stored()
        await self.stage.tasks_end()
        new = {k: v for k, v in sorted((await self.stage.stored()).items()) if k not in before}
        lost = dict([*new.items()][which])
        for name in lost:
            await self.stage.outputs.delete_blob(name)
        if vanish:
            await self.stage.resize(0)
        if late and lost:
            await self.stage.tick("collect")
            for name, data in lost.items():
                with suppress(ResourceExistsError):
                    await self.stage.outputs.upload_blob(name, data)

    @rule(
        what=st.sampled_from(["results", "results", "another account", "open record"]),
        which=passes,
        how=st.sampled_from([None, b"", b"{", b'{"schema": 99, "schedules": {}}']),
    )
    def something_is_wrong(self, what: str, which: str, how: bytes | None) -> None:
        match what:
            case "results":
                self._step(self._lose_results(how))
            case "another account":
                self._step(self._tick_elsewhere(which))
            case _:
                self._step(self._damage(readable=how is None))

    async def _lose_results(self, how: bytes | None) -> None:
        """Remove what the collector knows, or put something else in its place."""
        desk = self.stage.desk
        with suppress(ResourceNotFoundError):
            if how is None:
                await desk.delete_blob(COLLECT_STATE)
            else:
                await desk.upload_blob(COLLECT_STATE, how, overwrite=True)

    async def _tick_elsewhere(self, which: str) -> None:
        """Let the app of another account look and report; it changes nothing."""
        before, jobs = dict(self.stage.blobs), await self.stage.jobs()
        await self.stage.tick(which, ELSEWHERE)
        assert self.stage.blobs == before
        assert await self.stage.jobs() == jobs

    async def _damage(self, *, readable: bool) -> None:
        """Put something among the open records that holds up nobody; its metadata may be good."""
        metadata = {"state": "submitted", "attempt": "1"} if readable else {}
        await self.stage.ledger.upload_blob(_GHOST, b"{}", metadata=metadata, overwrite=True)

    @rule(n=some)
    def a_job_ends(self, n: int) -> None:
        self._step(self._end_job(n))

    async def _end_job(self, n: int) -> None:
        active = sorted(
            id_ for id_, state in (await self.stage.jobs()).items() if state == "active"
        )
        if active:
            await self.stage.end_jobs(active[n % len(active)])

    @override
    def teardown(self) -> None:
        """Let everything come to its end, whatever has happened."""
        try:
            if not self.judge.broken:
                self._step(self._end())
        finally:
            self.stage.watch = None
            self._seen.update(self.stage.effects)
            self._do(self._stack.aclose())
            self._loop.close()

    async def _end(self) -> None:
        """Everything that is due is decided, and without schedules every run comes to an end."""
        self.stage.rule(let_pass)
        await self.stage.faults.clear()
        self.tables = {n: one for n, one in self.tables.items() if one[0].minutes != INVALID}
        await self._apply(remark="# another than is in force: no tick is idle")
        await self._every_version_is_taken_over()
        for which in PASSES:
            await self._quiet_tick(which)
        self._everything_is_decided()
        self.tables.clear()
        await self._apply()
        for _ in range(_MOST_ROUNDS):
            await self.stage.end_jobs()
            self.stage.clock.move(_LOST_AFTER)
            for which in PASSES:
                await self._quiet_tick(which)
            if not self._open():
                break
        else:
            raise AssertionError(f"never came to an end: {self._open()}")
        await years_pass(self.stage)  # the jobs are old now, and deleted
        await self._results_are_right()

    async def _every_version_is_taken_over(self) -> None:
        """See that each tick takes over one at least, where they are too many for one tick."""
        for _ in range(len(self.model.waiting)):
            await self._quiet_tick("submit")
            state = json.loads(self.stage.blobs["submit.json"])
            if state["document"] == self.stage.tags["schedules.toml"]:
                return
        assert not self.model.waiting, f"not taken over: {self.model.waiting}"

    async def _results_are_right(self) -> None:
        """See that the collector knows of each success of which there is a final record."""
        await self._lose_results(b"{")
        for _ in range(_MOST_ROUNDS):
            self.stage.clock.move(_A_QUARTER)
            await self._quiet_tick("collect")
            state = self._results()
            if state is not None and (state["rebuilding"] or {"ended": True})["ended"]:
                break
        else:
            raise AssertionError("the results were never made anew")
        for name, data in self.stage.blobs.items():
            record = json.loads(data) if name.startswith("runs/") else {}
            if record.get("outcome") == "succeeded":
                known = state["schedules"][record["schedule"]]["last_success"]
                last, nominal = (datetime.fromisoformat(t) for t in (known, record["nominal"]))
                assert last >= nominal, f"{name} is newer than what is known, {known}"

    def _results(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self.stage.blobs[COLLECT_STATE])
        except ValueError:
            return None
        return found

    def _everything_is_decided(self) -> None:
        """See that every schedule is decided up to now, or later where the clock was put back."""
        state = json.loads(self.stage.blobs["submit.json"])
        assert not state["plan"]
        self.judge.decided(state)
        left = [name for name in self.stage.blobs if name.startswith("open/request/")]
        assert not left, f"not answered: {left}"
        for name in self.tables:
            until = datetime.fromisoformat(state["schedules"][name]["decided_until"])
            assert until >= self.stage.clock.now, f"{name} is decided up to {until} only"

    def _open(self) -> list[str]:
        names = (name for name in self.stage.blobs if name != HOUSEKEEPING)
        return [name for name in names if name.startswith("open/")]

    async def _quiet_tick(self, which: str) -> None:
        told = await self.stage.tick(which)
        assert "failed" not in told, f"a quiet {which} tick failed: {told['failed']}"
        assert "problem" not in told, told["problem"]


@pytest.mark.timeout(7200)
def test_whatever_happens_the_invariants_hold(
    young_azurite: YoungAzurite, tmp_path: Path, proof: Proof, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RETRIES, "retry_backoff_factor", 0)  # a lost call is repeated at once
    monkeypatch.setattr(ExponentialRetry, "get_backoff_time", lambda *_: 0)
    profile = settings.get_profile("proof" if proof.everything else "test")
    seen: Counter[tuple[str, str]] = Counter()

    class Here(Machine):
        def __init__(self) -> None:
            super().__init__(young_azurite.get(), tmp_path, seen)

    run_state_machine_as_test(
        Here,
        settings=settings(
            profile,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    proof.show(drawn(seen))
    assert seen.keys() <= EFFECTS
    if proof.everything:  # which effects the few examples of `make test` have is chance
        assert seen.keys() >= EFFECTS - _RARE, f"never done: {EFFECTS - _RARE - seen.keys()}"


def drawn(seen: Counter[tuple[str, str]]) -> Table:
    """Return the table: how often each effect came to pass."""
    shown = Table("pass", "effect", "times", title="what the ticks of the model test changed")
    for (which, effect), times in sorted(seen.items()):
        shown.add_row(which, effect, str(times))
    return shown
