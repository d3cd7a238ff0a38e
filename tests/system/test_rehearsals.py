"""A document is rehearsed by the product's own rules."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.document.parse import parse
from orchestrator.ids import ScheduleId
from orchestrator.model import NodePrice, Prices
from recur.errors import CliError
from recur.rehearsal.durations import Durations, parse_durations
from recur.rehearsal.play import Course, play
from recur.rehearsal.simulated_pool import PoolShape, Rehearsal, play_on_pool
from recur.rehearsal.summary import ScheduleSummary, pool_summary, price_of, schedule_summary

BEGIN = datetime(2027, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def rehearsed(
    text: str, *, minutes: float, days: int = 1, shape: PoolShape | None = None
) -> tuple[list[Course], Rehearsal]:
    """Rehearse tables whose runs all take the same time."""
    document = parse(text)
    assert document.problems == ()

    async def perform(stage: Rehearsal) -> tuple[list[Course], Rehearsal]:
        durations = Durations(every=60 * minutes)
        until = BEGIN + days * DAY
        return await play(stage, document.schedules, durations, until=until), stage

    return play_on_pool(shape or PoolShape(), BEGIN, perform)


def only(courses: Sequence[Course]) -> ScheduleSummary:
    (course,) = courses
    return schedule_summary(course, slots=1, price=None)


def table(**keys: str) -> str:
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f'[schedules.one]\ncommand = "true"\n{lines}'


def test_each_occurrence_of_the_days_has_a_run_or_a_reason() -> None:
    """Two weeks of weekdays without one holiday; the pool goes back to nothing after each."""
    text = table(cron='"0 2 * * MON-FRI"', **{"except": '["2027-03-10"]'})
    courses, stage = rehearsed(text, minutes=30, days=14)

    one = only(courses)
    assert (one.runs, one.ended, one.skipped) == (9, 9, {"excluded": 1})
    assert one.node_seconds == 9 * 1800
    assert len(stage.nodes) == 9
    assert one.waiting_seconds is not None
    assert 140 < one.waiting_seconds < 600
    assert all(run.job and run.job.submitted == run.nominal for run in courses[0].runs)


@pytest.mark.parametrize(
    ("overlap", "runs", "skipped", "replaced"),
    [
        ("skip", 12, {"overlap": 12}, 0),
        ("queue", 18, {"queue_full": 6}, 0),
        ("replace", 24, {}, 23),
        ("allow", 24, {}, 0),
    ],
)
def test_overlap(overlap: str, runs: int, skipped: dict[str, int], replaced: int) -> None:
    """Runs of 90 minutes every hour for a day, on as many nodes as they need."""
    keys = {"cron": '"0 * * * *"', "overlap": f'"{overlap}"', "max_queued": "2"}
    keys |= {"max_parallel": "9"} if overlap == "allow" else {}
    if overlap != "queue":
        del keys["max_queued"]
    courses, _ = rehearsed(table(**keys), minutes=90, shape=PoolShape(nodes=9))

    one = only(courses)
    assert (one.skipped, one.replaced) == (skipped, replaced)
    assert one.runs == runs
    assert one.unfinished == 0


def test_a_queued_run_begins_when_the_one_before_has_ended() -> None:
    """In the next minute, and in order."""
    text = table(cron='"0,10 3 * * *"', overlap='"queue"')
    courses, _ = rehearsed(text, minutes=30)

    first, second = (run.job for run in courses[0].runs)
    assert first is not None
    assert second is not None
    assert first.ended is not None
    assert timedelta() <= second.submitted - first.ended <= MINUTE


def test_jitter_puts_off_the_submission() -> None:
    """By less than it says, and by the same amount each time."""
    text = table(cron='"0 3 * * *"', jitter='"20m"')
    (first,), _ = rehearsed(text, minutes=1, days=3)
    (second,), _ = rehearsed(text, minutes=1, days=3)

    puts_off = [run.job.submitted - run.nominal for run in first.runs if run.job]
    assert all(timedelta() <= one <= 21 * MINUTE for one in puts_off)
    assert len(set(puts_off)) == 3
    assert puts_off == [run.job.submitted - run.nominal for run in second.runs if run.job]


def test_a_run_timeout_ends_what_takes_longer() -> None:
    """It counts as timed out, and takes its node no longer."""
    courses, _ = rehearsed(table(cron='"0 3 * * *"', run_timeout='"20m"'), minutes=45)

    one = only(courses)
    assert (one.ended, one.timed_out, one.node_seconds) == (1, 1, 1200)


def test_a_paused_schedule_and_one_that_has_not_begun_take_nothing() -> None:
    """The document says so itself."""
    paused, stage = rehearsed(table(cron='"0 3 * * *"', paused="true"), minutes=5)
    later, _ = rehearsed(table(cron='"0 3 * * *"', start="2027-04-01T00:00:00Z"), minutes=5)

    assert only(paused).skipped == {"paused": 1}
    assert (only(later).runs, only(later).skipped) == (0, {})
    assert stage.nodes == []


def test_preempted_runs_begin_again() -> None:
    """On Spot nodes, at a rate; what ran before is paid for too."""
    shape = PoolShape(spot=True, preemptions_per_hour=1, seed=3)
    courses, stage = rehearsed(table(cron='"0 3 * * *"'), minutes=120, days=5, shape=shape)

    one = only(courses)
    assert one.preempted > 0
    assert one.node_seconds > one.ended * 7200
    assert {node.dedicated for node in stage.nodes} == {False}


def test_costs_are_those_of_the_documents_prices() -> None:
    """By the share of the node's slots; the pool's are those of its whole time."""
    prices = Prices(
        currency="USD",
        every=NodePrice(dedicated=0.5),
        pools={"Big": NodePrice(dedicated=2.0, spot=1.0)},
    )
    assert price_of(prices, None, spot=False) == 0.5
    assert price_of(prices, None, spot=True) is None
    assert price_of(prices, "big", spot=True) == 1.0
    assert price_of(None, None, spot=False) is None

    courses, stage = rehearsed(table(cron='"0 3 * * *"'), minutes=60, shape=PoolShape(slots=4))
    one = schedule_summary(courses[0], slots=4, price=2.0)
    whole = pool_summary(stage.nodes, 2.0)
    assert (one.node_seconds, one.amount) == (900, 0.5)
    assert whole.most_nodes == 1
    assert whole.busy_seconds == 3600
    assert whole.amount == pytest.approx(whole.node_seconds / 1800, abs=1e-6)


def test_durations_are_given_or_used_in_turn() -> None:
    """Of one schedule before those of all, and given ones before recorded ones."""
    nightly, other = ScheduleId("nightly"), ScheduleId("other")
    given = parse_durations(["30m", "nightly=PT2H"], [nightly, other])
    recorded = Durations(of={nightly: [1.0], other: [10.0, 20.0, 30.0]})

    assert given.seconds(nightly, 5) == 7200
    assert given.seconds(other, 5) == 1800
    assert given.missing([nightly, other]) == []
    both = parse_durations(["nightly=2h"], [nightly, other]).over(recorded)
    assert both.seconds(nightly, 0) == 7200
    assert [both.seconds(other, number) for number in range(4)] == [10, 20, 30, 10]
    assert parse_durations([], [nightly]).missing([nightly]) == [nightly]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("soon", "'soon' is not a duration"),
        ("0s", "not a duration"),
        ("x=5m", "have the schedule 'x'"),
    ],
)
def test_durations_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(CliError, match=message):
        parse_durations([text], [ScheduleId("nightly")])
