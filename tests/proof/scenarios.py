"""What the kill table plays through: small stories that between them have every effect of a tick."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orchestrator.enums import AttemptState
from orchestrator.ids import (
    COLLECT_STATE,
    SUBMIT_STATE,
    RunId,
    ScheduleId,
    final_blob,
    open_blob,
    request_blob,
    run_id,
    trigger_id,
)
from orchestrator.ledger.record import dump, load, metadata
from orchestrator.ledger.request import Request, RequestKind, dump_request
from tests.proof.proxy import let_pass
from tests.proof.stage import NOON, Stage
from tests.proof.troubles import Kind, troubled_tick

type Step = Callable[[Stage], Awaitable[None]]
"""What happens before the ticks; the clock stands still while they tick."""

ONE: Final = ScheduleId("one")
HOUR: Final = timedelta(hours=1)
_START: Final = NOON.replace(second=0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    A story, and how it ends.

    Attributes:
        steps: After each of them both passes tick until nothing changes.
        first: What an operator does right after a step, by its number: moves the ledger, or begins
            it anew.
        end: What the ledger says in the end of each run and each occurrence that did not run.
    """

    steps: tuple[Step, ...]
    end: Mapping[str, str]
    first: Mapping[int, str] = field(default_factory=dict[int, str])


def table(name: str, cron: str = "* * * * *", **keys: str) -> str:
    """Return a table of the document; values in TOML's spelling."""
    values = {"cron": f'"{cron}"', "command": '"sleep 60"', **keys}
    return "\n".join([f"[schedules.{name}]", *(f"{k} = {v}" for k, v in values.items()), ""])


def since(**ago: float) -> str:
    """Return a start, in TOML, so long before noon."""
    return f"{_START - timedelta(**ago):%Y-%m-%dT%H:%M:%SZ}"


def document(*tables: str, nodes: int | None = 0) -> Step:
    """Let the operator make a pool, unless there are to be no ``nodes`` at all, and a document."""

    async def step(stage: Stage) -> None:
        if nodes is not None:
            await stage.pool(nodes)
        await stage.apply(*tables)

    return step


def passes(**by: float) -> Step:
    """Let time pass."""

    async def step(stage: Stage) -> None:
        stage.clock.move(timedelta(**by))

    return step


def asks(kind: RequestKind, number: int, **values: Any) -> Step:  # noqa: ANN401 - of a request
    """Let an operator ask for something, a second after whatever was before."""

    async def step(stage: Stage) -> None:
        stage.clock.move(timedelta(seconds=1))
        request = Request(id=f"r{number}", kind=kind, by="proof", schedule=ONE, **values)
        await stage.desk.upload_blob(request_blob(request.id), dump_request(request))

    return step


async def jobs_end(stage: Stage) -> None:
    """All jobs end in Batch."""
    await stage.end_jobs()


async def batch_forgets(stage: Stage) -> None:
    """Batch forgets all jobs."""
    for id_ in await stage.jobs():
        await stage.forget(id_)
    stage.clock.move(timedelta(minutes=11))


async def years_pass(stage: Stage) -> None:
    """Let the jobs that have ended be old, by the clock of Batch and by that of storage."""
    later = datetime(datetime.now(UTC).year + 2, 1, 1, tzinfo=UTC)
    stage.clock.move(later - stage.clock.now)


async def tasks_begin(stage: Stage) -> None:
    """All tasks run on a node."""
    for id_ in await stage.jobs():
        await stage.task_runs(id_)


async def a_sleeper_claims(stage: Stage) -> None:
    """Let a tick that slept through the end of a run wake up, and claim it once more."""
    nominal = _START
    record = load(stage.blobs[final_blob(ONE, nominal, run_id(ONE, nominal))])
    attempt = replace(record.attempt, state=AttemptState.CLAIMED, outcome=None)
    record = replace(record.with_attempt(attempt), outcome=None, reason=None, outputs=())
    name = open_blob(record.run_id)
    await stage.desk.upload_blob(name, dump(record), metadata=metadata(record))


async def a_collector_dies(stage: Stage) -> None:
    """Let the collector see that a run has ended, and die before its final record; it has a lease."""
    await troubled_tick(stage, "collect", "here", Kind.DIES_BEFORE, nth=3)
    stage.rule(let_pass)
    await stage.keep_lease("collect")


