"""What a refusal of Batch means for an attempt without a job: told by its code, never by its class."""

from dataclasses import dataclass
from typing import Final

from orchestrator.enums import BlockedReason
from orchestrator.errors import BatchRefused, BatchUnavailable

_BY_CODE: Final = {
    "ActiveJobAndScheduleQuotaReached": BlockedReason.QUOTA,
    "InvalidApplicationPackageReferences": BlockedReason.PACKAGE_MISSING,
    "PoolBeingDeleted": BlockedReason.POOL_MISSING,
    "AccountIsDisabled": BlockedReason.UNAVAILABLE,
    "JobWithSameIdExists": BlockedReason.ID_TAKEN,
    "JobScheduleWithSameIdExists": BlockedReason.ID_TAKEN,
}
_BY_STATUS: Final = {
    401: BlockedReason.AUTH,
    403: BlockedReason.AUTH,
    404: BlockedReason.UNAVAILABLE,  # no Batch account is at this URL
    408: BlockedReason.UNAVAILABLE,
}
_WHOLE_ACCOUNT: Final = frozenset(
    {BlockedReason.QUOTA, BlockedReason.AUTH, BlockedReason.UNAVAILABLE}
)


@dataclass(frozen=True, slots=True)
class Blocked:
    """There is no job yet; a later tick tries again."""

    reason: BlockedReason
    detail: str

    @property
    def stops_all(self) -> bool:
        """Whether every other attempt would meet the same."""
        return self.reason in _WHOLE_ACCOUNT


def blocked_by(error: BatchUnavailable | BatchRefused) -> Blocked | None:
    """Return how a failed request blocks an attempt; None if it is refused for good."""
    if isinstance(error, BatchUnavailable):
        return Blocked(BlockedReason.UNAVAILABLE, str(error))
    reason = _BY_CODE.get(error.code) or _BY_STATUS.get(error.status)
    return Blocked(reason, str(error)) if reason else None


def unread_by(error: BatchUnavailable | BatchRefused) -> Blocked:
    """Return how a question without an answer blocks an attempt: nothing was refused for good."""
    return blocked_by(error) or Blocked(BlockedReason.UNAVAILABLE, str(error))
