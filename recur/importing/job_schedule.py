"""A job schedule of Batch's own kind, as the table of a document."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self, cast

from orchestrator.document.dialects.reading import quoted
from orchestrator.document.durations import parse_duration, spelt
from recur.importing.tables import (
    NO_COMMAND,
    Imported,
    Table,
    checked,
    described,
    inline_table,
    schedule_id,
    toml_text,
)

type _Json = Mapping[str, Any]

SYSTEM: Final = "a job schedule of Azure Batch"
ONCE_EVERY: Final = timedelta(days=1)
"""The interval of a table that is due once: its ``end`` follows at once."""

_SECOND: Final = timedelta(seconds=1)
_UNLIMITED: Final = "P10675199D"
_SHORTEST_WINDOW, _LONGEST_WINDOW = timedelta(minutes=5), timedelta(days=400)
_LONGEST_INTERVAL: Final = timedelta(days=366)
_LONGEST_RUN: Final = timedelta(days=180)
_MOST_RETRIES: Final = 10
_SHELLS: Final = frozenset({"sh", "/bin/sh", "/usr/bin/sh"})
_SCRIPT_WORDS: Final = 3
_SPECIAL: Final = frozenset("$`*?[]{}~;&|<>()#!\\\"' \t\n=%")
_CMD: Final = re.compile(r"\s*cmd(?:\.exe)?\s+/c\s+(?P<command>\S.*)", re.IGNORECASE | re.DOTALL)
_WINDOWS_PATH: Final = re.compile(r"(?:^|[\s\"'=])[A-Za-z]:\\")
_FRACTION: Final = re.compile(r"(?P<whole>P.*?)(?P<seconds>[0-9]+)(?P<fraction>\.[0-9]+)S")
_OURS: Final = ("RECUR_", "AZ_BATCH_")
_IDENTITY: Final = "AZURE_CLIENT_ID"
_ALWAYS_STORED: Final = ("../std", "../fileupload")
_LEFT_OUT: Final = {
    "resourceFiles": "resourceFiles are left out: put the files into an application package, or download them in the command.",
    "containerSettings": "containerSettings are left out: the command runs on the node itself.",
    "authenticationTokenSettings": "authenticationTokenSettings are left out.",
}
_HAND_OVER: Final = """\
start is its next run. --hand-over updates it and disables the job schedule; after a plain recur apply, both would run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instants:
    """
    When a job schedule is due.

    Attributes:
        next_run: The first instant to come.
        interval: From one to the next; None: it does not recur.
        end: After it no job is made.
        window: How late a job may be; None: until the next instant.
    """

    next_run: datetime | None
    interval: timedelta | None
    end: datetime | None
    window: timedelta | None

    @classmethod
    def read(cls, job_schedule: _Json) -> Self:
        """
        Return the instants of a job schedule, as the service sends it.

        Raises:
            ValueError: A time or a length of time cannot be read.
        """
        schedule = _at(job_schedule, "schedule")
        window = _length(schedule.get("startWindow"))
        return cls(
            next_run=read_time(_at(job_schedule, "executionInfo").get("nextRunTime")),
            interval=_length(schedule.get("recurrenceInterval")),
            end=read_time(schedule.get("doNotRunAfter")),
            window=window,
        )

    def upcoming(self, now: datetime) -> datetime | None:
        """Return the first instant after ``now``, also where the job schedule told an earlier one."""
        if self.next_run is None or self.next_run > now or self.interval is None:
            return self.next_run if self.next_run and self.next_run > now else None
        return self.next_run + ((now - self.next_run) // self.interval + 1) * self.interval


def read_time(text: object) -> datetime | None:
    """Return a time of the service in UTC; None for none."""
    return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None


def to_second(moment: datetime) -> datetime:
    """Return the second in which an instant lies: runs have names by seconds."""
    return moment.replace(microsecond=0)


def _to_whole(length: timedelta) -> timedelta:
    """Return a length of time without its fraction of a second."""
    return length // _SECOND * _SECOND


def read_job_schedule(
    job_schedule: _Json, *, now: datetime, pool: str | None = None
) -> tuple[Imported, Table]:
    """
    Return the table of a job schedule, checked, and what is imported for its document.

    Args:
        job_schedule: As the service sends it.
        now: By the clock of the service.
        pool: Where the runs of the deployment go.
    """
    name = str(job_schedule.get("id", "job-schedule"))
    try:
        table = _table(name, job_schedule, now, pool)
    except (ValueError, OverflowError) as error:
        table = Table(name=name, source=name, refused=f"it cannot be understood: {error}")
    (table,) = checked([replace(table, name=schedule_id(name))])
    return Imported(system=SYSTEM, tables=(table,)), table


def _table(name: str, job_schedule: _Json, now: datetime, pool: str | None) -> Table:
    specification = _at(job_schedule, "jobSpecification")
    manager = _at(specification, "jobManagerTask")
    instants = Instants.read(job_schedule)
    state = str(job_schedule.get("state", "active")).lower()
    start = instants.upcoming(now) if state == "disabled" else instants.next_run
    times, refused, said = _timing(instants, start)
    if state not in {"active", "disabled"}:
        refused = f"it is {state} and makes no more jobs"
    runs, changes = _runs(specification, manager)
    stopped = state == "disabled" or not manager
    description, longer = described(job_schedule.get("displayName"))
    comments = (
        *longer,
        *said,
        *((_HAND_OVER,) if state == "active" else ()),
        *(("It is disabled, so this table is paused.",) if state == "disabled" else ()),
        *changes,
        *_lost(specification, manager, pool),
    )
    return Table(
        name=name,
        source=f"Job schedule {name}",
        keys=(*times, *runs, *description, *((("paused", "true"),) if stopped else ())),
        comments=comments,
        refused=refused,
    )


def _timing(
    instants: Instants, start: datetime | None
) -> tuple[tuple[tuple[str, str], ...], str | None, tuple[str, ...]]:
    """Return the keys of when it is due, why there are none, and what changes."""
    if start is None:
        return (), "it has no next run", ()
    interval, said = instants.interval, []
    if interval is not None and (interval % _SECOND or interval > _LONGEST_INTERVAL):
        return (), "every must be a whole number of seconds, up to 366 days", ()
    first = to_second(start)
    if first != start:
        said.append("Its times have fractions of a second; here they are rounded down.")
    last = instants.end
    end = first + _SECOND if interval is None else last and _first_beyond(last, start - first)
    if interval is None:
        said.append("It does not recur: it is due once.")
    elif last:
        said.append(
            "Batch makes a job that is due exactly at doNotRunAfter, so end is one second later."
        )
    longest = interval or _LONGEST_WINDOW
    window = _to_whole(min(longest, instants.window or longest))
    if window < _SHORTEST_WINDOW:
        said.append(
            f"catch_up.window is at least 5m; in Batch, a job could be at most {spelt(window)} late."
        )
    window = min(max(window, _SHORTEST_WINDOW), _LONGEST_WINDOW)
    said.append(
        "Batch runs one of its jobs at a time, and a job that is due meanwhile waits until the next is due. Here "
        "one run waits as long as needed, and others are skipped."
    )
    return (
        (
            ("every", quoted(spelt(interval or ONCE_EVERY))),
            ("start", toml_time(first)),
            *((("end", toml_time(end)),) if end else ()),
            ("overlap", quoted("queue")),
            ("catch_up", inline_table([("window", quoted(spelt(window)))])),
        ),
        None,
        tuple(said),
    )


def _first_beyond(last: datetime, fraction: timedelta) -> datetime:
    """Return the first second that lies beyond the end for instants with this fraction of a second."""
    second = to_second(last)
    return second + _SECOND if fraction <= last - second else second


def toml_time(moment: datetime) -> str:
    """Return an instant as TOML has it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _runs(specification: _Json, manager: _Json) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what the runs do, and what changes."""
    if not manager:
        said = "It has no job manager task: another program added tasks to its jobs. Write the command to run."
        return [("command", toml_text(NO_COMMAND))], [said]
    command, comments = _command(str(manager.get("commandLine", "")))
    pairs = [("command", toml_text(command))]
    environment, refused = _environment(
        [*_list(specification, "commonEnvironmentSettings"), *_list(manager, "environmentSettings")]
    )
    if environment:
        pairs.append(("environment", inline_table(environment)))
    if refused:
        comments.append(f"Variables that Recur or Batch sets are left out: {', '.join(refused)}.")
    limits, limited = _limits(_at(specification, "constraints"), _at(manager, "constraints"))
    outputs, stored = _outputs(_list(manager, "outputFiles"))
    return [*pairs, *limits, *outputs], [*comments, *limited, *stored]


def _command(line: str) -> tuple[str, list[str]]:
    """Return the command line for a shell: Batch itself has none."""
    try:
        words = shlex.split(line)
    except ValueError:
        return line, ["Its command line cannot be split into words: check it."]
    if found := _CMD.fullmatch(line):
        return found["command"], [
            "It ran on Windows with cmd /c, as commands do here on a Windows pool."
        ]
    if _WINDOWS_PATH.search(line):
        return line.strip(), ["Its command line has a Windows path: it needs a Windows pool."]
    if words and words[0] in _SHELLS and len(words) == _SCRIPT_WORDS and words[1] == "-c":
        return words[2], []
    if shlex.join(words) != line.strip() and any(_SPECIAL & set(word) for word in words):
        said = "Batch runs a command line without a shell, so words that a shell would expand are quoted."
        return shlex.join(words), [said]
    return line.strip(), []


def _environment(entries: Sequence[_Json]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the variables in TOML, those of the task over those of the job, and whose names are taken."""
    found = {str(one.get("name")): str(one.get("value") or "") for one in entries}
    refused = [
        name for name in found if (upper := name.upper()).startswith(_OURS) or upper == _IDENTITY
    ]
    kept = [(name, toml_text(value)) for name, value in found.items() if name not in refused]
    return kept, refused


def _limits(job: _Json, task: _Json) -> tuple[list[tuple[str, str]], list[str]]:
    """Return how long a run may take and how often it is tried again."""
    comments: list[str] = []
    longest = _length(task.get("maxWallClockTime"))
    if longest is None and (longest := _length(job.get("maxWallClockTime"))) is not None:
        comments.append(
            "Its job's maxWallClockTime counted from the job's creation; run_timeout counts from the task's start."
        )
    if longest is None or longest > _LONGEST_RUN:
        comments.append(
            "It had no time limit, so run_timeout is the longest possible. Set a shorter one."
        )
        longest = _LONGEST_RUN
    whole = -(-longest // _SECOND) * _SECOND
    pairs = [("run_timeout", quoted(spelt(whole)))]
    comments.append(
        "Its tasks waited for a node without a limit; here start_timeout is 30m unless you change it."
    )
    retries = int(task.get("maxTaskRetryCount", job.get("maxTaskRetryCount", 0)) or 0)
    if retries:
        tried = min(retries, _MOST_RETRIES) if retries > 0 else _MOST_RETRIES
        if tried != retries:
            comments.append(f"maxTaskRetryCount {retries} becomes {tried}, the maximum of retries.")
        comments.append("Batch retried within the job; here each attempt is a separate job.")
        on = '["lost", "never_started", "failed"]'
        pairs.append(("retries", inline_table([("max", str(tried)), ("on", on)])))
    return pairs, comments


def _outputs(files: Sequence[_Json]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return which files are stored; stdout and stderr are in any case."""
    patterns, comments = list[str](), list[str]()
    for file in files:
        pattern = str(file.get("filePattern", ""))
        container = _at(file, "destination", "container")
        place = str(container.get("containerUrl", "")).partition("?")[0]
        below = f" below {container['path']}" if container.get("path") else ""
        comments.append(
            f"{pattern} went to {place}{below}; here outputs go to Recur's container, one folder for each run."
        )
        if pattern.startswith(_ALWAYS_STORED) or pattern in patterns:
            continue
        if _is_pattern(pattern):
            patterns.append(pattern)
        else:
            comments.append(f"{pattern} is not a valid pattern of outputs and is left out.")
    if not patterns:
        return [], comments
    return [("outputs", f"[{', '.join(toml_text(one) for one in patterns)}]")], comments


def _is_pattern(pattern: str) -> bool:
    keys = (("every", '"1d"'), ("command", '"x"'), ("outputs", f"[{toml_text(pattern)}]"))
    (table,) = checked([Table(name="one", source="", keys=keys)])
    return table.refused is None


def _lost(specification: _Json, manager: _Json, pool: str | None) -> Iterator[str]:
    """Say what has no key here."""
    info = _at(specification, "poolInfo")
    if "autoPoolSpecification" in info:
        yield "autoPoolSpecification is left out: runs go to the pool of the deployment, which scales from zero."
    elif (theirs := str(info.get("poolId", ""))) and theirs != pool:
        yield f"Its jobs went to pool {theirs}; runs go to the pool of the deployment{f', {pool}' if pool else ''}."
    for key in ("jobPreparationTask", "jobReleaseTask"):
        if specification.get(key):
            yield f"{key} is left out."
    if specification.get("priority"):
        yield f"priority {specification['priority']} is left out: all runs have the same priority."
    yield from _lost_of_manager(manager)


def _lost_of_manager(manager: _Json) -> Iterator[str]:
    for key, said in _LEFT_OUT.items():
        if manager.get(key):
            yield said
    if packages := [
        str(one.get("applicationId")) for one in _list(manager, "applicationPackageReferences")
    ]:
        yield f"Its packages ({', '.join(packages)}) are left out: the pool has the packages of recur publish, whose variables have no version in their names."
    if _at(manager, "userIdentity", "autoUser").get("elevationLevel") == "admin":
        yield "It ran as an administrator; tasks here do not."
    if manager.get("killJobOnCompletion") is False:
        yield "Its job went on after its job manager task (killJobOnCompletion); here the job ends with it."
    if manager.get("allowLowPriorityNode") is False:
        yield "It required dedicated nodes (allowLowPriorityNode); here the deployment's pool decides which nodes there are."


def _length(text: object) -> timedelta | None:
    """
    Return a length of time of the service; None for none, or for no limit.

    Raises:
        ValueError: It has another form.
    """
    written, fraction = str(text or ""), timedelta()
    if not text or written.startswith(_UNLIMITED):
        return None
    if found := _FRACTION.fullmatch(written):
        written = f"{found['whole']}{found['seconds']}S"
        fraction = timedelta(seconds=float(found["fraction"]))
    if (length := parse_duration(written)) is None:
        raise ValueError(f"{text} is not a duration that a document can have")
    return length + fraction


def _list(value: _Json, key: str) -> list[_Json]:
    found = value.get(key)
    return (
        [cast("_Json", one) for one in found if isinstance(one, Mapping)]
        if isinstance(found, list)
        else []
    )


def _at(value: _Json, *path: str) -> _Json:
    """Return an object below another; empty where there is none."""
    for key in path:
        below = value.get(key)
        if not isinstance(below, Mapping):
            return {}
        value = cast("_Json", below)
    return value