async def its_lease_runs_out(stage: Stage) -> None:
    """Let the next collector in."""
    await stage.break_lease("collect")


async def results_are_lost(stage: Stage) -> None:
    """Let a later version write the results, and the operator go back to this one."""
    await stage.desk.upload_blob(COLLECT_STATE, b'{"schema": 2}', overwrite=True)


async def the_state_is_lost(stage: Stage) -> None:
    """Let somebody remove what both passes know."""
    for name in (SUBMIT_STATE, COLLECT_STATE):
        await stage.desk.delete_blob(name)


async def the_state_is_damaged(stage: Stage) -> None:
    """Let something else stand in the place of what the submit pass knows."""
    await stage.desk.upload_blob(SUBMIT_STATE, b"{", overwrite=True)


def both(*steps: Step) -> Step:
    """Let one thing happen after the other, without a tick between them."""

    async def step(stage: Stage) -> None:
        for one in steps:
            await one(stage)

    return step


def excepting(name: str, **keys: str) -> str:
    """Return a table that leaves out many dates, long ago: a few of these fill submit.json."""
    dates = ", ".join(f"{NOON.date() - timedelta(days=n)}" for n in range(100, 130))
    keys = {"start": since(), "start_timeout": '"1d"', "except": f"[{dates}]", **keys}
    return table(name, "0 * * * *", **keys)


def uploads(*tables: str) -> Step:
    """Let somebody upload a document by hand."""

    async def step(stage: Stage) -> None:
        await stage.upload(*tables)

    return step


def about_to_apply(*tables: str) -> Step:
    """Let an operator have a document ready."""

    async def step(stage: Stage) -> None:
        stage.document = "\n".join(tables)

    return step


def changes_to(*tables: str) -> Step:
    """Let an hour pass, and then the operator change the document."""
    return both(passes(hours=1), document(*tables, nodes=None))


def at(clock: str, name: str = ONE) -> RunId:
    """Return the run of a schedule at a time of the day."""
    return run_id(ScheduleId(name), datetime.fromisoformat(f"{NOON:%Y-%m-%d}T{clock}:00Z"))


def moving(calendar: str, towards: str) -> dict[str, str]:
    """Return the keys of a schedule whose occurrences move off the days of a calendar."""
    return {"holidays": f'["{calendar}"]', "on_holiday": f'"{towards}_working_day"'}


_CALENDARS: Final = "".join(
    f"[calendars.{name}]\ndates = [{NOON.date() + timedelta(days=n)}]\n"
    for n, name in enumerate(("sunday", "monday", "tuesday"), start=-1)
)
_LONG: Final = table("one", "0 * * * *", start_timeout='"1d"')
_PAUSED: Final = table("one", "0 * * * *", start_timeout='"1d"', paused="true")
_TWO: Final = table("two", "0 * * * *", start_timeout='"1d"')
_TRIGGERED: Final = trigger_id(ONE, "key")

