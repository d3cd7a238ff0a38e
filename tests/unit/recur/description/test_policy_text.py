"""The policies of a schedule in words: each value has its own, and its numbers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.enums import CatchUpMode, Fold, Gap, Outcome, Overlap
from orchestrator.model import CatchUp, Recurrence, Retries, Schedule
from recur.description.policy_text import policies_of
from tests.support.schedules import schedule

PARIS = "Europe/Paris"
EITHER = "if minute and hour name times, and does not run if one of them begins with *"


def said(one: Schedule) -> dict[str, str]:
    return {policy.name: policy.text for policy in policies_of(one)}


def test_what_says_nothing_by_default_is_left_out() -> None:
    """The others are always there."""
    one = schedule(recurrence=Recurrence(cron=("0 2 * * *",)))

    assert [*said(one)] == ["overlap", "catch up", "start timeout", "run timeout", "retries"]


@pytest.mark.parametrize("overlap", Overlap)
def test_each_overlap_policy_begins_with_its_value(overlap: Overlap) -> None:
    """With the number that belongs to it."""
    one = schedule(overlap=overlap, max_queued=7, max_parallel=23)
    text = said(one)["overlap"]

    assert text.startswith(f"{overlap}: ")
    assert ("7" in text, "23" in text) == (overlap is Overlap.QUEUE, overlap is Overlap.ALLOW)


@pytest.mark.parametrize("mode", CatchUpMode)
def test_each_catch_up_mode_begins_with_its_value(mode: CatchUpMode) -> None:
    """With its window, and with how many there may be."""
    one = schedule(catch_up=CatchUp(mode=mode, window=timedelta(hours=5), max=17))
    text = said(one)["catch up"]

    assert text.startswith(f"{mode}: ")
    assert ("5 h" in text) == (mode is not CatchUpMode.NONE)
    assert ("17" in text) == (mode is CatchUpMode.ALL)


@pytest.mark.parametrize(
    ("crons", "gap", "fold", "left_out", "twice"),
    [
        (
            ["30 2 * * *"],
            Gap.AUTO,
            Fold.AUTO,
            "runs at the first instant after it",
            "runs the first time",
        ),
        (
            ["*/5 * * * *"],
            Gap.AUTO,
            Fold.AUTO,
            "does not run",
            "runs both times",
        ),
        (
            ["30 2 * * *", "*/5 4 * * *"],
            Gap.AUTO,
            Fold.SECOND,
            f"runs at the first instant after it {EITHER}",
            "runs the second time",
        ),
        (
            ["*/5 * * * *"],
            Gap.SHIFT,
            Fold.FIRST,
            "runs at the first instant after it",
            "runs the first time",
        ),
    ],
)
def test_changes_of_the_clock(
    crons: list[str], gap: Gap, fold: Fold, left_out: str, twice: str
) -> None:
    """By ``auto`` it depends on how the expressions are written."""
    recurrence = Recurrence(cron=tuple(crons), time_zone=PARIS, gap=gap, fold=fold)

    assert said(schedule(recurrence=recurrence))["dst"] == (
        f"what falls into an hour that is left out {left_out}; "
        f"what falls into an hour that comes twice {twice}"
    )


def test_where_no_clock_changes_nothing_is_said_of_it() -> None:
    """Nor where time is elapsed."""
    steady = Recurrence(cron=("0 2 * * *",), time_zone="America/Bogota")
    elapsed = Recurrence(every=timedelta(hours=1), time_zone=PARIS)

    assert "dst" not in said(schedule(recurrence=steady))
    assert "dst" not in said(schedule(recurrence=elapsed))


@pytest.mark.parametrize(
    ("retries", "text"),
    [
        (Retries(), "none"),
        (
            Retries(max=1),
            "1 more attempt at most, after lost or never_started; the first after 1 min",
        ),
        (
            Retries(
                max=3,
                on=(Outcome.FAILED, Outcome.LOST),
                exit_codes=(75, 137),
                backoff=timedelta(minutes=5),
            ),
            (
                "3 more attempts at most, after failed with exit code 75 or 137 (SIGKILL) or lost; "
                "the first after 5 min, then twice as long each time, up to 1 h"
            ),
        ),
    ],
)
def test_retries(retries: Retries, text: str) -> None:
    """How many, after what, and when."""
    assert said(schedule(retries=retries))["retries"] == text


def test_what_is_not_the_default_is_said() -> None:
    """Jitter, a pause after failures, outputs, and records without last words."""
    one = replace(
        schedule(outputs=("report/*.csv", "log.txt")),
        jitter=timedelta(minutes=10),
        pause_after_failures=3,
        last_words=False,
    )
    found = said(one)

    assert found["jitter"] == "each submission is put off by up to 10 min"
    assert found["pause after failures"] == "3 failed runs in a row pause the schedule"
    assert found["outputs"] == "besides stdout and stderr: report/*.csv, log.txt"
    assert found["last words"] == "records do not hold the ends of stderr and stdout"
