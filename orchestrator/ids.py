"""Ids and blob names, and the way back from them."""

import hashlib
import re
from datetime import UTC, datetime
from typing import NewType

ScheduleId = NewType("ScheduleId", str)
"""``^[a-z][a-z0-9-]{0,38}[a-z0-9]$``"""

RunId = NewType("RunId", str)
"""``<schedule>-<YYYYMMDDTHHMMSSZ>`` of the nominal time; also the id of the first Batch job."""


SCHEDULE_ID = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
_RUN_ID = re.compile(rf"(?P<schedule>{SCHEDULE_ID.pattern})-(?P<nominal>\d{{8}}T\d{{6}}Z)")
_TRIGGERED = re.compile(rf"(?P<schedule>{SCHEDULE_ID.pattern})-m[0-9a-f]{{16}}")
REQUEST_ID = re.compile(r"[a-z0-9]{1,64}")
_VERSION = re.compile(r"documents/(?P<number>[1-9][0-9]{0,11})\.toml")
_INSTANT = "%Y%m%dT%H%M%SZ"

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Nominal times, and times that operators ask for, lie in these: beyond them arithmetic ends."""

DOCUMENT = "schedules.toml"
VERSIONS_PREFIX = "documents/"
SUBMIT_STATE = "submit.json"
COLLECT_STATE = "collect.json"
SUMMARIES_PREFIX = "summaries/"
RECENT = "summaries/recent.json"
DAYS_PREFIX = "summaries/days/"
OPEN_PREFIX = "open/"
REQUEST_PREFIX = "open/request/"
HOUSEKEEPING = "open/housekeeping"
"""Bears as metadata where the search for old jobs goes on: the listing of open runs shows it."""

ANSWER_PREFIX = "answers/"
FINAL_PREFIX = "runs/"
MOVED_PREFIX = "history/timings/"
REMOVED_PREFIX = "history/removed/"
FILES = "files/"
"""The folder of the declared outputs below the folder of an attempt's outputs."""


def run_id(schedule: ScheduleId, nominal: datetime) -> RunId:
    """
    Return the id of the run of ``schedule`` at ``nominal``: the name is the lock.

    At most 57 characters, so that an attempt's suffix stays within Batch's 64.
    """
    return RunId(f"{schedule}-{nominal.astimezone(UTC).strftime(_INSTANT)}")


def trigger_id(schedule: ScheduleId, key: str) -> RunId:
    """
    Return the id of the run that an operator's trigger with this key makes.

    An id space of its own: a trigger never takes the place of an occurrence.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()
    return RunId(f"{schedule}-m{digest[:16]}")


def parse_run_id(text: str) -> tuple[ScheduleId, datetime | None] | None:
    """
    Return the schedule and the nominal time of a run id, or None if it is none.

    None as well for a time that no schedule reaches. The id of a trigger's run does not tell its nominal time. A prefix would not do to tell the
    schedule: ``a-`` is the beginning of ids of schedule ``a`` and of ``a-b``.
    """
    if triggered := _TRIGGERED.fullmatch(text):
        return ScheduleId(triggered["schedule"]), None
    match = _RUN_ID.fullmatch(text)
    if match is None:
        return None
    try:
        nominal = datetime.strptime(match["nominal"], _INSTANT).replace(tzinfo=UTC)
    except ValueError:
        return None
    if not FIRST_YEAR <= nominal.year <= LAST_YEAR:
        return None
    return ScheduleId(match["schedule"]), nominal


def job_id(run: RunId, attempt: int) -> str:
    """Return the Batch job id of an attempt, the first being 1."""
    return run if attempt == 1 else f"{run}-r{attempt}"


def kept_blob(name: str, modified: datetime, data: bytes) -> str:
    """
    Return the name under which a blob that cannot be read is kept beside its successor.

    The same blob is kept once: the name is made of its time and its content.
    """
    stem = name.removesuffix(".json")
    digest = hashlib.sha256(data).hexdigest()
    return f"{stem}.{modified.astimezone(UTC).strftime(_INSTANT)}.{digest[:8]}.json"


def version_blob(number: int) -> str:
    """Return the name of a version of the document."""
    return f"{VERSIONS_PREFIX}{number}.toml"


def version_number(blob: str) -> int | None:
    """Return the number in the name of a version; None for any other name."""
    match = _VERSION.fullmatch(blob)
    return int(match["number"]) if match else None


def open_blob(run: RunId) -> str:
    """Return the name of the record of a run that is not final."""
    return f"{OPEN_PREFIX}{run}.json"


def open_run_id(blob: str) -> RunId | None:
    """Return the run of an open record's name; None for anything else below ``open/``."""
    name = blob.removeprefix(OPEN_PREFIX).removesuffix(".json")
    return RunId(name) if parse_run_id(name) else None


def request_blob(request_id: str) -> str:
    """Return the name of a request."""
    return f"{REQUEST_PREFIX}{request_id}.json"


def open_request_id(blob: str) -> str | None:
    """Return the id of a request's blob; None for anything else below ``open/``."""
    if not blob.startswith(REQUEST_PREFIX):
        return None
    name = blob.removeprefix(REQUEST_PREFIX).removesuffix(".json")
    return name if REQUEST_ID.fullmatch(name) else None


def answer_blob(request_id: str) -> str:
    """Return the name of the answer to a request."""
    return f"{ANSWER_PREFIX}{request_id}.json"


def final_run_id(blob: str) -> RunId | None:
    """Return the run of a final record's name, of a range its first; None for any other name."""
    if not blob.startswith(FINAL_PREFIX):
        return None
    name = blob.rpartition("/")[2].removesuffix(".json").partition("+")[0]
    return RunId(name) if parse_run_id(name) else None


def blob_of(run: RunId) -> str:
    """Return the name of the final record of a run; raises ValueError for what is no run id."""
    parsed = parse_run_id(run)
    if parsed is None:
        raise ValueError(f"{run!r} is no run id")
    schedule, nominal = parsed
    return final_blob(schedule, nominal, run) if nominal else triggered_blob(schedule, run)


def triggered_blob(schedule: ScheduleId, run: RunId) -> str:
    """Return the name of the final record of a trigger's run."""
    return f"{FINAL_PREFIX}{schedule}/triggered/{run}.json"


def final_blob(schedule: ScheduleId, nominal: datetime, run: RunId, *, count: int = 1) -> str:
    """Return the name of a final record; ``count`` above 1 makes it a range's."""
    suffix = "" if count == 1 else f"+{count}"
    return f"{FINAL_PREFIX}{schedule}/{nominal:%Y/%m}/{run}{suffix}.json"


def moved_blob(newest: datetime, digest: str) -> str:
    """Return the name of what was moved out of submit.json together: in the order of its time."""
    return f"{MOVED_PREFIX}{newest.astimezone(UTC).strftime(_INSTANT)}-{digest[:16]}.json"


def moved_until(blob: str) -> datetime | None:
    """Return the time in the name of such a blob; None if it has none."""
    text = blob.removeprefix(MOVED_PREFIX).partition("-")[0]
    try:
        return datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)
    except ValueError:
        return None


def removed_blob(schedule: ScheduleId) -> str:
    """Return the name of the last state of a removed schedule."""
    return f"{REMOVED_PREFIX}{schedule}.json"


def output_prefix(schedule: ScheduleId, nominal: datetime, run: RunId, attempt: int) -> str:
    """Return the folder of an attempt's outputs, with the closing slash."""
    folder = f"{schedule}/{nominal:%Y/%m}/{run}/"
    return folder if attempt == 1 else f"{folder}r{attempt}/"
