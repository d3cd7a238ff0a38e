"""Manifests of Kubernetes' CronJobs, in YAML or JSON."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, cast

from orchestrator.document.dialects.lines import kubernetes_cron
from orchestrator.document.dialects.reading import Dialect, quoted
from orchestrator.document.dialects.recognition import NICKNAMES, readings
from orchestrator.document.durations import spelt
from recur.importing.tables import (
    DST,
    NO_COMMAND,
    Imported,
    Table,
    guarded,
    inline_table,
    timing,
    toml_text,
)

_THEIRS = frozenset({Dialect.KUBERNETES, Dialect.GO, Dialect.CRONTAB})
_OVERLAPS = {"Allow": "allow", "Forbid": "skip", "Replace": "replace"}
_MOST_RETRIES = 10
_LONGEST_TASK = timedelta(days=180)
_SHORTEST_WINDOW = 300
_SHELLS = frozenset({"sh", "/bin/sh", "/usr/bin/sh"})
_SCRIPT_WORDS = 3
_REFERENCE = re.compile(r"\$\(([A-Za-z_][A-Za-z0-9_]*)\)")
_IMAGE = """\
A container's image, resources and volumes have no equivalent: the command runs on a node of the
pool, with its application packages."""
_RETRIES = "Without backoffLimit Kubernetes retries 6 times; here retries sets how often, and the default is 0."

type _Json = Mapping[str, Any]


def cron_jobs(documents: Sequence[object]) -> list[_Json]:
    """Return the CronJobs among the documents of a file, also those in a List."""
    found: list[_Json] = []
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        one = cast("_Json", document)
        if one.get("kind") == "CronJob":
            found.append(one)
        elif str(one.get("kind", "")).endswith("List") and isinstance(one.get("items"), list):
            found += cron_jobs(one["items"])
    return found


def read_cron_jobs(jobs: Sequence[_Json], *, time_zone: str | None) -> Imported:
    """
    Return the schedules of CronJobs.

    Args:
        jobs: Their manifests.
        time_zone: Of the controller, for those without ``timeZone``.
    """
    tables = tuple(guarded(_name(job), _name(job), partial(_table, job, time_zone)) for job in jobs)
    return Imported(system="CronJobs of Kubernetes", tables=tables, comments=(_IMAGE, _RETRIES))


def _table(job: _Json, time_zone: str | None) -> Table:
    name = _name(job)
    spec = _at(job, "spec")
    line = str(spec.get("schedule", ""))
    zone = spec.get("timeZone") or time_zone
    keys, refused, changes = _timing(line, str(zone) if zone else None)
    pod = _at(spec, "jobTemplate", "spec", "template", "spec")
    runs, comments = _runs(pod)
    policies = [*_policies(spec), *_limits(_at(spec, "jobTemplate", "spec"))]
    paused = bool(spec.get("suspend")) or ("command", toml_text(NO_COMMAND)) in runs
    return Table(
        name=name,
        source=f"CronJob {name}: {line}",
        keys=(*keys, *runs, *policies, *([("paused", "true")] if paused else [])),
        comments=(*changes, *comments, *_lost(spec, pod)),
        refused=refused,
    )


def _name(job: _Json) -> str:
    return str(_at(job, "metadata").get("name", "job"))


def _timing(
    line: str, zone: str | None
) -> tuple[tuple[tuple[str, str], ...], str | None, tuple[str, ...]]:
    """Return the keys of a schedule, or why there are none, and what changes."""
    expression = NICKNAMES.get(line.strip().lower(), line)
    found = [
        *kubernetes_cron(expression),
        *(one for one in readings(line) if one.dialect in _THEIRS),
    ]
    if not found:
        return (), f"{line!r} is not a line of Kubernetes", ()
    reading = found[0]
    reading = replace(reading, time_zone=reading.time_zone or zone)
    return *timing(reading, dst=DST[Dialect.KUBERNETES]), reading.changes


def _runs(pod: _Json) -> tuple[list[tuple[str, str]], list[str]]:
    """Return command and environment of the first container, and what is to be said of them."""
    containers = [one for one in pod.get("containers") or [] if isinstance(one, Mapping)]
    if not containers:
        return [("command", toml_text(NO_COMMAND))], ["It has no container."]
    container = cast("_Json", containers[0])
    comments = [f"Its image was {container.get('image', 'not named')}."]
    if len(containers) > 1 or pod.get("initContainers"):
        comments.append("Its other containers are left out.")
    words = [*_words(container.get("command")), *_words(container.get("args"))]
    if not container.get("command"):
        told = f" with the arguments {shlex.join(words)}" if words else ""
        comments.append(
            f"Its command is that of the image{told}: write it here, then unpause the table."
        )
        command = NO_COMMAND
    elif len(words) == _SCRIPT_WORDS and words[0] in _SHELLS and words[1] == "-c":
        command = words[2]
    else:
        command = shlex.join(words)
    if _refers(words, container):
        comments.append("Kubernetes expands $(NAME) in it; the shell here expands $NAME.")
    if container.get("workingDir"):
        comments.append(f"It started in the folder {container['workingDir']}.")
    pairs = [("command", toml_text(command))]
    environment, missing = _environment(container.get("env") or [])
    if environment:
        pairs.append(("environment", inline_table(environment)))
    if referring := [name for name, value in environment if _refers([value], container)]:
        comments.append(
            f"Kubernetes expands $(NAME) in {', '.join(referring)}; Recur does not: write the value."
        )
    if missing or container.get("envFrom"):
        names = f": {', '.join(missing)}" if missing else ""
        comments.append(f"Variables from secrets and config maps are left out{names}.")
    return pairs, comments


def _refers(texts: Sequence[str], container: _Json) -> bool:
    """Whether Kubernetes replaces ``$(NAME)`` in texts: it leaves what is no variable, as ``$(date)``."""
    given = {str(one.get("name")) for one in container.get("env") or [] if isinstance(one, Mapping)}
    found = {name for text in texts for name in _REFERENCE.findall(text)}
    return bool(found and (container.get("envFrom") or found & given))


def _words(value: object) -> list[str]:
    """Return the words of a command or of its arguments."""
    words = cast("list[object]", value) if isinstance(value, list) else [value] if value else []
    return [str(one) for one in words]


def _environment(entries: Sequence[object]) -> tuple[list[tuple[str, str]], list[str]]:
    """
    Return the variables with values in TOML, and the names of those whose values are elsewhere.

    Of a variable that is given twice, Kubernetes takes the last.
    """
    found: dict[str, str | None] = {}
    for entry in entries:
        if isinstance(entry, Mapping):
            one = cast("_Json", entry)
            value = None if "valueFrom" in one else toml_text(str(one.get("value", "")))
            found[str(one.get("name"))] = value
    values = [(name, value) for name, value in found.items() if value is not None]
    return values, [name for name, value in found.items() if value is None]


def _policies(spec: _Json) -> Iterator[tuple[str, str]]:
    """Yield what happens to an occurrence that is late or in the way of another."""
    policy = str(spec.get("concurrencyPolicy") or "Allow")
    yield "overlap", quoted(_OVERLAPS.get(policy, "allow"))
    deadline = spec.get("startingDeadlineSeconds")
    if isinstance(deadline, int) and deadline >= _SHORTEST_WINDOW:
        yield "catch_up", inline_table([("window", quoted(spelt(timedelta(seconds=deadline))))])


def _limits(job: _Json) -> Iterator[tuple[str, str]]:
    """Yield how long a run may take, and how often it is tried again."""
    deadline = job.get("activeDeadlineSeconds")
    if isinstance(deadline, int) and deadline <= _LONGEST_TASK.total_seconds():
        yield "run_timeout", quoted(spelt(timedelta(seconds=deadline)))
    limit = job.get("backoffLimit")
    if isinstance(limit, int) and limit > 0:
        on = '["lost", "never_started", "failed"]'
        yield "retries", inline_table([("max", str(min(limit, _MOST_RETRIES))), ("on", on)])


def _lost(spec: _Json, pod: _Json) -> Iterator[str]:
    """Say what has no key here."""
    job = _at(spec, "jobTemplate", "spec")
    deadline = spec.get("startingDeadlineSeconds")
    if isinstance(deadline, int) and deadline < _SHORTEST_WINDOW:
        yield f"startingDeadlineSeconds {deadline} is left out: catch_up.window is at least 300s."
    for key in ("parallelism", "completions"):
        if isinstance(job.get(key), int) and job[key] > 1:
            yield f"{key} {job[key]} is left out: a run here has one task."
    longest = job.get("activeDeadlineSeconds")
    if isinstance(longest, int) and longest > _LONGEST_TASK.total_seconds():
        yield f"activeDeadlineSeconds {longest} is left out: a task can run at most 180 days."
    if isinstance(job.get("backoffLimit"), int) and job["backoffLimit"] > _MOST_RETRIES:
        yield f"backoffLimit {job['backoffLimit']} becomes {_MOST_RETRIES}, the maximum of retries."
    if pod.get("serviceAccountName"):
        yield f"It ran as the service account {pod['serviceAccountName']}."


def _at(value: _Json, *path: str) -> _Json:
    """Return an object below another; empty where there is none."""
    for key in path:
        below = value.get(key)
        if not isinstance(below, Mapping):
            return {}
        value = cast("_Json", below)
    return value