SCENARIOS: Final[dict[str, Scenario]] = {
    "one run": Scenario(
        (document(table("one", "0 * * * *", start=since())), jobs_end),
        {at("12:00"): "terminated(ended_in_batch)"},
    ),
    "results are lost": Scenario(
        (
            document(table("one", "0 * * * *", start=since())),
            jobs_end,
            both(results_are_lost, passes(hours=1)),
            jobs_end,
            passes(hours=1),
            passes(hours=1),
        ),
        {
            at("12:00"): "terminated(ended_in_batch)",
            at("13:00"): "terminated(ended_in_batch)",
            at("14:00"): "never_started(no_node)",
            at("15:00"): "skipped(overlap)",
        },
    ),
    "a first day": Scenario(
        (
            document(
                table("one", start=since(minutes=1)),
                table("late", catch_up="{ max = 1 }", start=since(minutes=4)),
                table("held", paused="true", start=since()),
            ),
            jobs_end,
        ),
        {
            at("11:59"): "terminated(ended_in_batch)",
            at("12:00"): "skipped(overlap)",
            at("11:56", "late"): "2 missed(superseded)",
            at("11:58", "late"): "missed(superseded)",
            at("11:59", "late"): "terminated(ended_in_batch)",
            at("12:00", "late"): "skipped(overlap)",
            at("12:00", "held"): "skipped(paused)",
        },
    ),
    "more than one plan holds": Scenario(
        (
            document(
                table("held", paused="true", catch_up="{ max = 100 }", start=since(minutes=62)),
                table("one", start=since()),
            ),
        ),
        {
            **{
                at(f"{10 + n // 60}:{n % 60:02}", "held"): "skipped(paused)" for n in range(58, 121)
            },
            at("12:00"): "submitted",
        },
    ),
    "a long pause": Scenario(
        (
            document(
                table("one", paused="true", catch_up="{ max = 1 }", start=since(minutes=9)),
            ),
        ),
        {at("11:51"): "9 skipped(paused)", at("12:00"): "skipped(paused)"},
    ),
    "long ago": Scenario(
        (
            document(table("one", "0 * * * *", start=since())),
            jobs_end,
            both(document(nodes=None), years_pass),
        ),
        {at("12:00"): "terminated(ended_in_batch)"},
    ),
    "no pool for too long": Scenario(
        (
            document(
                table("one", "0 * * * *", catch_up='{ window = "5m" }', start=since()), nodes=None
            ),
            passes(minutes=6),
            passes(minutes=3),
        ),
        {at("12:00"): "never_started(blocked)"},
    ),
    "no node takes it": Scenario(
        (
            document(table("one", "0 * * * *", start_timeout='"1m"', start=since())),
            passes(minutes=2),
        ),
        {at("12:00"): "never_started(no_node)"},
    ),
    "a node takes it": Scenario(
        (
            document(table("one", "0 * * * *", start=since()), nodes=1),
            tasks_begin,
            jobs_end,
            a_sleeper_claims,
        ),
        {at("12:00"): "terminated(ended_in_batch)"},
    ),
    "one after the other": Scenario(
        (
            document(table("one", overlap='"queue"', start=since())),
            passes(minutes=1),
            jobs_end,
        ),
        {at("12:00"): "terminated(ended_in_batch)", at("12:01"): "submitted"},
    ),
    "one in the place of the other": Scenario(
        (
            document(table("one", overlap='"replace"', start=since())),
            passes(minutes=1),
        ),
        {at("12:00"): "terminated(replaced)", at("12:01"): "submitted"},
    ),
    "tried again": Scenario(
        (
            document(table("one", "0 * * * *", retries="{ max = 1 }", start=since())),
            batch_forgets,
            passes(minutes=1),
            jobs_end,
        ),
        {at("12:00"): "terminated(ended_in_batch) at attempt 2"},
    ),
    "stopped after its end": Scenario(
        (
            document(table("one", "0 * * * *", retries="{ max = 1 }", start=since())),
            both(jobs_end, a_collector_dies, asks(RequestKind.STOP, 1, run_id=at("12:00"))),
            its_lease_runs_out,
        ),
        {at("12:00"): "terminated(ended_in_batch)"},
    ),
    "its document changes often": Scenario(
        (
            document(excepting("one"), excepting("two")),
            changes_to(excepting("one")),
            changes_to(excepting("one", paused="true")),
            changes_to(excepting("one")),
            changes_to(excepting("one", paused="true"), excepting("two")),
        ),
        {
            at("12:00"): "submitted",
            at("12:00", "two"): "submitted",
            at("13:00"): "skipped(overlap)",
            at("13:00", "two"): "skipped(removed)",
            at("14:00", "two"): "missed(superseded)",
            at("15:00", "two"): "missed(superseded)",
            at("14:00"): "skipped(overlap)",
            at("15:00"): "skipped(paused)",
            at("16:00"): "skipped(overlap)",
            at("16:00", "two"): "skipped(overlap)",
        },
    ),
    "every version counts": Scenario(
        (
            document(table("one", "0 * * * *", start=since(), start_timeout='"1d"')),
            both(
                passes(minutes=30),
                document(_PAUSED, _TWO, nodes=None),
                passes(hours=1),
                about_to_apply("# held for now", _PAUSED, _TWO),
            ),
            both(passes(hours=1), uploads(_PAUSED)),
            both(
                passes(hours=1),
                uploads(_LONG),
                passes(hours=1),
                about_to_apply(_LONG, table("two", "30 * * * *")),
            ),
        ),
        {
            at("12:00"): "submitted",
            at("13:00"): "skipped(paused)",
            at("14:00"): "skipped(paused)",
            at("15:00"): "skipped(paused)",
            at("16:00"): "skipped(overlap)",
            at("13:00", "two"): "submitted",
            at("14:00", "two"): "skipped(removed)",
        },
        first={1: "apply", 3: "apply"},
    ),
    "more versions than one tick takes over": Scenario(
        (
            document(excepting("one")),
            both(
                changes_to(excepting("one", paused="true")),
                changes_to(excepting("one"), excepting("two")),
                changes_to(excepting("one", paused="true")),
                changes_to(excepting("one"), excepting("two", paused="true")),
                passes(hours=1),
            ),
        ),
        {
            at("12:00"): "submitted",
            at("13:00"): "missed(superseded)",
            at("14:00"): "skipped(paused)",
            at("15:00"): "skipped(overlap)",
            at("16:00"): "skipped(paused)",
            at("17:00"): "skipped(overlap)",
            at("12:00", "two"): "missed(superseded)",
            at("13:00", "two"): "missed(superseded)",
            at("14:00", "two"): "missed(superseded)",
            at("15:00", "two"): "submitted",
            at("16:00", "two"): "skipped(paused)",
            at("17:00", "two"): "skipped(paused)",
        },
    ),
    "holidays and ends": Scenario(
        (
            document(
                _CALENDARS,
                table("one", "0 12 31 5 *", start=since(hours=1), **moving("sunday", "next")),
                table("two", "0 12-14 * * *", start=since(), holidays='["monday"]'),
                table("last", "0 * * * *", start=since(), end=since(hours=-1), paused="true"),
                f"[schedules.once]\nat = [2026-06-01T13:00:00]\ncommand = 'true'\nstart = {since()}\n",
            ),
            both(jobs_end, passes(hours=1)),
            both(
                document(
                    _CALENDARS,
                    table("one", "0 14 2 6 *", **moving("tuesday", "previous")),
                    nodes=None,
                ),
                passes(hours=2),
            ),
        ),
        {
            at("12:00"): "terminated(ended_in_batch)",
            at("14:00"): "submitted",
            at("12:00", "two"): "skipped(holiday)",
            at("13:00", "two"): "skipped(holiday)",
            at("12:00", "last"): "skipped(paused)",
            at("13:00", "once"): "never_started(no_node)",
        },
    ),
    "its state is lost": Scenario(
        (
            document(table("one", "0 * * * *", start=since())),
            jobs_end,
            both(the_state_is_lost, passes(hours=1)),
            passes(hours=1),
        ),
        {at("12:00"): "terminated(ended_in_batch)", at("14:00"): "submitted"},
        first={2: "begin anew"},
    ),
    "its state is damaged": Scenario(
        (
            document(table("one", "0 * * * *", start=since(), start_timeout='"1d"')),
            both(the_state_is_damaged, passes(hours=1)),
            both(jobs_end, passes(hours=1)),
        ),
        {at("12:00"): "terminated(ended_in_batch)", at("14:00"): "submitted"},
        first={1: "begin anew"},
    ),
    "what operators ask for": Scenario(
        (
            document(table("one", "0 * * * *", start_timeout='"1d"')),
            both(
                asks(RequestKind.TRIGGER, 1, key="key"),
                asks(RequestKind.TRIGGER, 2, key="another"),
                asks(RequestKind.PAUSE, 3),
            ),
            both(passes(hours=1), asks(RequestKind.RESUME, 4)),
            asks(RequestKind.STOP, 5, run_id=_TRIGGERED),
            asks(RequestKind.BACKFILL, 6, after=_START, until=_START + HOUR),
            both(jobs_end, passes(minutes=2)),
            asks(RequestKind.BACKFILL, 7, after=_START, until=_START + HOUR, rerun=True),
            both(jobs_end, passes(minutes=2)),
        ),
        {
            _TRIGGERED: "terminated(stopped)",
            at("13:00"): "terminated(ended_in_batch) at attempt 2",
        },
    ),
}
