"""Why an output is missing."""

import pytest

from orchestrator.decisions.missing_outputs import code_of, comes_back, missing, unverified
from orchestrator.enums import OutputCode
from orchestrator.errors import BatchRefused
from orchestrator.ledger.record import How


@pytest.mark.parametrize(
    ("said", "code", "back"),
    [
        ("NodeNotFound", OutputCode.NODE_GONE, False),
        ("TaskFilesUnavailable", OutputCode.NODE_GONE, False),
        ("NodeNotReady", OutputCode.NODE_NOT_READY, True),
        ("OperationInvalidForCurrentState", OutputCode.NODE_NOT_READY, True),
        ("TaskFilesCleanedup", OutputCode.CLEANED_UP, False),
        ("FileNotFound", OutputCode.NO_SUCH_FILE, False),
        ("JobNotFound", OutputCode.JOB_GONE, False),
        ("AuthorizationFailure", OutputCode.REFUSED, False),
    ],
)
def test_each_answer_of_batch_is_one_code(said: str, code: OutputCode, back: bool) -> None:
    """Only a node that restarts is asked again."""
    error = BatchRefused(status=409, code=said, detail="no")

    assert code_of(error) is code
    assert comes_back(error) is back


@pytest.mark.parametrize("code", OutputCode)
def test_each_code_has_a_sentence(code: OutputCode) -> None:
    """With the words of the service where there are some."""
    plain, detailed = missing("stdout.txt", code), unverified("a", code, "its words", 3)

    assert plain.how is How.MISSING
    assert plain.why
    assert plain.why[0].islower()
    assert detailed.why == f"{plain.why} (its words)"
    assert (detailed.how, detailed.bytes, detailed.code) == (How.UNVERIFIED, 3, code)
