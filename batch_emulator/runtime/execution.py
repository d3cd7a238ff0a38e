"""How the run of a program went."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task failed, in the service's words."""

    code: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    category: str = "UserError"


@dataclass(slots=True)
class Execution:
    """How the last run of a task or start task went; ``None`` means not known yet."""

    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    failure: Failure | None = None
    retries: int = 0
    last_retry: datetime | None = None
    requeues: int = 0
    last_requeue: datetime | None = None

    @property
    def result(self) -> str | None:
        """Success or failure, once it has ended."""
        if self.ended is None:
            return None
        return "failure" if self.failure else "success"
