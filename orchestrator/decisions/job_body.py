"""The Batch job of one attempt, in REST spelling: a pure function of the record and settings."""

import shlex
from datetime import timedelta
from itertools import takewhile
from typing import Any

from pydantic import TypeAdapter

from orchestrator import __version__
from orchestrator.batch_state import (
    ATTEMPT_KEY,
    CLAIM_KEY,
    LEDGER_KEY,
    RUN_ID_KEY,
    TASK_ID,
    JobPlace,
    Pool,
)
from orchestrator.ids import FILES
from orchestrator.ledger.record import Record

# A package that a pool references by version has only a variable with the version in its name.
# `recur publish` makes versions of this form: v and 12 hex digits. The schedule's own PATH may not lead to
# env and sed, or to others of these names; the assignment ends with the subshell.
PRELUDE = (
    'eval "$(PATH=/usr/bin:/bin${PATH:+:$PATH}; env | sed -n '
    r"'s/^\(AZ_BATCH_APP_PACKAGE_[A-Za-z0-9_]*\)\(_v[0-9a-f]\{12\}\)=.*/export \1=\"$\1\2\"/p'"
    ')"'
)

# The same for Windows, where the variable is NAME#version. Only the inner shell sees the command: put
# into the line itself, it would be cut apart at the quotes and ampersands that it holds. A shell that was
# started looks for `cmd` by the schedule's PATH; ComSpec names it.
_WINDOWS_LINE = (
    'cmd /v:on /c "(for /f "tokens=1,2* delims=#=" %a in (\'set AZ_BATCH_APP_PACKAGE_\') '
    'do @if not "%c"=="" set "%a=%c") & %ComSpec% /c "!RECUR_COMMAND!""'
)
_NODE_FILES = timedelta(days=1)
_KILL_SWITCH = timedelta(days=1)
_DURATION = TypeAdapter(timedelta)


def job(record: Record, place: JobPlace, pool: Pool) -> dict[str, Any]:
    """
    Return the body of ``POST /jobs`` for the attempt in hand.

    Args:
        record: What is to run.
        place: Where, and where its outputs go.
        pool: Whose nodes run it: their system, and the identity of the jobs.

    The job lives a day longer than both timeouts together: if nothing else ends it, that does,
    since active jobs eat a quota.
    """
    assert record.task is not None, "only a claimed run has a job"  # noqa: S101
    task, attempt = record.task, record.attempt
    environment = {**task.environment, "RECUR_ATTEMPT": str(attempt.number)}
    if pool.job_client_id:
        environment["AZURE_CLIENT_ID"] = pool.job_client_id
    if pool.windows:
        environment["RECUR_COMMAND"] = task.command
    return {
        "id": attempt.job_id,
        "poolInfo": {"poolId": place.pool_id},
        "constraints": {
            "maxWallClockTime": _iso(task.start_timeout + task.run_timeout + _KILL_SWITCH),
            "maxTaskRetryCount": 0,
        },
        "metadata": [{"name": name, "value": value} for name, value in _metadata(record).items()],
        "jobManagerTask": {
            "id": TASK_ID,
            "commandLine": _WINDOWS_LINE if pool.windows else command_line(task.command),
            "killJobOnCompletion": True,
            "runExclusive": False,
            "allowLowPriorityNode": True,
            "constraints": {
                "maxWallClockTime": _iso(task.run_timeout),
                "maxTaskRetryCount": 0,
                "retentionTime": _iso(_NODE_FILES),
            },
            "environmentSettings": [
                {"name": name, "value": value} for name, value in sorted(environment.items())
            ],
            "outputFiles": [
                _output_file(f"../{name}", f"{record.output_prefix}{name}", place)
                for name in ("stdout.txt", "stderr.txt")
            ]
            + [
                _output_file(pattern, f"{record.output_prefix}{_target(pattern)}", place)
                for pattern in task.outputs
            ],
        },
    }


def _metadata(record: Record) -> dict[str, str]:
    """Return what tells the job from any other; a record of an earlier version has less of it."""
    ids = {LEDGER_KEY: record.ledger, CLAIM_KEY: record.claim}
    return {
        RUN_ID_KEY: record.run_id,
        ATTEMPT_KEY: str(record.attempt.number),
        "recur_version": __version__,
        **{name: value for name, value in ids.items() if value},
    }


def command_line(command: str) -> str:
    """
    Return the command line that gives ``command`` to a shell, after the fixed first line.

    Batch starts a program, not a shell: it splits the line into words by their quotes and expands
    nothing.
    """
    return f"/bin/sh -c {shlex.quote(f'{PRELUDE}\n{command}')}"


def _target(pattern: str) -> str:
    """
    Return where files go, so that each keeps its path below the working directory.

    A pattern without a wildcard names its blob. One with a wildcard has a folder, to which Batch
    adds what matches below the folders without one.

    Source: the description of OutputFileBlobContainerDestination.path in the Batch API.
    """
    folders = pattern.split("/")
    plain = [*takewhile(lambda name: not any(sign in name for sign in "*?["), folders)]
    return FILES + "/".join(plain) if plain else FILES.rstrip("/")


def _output_file(pattern: str, path: str, place: JobPlace) -> dict[str, Any]:
    return {
        "filePattern": pattern,
        "destination": {
            "container": {
                "containerUrl": place.outputs_url,
                "path": path,
                "identityReference": {"resourceId": place.node_identity},
            }
        },
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }


def _iso(duration: timedelta) -> str:
    return str(_DURATION.dump_python(duration, mode="json"))
