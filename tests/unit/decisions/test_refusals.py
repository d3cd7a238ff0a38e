"""What a refusal of Batch means for an attempt without a job."""

import pytest

from orchestrator.decisions.refusals import blocked_by, unread_by
from orchestrator.enums import BlockedReason
from orchestrator.errors import BatchRefused, BatchUnavailable


@pytest.mark.parametrize(
    ("status", "code", "reason", "stops_all"),
    [
        (409, "ActiveJobAndScheduleQuotaReached", BlockedReason.QUOTA, True),
        (409, "InvalidApplicationPackageReferences", BlockedReason.PACKAGE_MISSING, False),
        (409, "PoolBeingDeleted", BlockedReason.POOL_MISSING, False),
        (409, "AccountIsDisabled", BlockedReason.UNAVAILABLE, True),
        (409, "JobWithSameIdExists", BlockedReason.ID_TAKEN, False),
        (409, "JobScheduleWithSameIdExists", BlockedReason.ID_TAKEN, False),
        (401, "AuthenticationFailed", BlockedReason.AUTH, True),
        (403, "AuthorizationFailure", BlockedReason.AUTH, True),
        (404, "ResourceNotFound", BlockedReason.UNAVAILABLE, True),
        (408, "RequestTimeout", BlockedReason.UNAVAILABLE, True),
    ],
)
def test_the_code_tells_what_blocks(
    status: int, code: str, reason: BlockedReason, stops_all: bool
) -> None:
    """Some of it would meet every other attempt as well."""
    found = blocked_by(BatchRefused(status=status, code=code, detail="no"))
    assert found is not None
    assert (found.reason, found.stops_all) == (reason, stops_all)
    assert code in found.detail


def test_no_answer_blocks_everything() -> None:
    """What was asked for may have been done all the same: the next tick looks."""
    found = blocked_by(BatchUnavailable("no answer"))
    assert found is not None
    assert (found.reason, found.stops_all) == (BlockedReason.UNAVAILABLE, True)


def test_any_other_refusal_is_for_good() -> None:
    """Unless it was only a question."""
    error = BatchRefused(status=400, code="InvalidPropertyValue", detail="no")
    assert blocked_by(error) is None
    assert unread_by(error).reason is BlockedReason.UNAVAILABLE
