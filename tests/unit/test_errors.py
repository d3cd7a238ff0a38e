"""The errors that carry fields: what they say."""

import pytest

from orchestrator.errors import BatchRefused, DocumentError, Problem, SettingsError


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (Problem(message="cannot be read"), "cannot be read"),
        (Problem(schedule="ab", message="must be a table"), "[schedules.ab]: must be a table"),
        (Problem(schedule="ab", key="cron", message="bad"), "[schedules.ab]: cron: bad"),
        (Problem(key="every", message="bad", in_defaults=True), "[defaults]: every: bad"),
    ],
)
def test_a_problem_names_its_place(problem: Problem, said: str) -> None:
    """The table, then the key, then what is wrong."""
    assert str(problem) == said


def test_errors_say_all_that_is_wrong() -> None:
    """In one line; their fields hold it apart."""
    problems = [Problem(schedule="ab", message="one"), Problem(message="two")]
    document = DocumentError(problems)
    settings = SettingsError(["A is missing", "B is bad"])

    assert (str(document), document.problems) == ("[schedules.ab]: one; two", tuple(problems))
    assert str(settings) == "settings to correct: A is missing; B is bad"
    assert settings.problems == ("A is missing", "B is bad")


def test_a_refusal_of_batch_holds_its_code() -> None:
    """It is what the passes branch on."""
    refused = BatchRefused(status=409, code="JobExists", detail="The job exists.")
    assert (refused.status, refused.code, refused.detail) == (409, "JobExists", "The job exists.")
    assert str(refused) == "JobExists (409): The job exists."
