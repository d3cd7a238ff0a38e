"""A job schedule in the Batch account: read, marked, disabled and enabled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from azure.batch import BatchClient
from azure.batch.models import BatchJobScheduleUpdateOptions, BatchMetadataItem
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from orchestrator.adapters.calls import enum_word, reply_date
from recur.errors import CliError, Exit
from recur.importing.job_schedule import Instants, read_time
from recur.importing.turning_point import MARK, Mark
from recur.ledger_reader.snapshot import did_you_mean

_NOT_FOUND: Final = 404
_PRECONDITION_FAILED: Final = 412
_DISABLED: Final = "JobScheduleDisabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    A job schedule at one time.

    Attributes:
        content: As the service sends it.
        etag: Of this state of it.
        at: When it was read, by the clock of the service.
        instants: When it is due.
        recent_job: Its newest job; None: it has made none.
        made: When that job was made; None: it is gone.
        active_job: The job that has not ended; None: there is none.
    """

    content: Mapping[str, Any]
    etag: str
    at: datetime
    instants: Instants
    recent_job: str | None
    made: datetime | None
    active_job: str | None

    @property
    def state(self) -> str:
        """Its state, in lower case."""
        return str(self.content.get("state", "")).lower()

    @property
    def mark(self) -> Mark | None:
        """The mark of a hand-over that has begun."""
        for one in self.content.get("metadata") or ():
            if one.get("name") == MARK:
                return Mark.read(str(one.get("value", "")))
        return None


class LiveJobSchedule:
    """One job schedule of an account."""

    def __init__(self, batch: BatchClient, name: str) -> None:
        """
        Prepare it.

        Args:
            batch: Of the account.
            name: Its id.
        """
        self._batch = batch
        self.name = name

    def look(self) -> Seen:
        """
        Return it as it is now.

        Raises:
            CliError: There is none of this id.
            AzureError: The account does not answer, or refuses.
        """
        dates: list[datetime] = []

        def note(reply: Any) -> None:  # noqa: ANN401 - the client's own hook
            dates.append(reply_date(reply))

        try:
            found = self._batch.get_job_schedule(self.name, raw_response_hook=note)
        except ResourceNotFoundError as error:
            raise self._unknown() from error
        content = found.as_dict()
        recent = content.get("executionInfo", {}).get("recentJob", {}).get("id")
        made, active = self._job(recent) if recent else (None, False)
        return Seen(
            content=content,
            etag=found.etag,
            at=dates[0],
            instants=Instants.read(content),
            recent_job=recent,
            made=made,
            active_job=recent if active else None,
        )

    def _unknown(self) -> CliError:
        there = sorted(one.id for one in self._batch.list_job_schedules())
        hint = did_you_mean(self.name, there) or f"there are: {', '.join(there[:10]) or 'none'}"
        return CliError(Exit.REFUSED, f"there is no job schedule {self.name!r}", hint)

    def _job(self, job: str) -> tuple[datetime | None, bool]:
        """Return when a job was made, and whether it has not ended."""
        try:
            found = self._batch.get_job(job)
        except HttpResponseError as error:
            if error.status_code == _NOT_FOUND:
                return None, False
            raise
        ended = (enum_word(found.state) or "").lower() == "completed"
        return read_time(found.as_dict().get("creationTime")), not ended

    def mark(self, seen: Seen, mark: Mark) -> None:
        """
        Keep in its metadata what was seen of it.

        Raises:
            CliError: Somebody has changed it since.
        """
        kept = [one for one in seen.content.get("metadata") or () if one.get("name") != MARK]
        items = [BatchMetadataItem(name=one["name"], value=one["value"]) for one in kept]
        items.append(BatchMetadataItem(name=MARK, value=mark.text()))
        try:
            self._batch.update_job_schedule(
                self.name,
                BatchJobScheduleUpdateOptions(metadata=items),
                etag=seen.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except HttpResponseError as error:
            if error.status_code != _PRECONDITION_FAILED:
                raise
            raise changed_meanwhile(self.name) from error

    def disable(self) -> None:
        """Let it make no more jobs; nothing happens if it is disabled."""
        try:
            self._batch.disable_job_schedule(self.name)
        except HttpResponseError as error:
            if error.error is None or error.error.code != _DISABLED:
                raise

    def enable(self) -> None:
        """Let it make jobs again."""
        self._batch.enable_job_schedule(self.name)


def changed_meanwhile(name: str) -> CliError:
    """Say that somebody else has changed a job schedule."""
    message = f"someone changed job schedule {name} at the same time; nothing was handed over"
    return CliError(Exit.CONFLICT, message, "run the same command again")
