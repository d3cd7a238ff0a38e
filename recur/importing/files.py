"""Which system a file comes from, and the schedules in it."""

import json
from datetime import datetime
from typing import Any

from recur.errors import CliError, Exit
from recur.importing.crontab import is_system_crontab, read_crontab
from recur.importing.data_factory import factory_triggers, read_triggers
from recur.importing.eventbridge import eventbridge_entries, read_eventbridge
from recur.importing.kubernetes import cron_jobs, read_cron_jobs
from recur.importing.tables import Imported

_MARKS_OF_YAML = ("apiVersion:", "kind:", "---")
KNOWN = (
    "a crontab, a CronJob of Kubernetes (YAML or JSON), a schedule or rule of EventBridge or a "
    "trigger of Data Factory (the JSON of their APIs)"
)


def read_imported(text: str, *, now: datetime, time_zone: str | None, with_user: bool) -> Imported:
    """
    Return the schedules in a text.

    Args:
        text: The file's.
        now: The current time.
        time_zone: Of schedules that name none.
        with_user: Whether the lines of a crontab name a user.

    Raises:
        CliError: It is of no known system, or cannot be read.
    """
    documents = _documents(text)
    if documents is None:
        return read_crontab(
            text, time_zone=time_zone, with_user=with_user or is_system_crontab(text)
        )
    try:
        return _of_documents(documents, now, time_zone)
    except RecursionError as error:  # an alias of YAML inside of what it stands for
        raise CliError(Exit.REFUSED, "a YAML alias contains itself", "correct it") from error


def _of_documents(documents: list[Any], now: datetime, time_zone: str | None) -> Imported:
    """Return the schedules in the documents of a file."""
    if jobs := cron_jobs(documents):
        return read_cron_jobs(jobs, time_zone=time_zone)
    if entries := eventbridge_entries(documents):
        return read_eventbridge(entries, now=now, time_zone=time_zone)
    if triggers := factory_triggers(documents):
        return read_triggers(triggers, now=now)
    raise CliError(Exit.REFUSED, "it contains no schedule", f"recur import reads {KNOWN}")


def _documents(text: str) -> list[Any] | None:
    """
    Return the documents of a file of JSON or YAML; None if it is neither.

    Raises:
        CliError: It begins as one of the two, and cannot be read.
    """
    if text.lstrip().startswith(("{", "[")):
        try:
            read = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _unreadable("JSON", error) from error
        return read if isinstance(read, list) else [read]
    if not any(line.lstrip().startswith(_MARKS_OF_YAML) for line in text.splitlines()):
        return None
    import yaml  # noqa: PLC0415 - no other command needs it

    try:
        return list(yaml.safe_load_all(text))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date of no month
        raise _unreadable("YAML", error) from error


def _unreadable(form: str, error: Exception) -> CliError:
    told = " ".join(str(error).split())
    return CliError(Exit.REFUSED, f"it looks like {form}, but cannot be read: {told}", "correct it")
