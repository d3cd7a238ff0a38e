"""What is said of a bad value, and how much of it."""

import pytest

from orchestrator.document.parse import parse
from tests.support.documents import table


def problems(text: str) -> list[str]:
    return [str(problem) for problem in parse(text).problems]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cron", '"' + "1," * 9000 + '"'),
        ("overlap", '"' + "x" * 9000 + '"'),
        ("max_queued", '"' + "9" * 9000 + '"'),
    ],
)
def test_a_long_value_is_not_repeated_in_full(key: str, value: str) -> None:
    """Problems stand in events and mails."""
    assert all(len(problem) < 300 for problem in problems(table(**{key: value})))


def test_a_value_of_the_environment_is_not_repeated() -> None:
    """It may be a secret that was not quoted."""
    (problem,) = problems(table(environment="{ PIN = 123456 }"))

    assert "123456" not in problem


def test_a_number_too_long_for_python_to_spell_is_told() -> None:
    """Written in another base it can be read, and not be shown."""
    found = problems(table(overlap='"queue"', max_queued=f"0x{'F' * 9000}"))
    assert found == [
        "[schedules.bad]: max_queued: must be at most 1000, not a number of thousands of digits"
    ]
