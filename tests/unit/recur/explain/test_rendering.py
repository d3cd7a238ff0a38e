"""Of a day with many occurrences people are told what matters, and how many more there are."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from rich.console import Console

from orchestrator.enums import Outcome
from recur.explain.case import CLOCK, Background, Explanation, Fact, Verdict
from recur.explain.rendering import show_explanations
from recur.output import Printer
from tests.support.records import NIGHTLY
from tests.support.status_readings import surroundings

MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


def no_facts(_: int) -> tuple[Fact, ...]:
    return ()


def told(
    *verdicts: tuple[Verdict, Outcome | None], facts: Callable[[int], tuple[Fact, ...]] = no_facts
) -> list[str]:
    """Return what is said of a schedule that is due every minute from midnight on."""
    found = [
        Explanation(
            verdict=verdict,
            nominal=MIDNIGHT + timedelta(minutes=minute),
            sentence=f"{minute} {outcome or verdict}",
            outcome=outcome,
            facts=facts(minute),
        )
        for minute, (verdict, outcome) in enumerate(verdicts)
    ]
    output = Printer(as_json=False)
    page = io.StringIO()
    output.people = Console(file=page, width=200, highlight=False, soft_wrap=True)
    show_explanations(
        output,
        found,
        Background(schedule=NIGHTLY, zone=UTC, state=None, around=surroundings(now=MIDNIGHT)),
    )
    return page.getvalue().splitlines()


GOOD = (Verdict.ENDED, Outcome.SUCCEEDED)
BAD = (Verdict.ENDED, Outcome.FAILED)
LOST = (Verdict.UNRECORDED, None)
SKIPPED = (Verdict.SKIPPED, None)
COMING = (Verdict.FUTURE, None)


def test_what_happened_is_told_before_what_is_to_come() -> None:
    """The newest twenty; the others in one line for each verdict, with what lists them."""
    lines = told(*[GOOD] * 200, *[COMING] * 612)

    assert lines[:20] == [f"{minute} succeeded" for minute in range(180, 200)]
    assert lines[20] == (
        "180 more ran and succeeded: recur runs nightly --outcome succeeded "
        "--since 2026-11-23T00:00:00Z --until 2026-11-23T02:59:00Z -n 180"
    )
    assert lines[21] == (
        "612 more lie in the future, the next at 2026-11-23 03:20Z: recur next nightly"
    )
    assert len(lines) == 23


def test_what_did_not_succeed_is_told_first() -> None:
    """And what should not be before all else, with its evidence."""
    lines = told(LOST, *[GOOD] * 5, *[SKIPPED] * 30, BAD, *[GOOD] * 5)

    assert lines[:2] == ["0 unrecorded", "18 skipped"]
    assert lines[19] == "36 failed"
    assert [line.partition(":")[0] for line in lines[20:]] == [
        "10 more ran and succeeded",
        "12 more skipped",
        "the evidence of one of them",
    ]
    assert lines[-1].endswith("recur explain nightly 2026-11-23T00:00:00Z")


def test_of_a_day_with_a_few_occurrences_each_is_told() -> None:
    """Also those to come."""
    lines = told(*[GOOD] * 10, *[COMING] * 10)

    assert lines[:-1] == [f"{n} {'succeeded' if n < 10 else 'future'}" for n in range(20)]


def test_of_many_that_did_not_succeed_the_others_are_counted() -> None:
    """With the command that lists those alone."""
    lines = told(*[BAD] * 21)

    assert lines[20] == (
        "1 more did not succeed: recur runs nightly --outcome failed "
        "--since 2026-11-23T00:00:00Z --until 2026-11-23T00:00:00Z -n 1"
    )


def test_what_the_clock_does_on_that_day_is_told_once() -> None:
    """Before the occurrences; not what it does to one of them."""
    day, own = Fact(source=CLOCK, says="put back"), Fact(source=CLOCK, says="comes twice")

    lines = told(*[GOOD] * 24, facts=lambda minute: (day, own) if minute == 3 else (day,))

    assert lines[0] == "put back"
    assert not any("comes twice" in line for line in lines)
