"""What is written nearly like something that there is, is taken for a slip of the hand."""

import pytest

from recur.ledger_reader.snapshot import did_you_mean

OPEN = ["flaky-20261123T124400Z", "minutely-20261123T143900Z", "nightly-m0123456789abcdef"]


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("minutely-20261123T144000Z", "did you mean minutely-20261123T143900Z?"),
        ("minutly-20261123T143900Z", "did you mean minutely-20261123T143900Z?"),
        ("nightly-m0123456789abcdee", "did you mean nightly-m0123456789abcdef?"),
        ("weekly-20261123T124400Z", None),
        ("flaky-20261123", "did you mean flaky-20261123T124400Z?"),
    ],
)
def test_a_run_of_the_same_schedule_is_meant(typed: str, asked: str | None) -> None:
    """Never one of another at the same time, unless the schedule is written nearly so."""
    assert did_you_mean(typed, OPEN) == asked


def test_a_schedule_is_told_from_those_there_are() -> None:
    """By its letters."""
    assert did_you_mean("nigthly", ["nightly", "hello"]) == "did you mean nightly?"
    assert did_you_mean("x", ["nightly", "hello"]) is None
