"""What the kill table plays through of collecting: tasks that write, outputs that are missing."""

import json
from dataclasses import replace
from typing import Final

from orchestrator.ids import open_run_id
from orchestrator.ledger.record import Record, dump, load, metadata
from tests.proof.scenarios import (
    SCENARIOS,
    Scenario,
    Step,
    at,
    both,
    document,
    jobs_end,
    passes,
    since,
    table,
)
from tests.proof.stage import ELSEWHERE, Stage

WRITES: Final = (
    r"mkdir report; printf 'a;b\r\n' > report/a.csv; head -c 4200000 /dev/zero > large.bin; "
    r"printf 'caf\303\251 \000\377'; echo oh >&2; "
)
"""A command that leaves two files, one of two blocks, and bytes that are no text."""

_OUTPUTS: Final = '["report/*.csv", "large.bin"]'


def writes(exit_code: int = 0, **keys: str) -> Step:
    """Let the schedule ``one`` have a run at noon that writes, and then ends with this code."""
    command = json.dumps(f"{WRITES}exit {exit_code}")
    return document(
        table("one", "0 * * * *", command=command, outputs=_OUTPUTS, start=since(), **keys)
    )


async def tasks_end(stage: Stage) -> None:
    """Let a node come, and run whatever waits to its end."""
    await stage.tasks_end()


async def node_leaves(stage: Stage) -> None:
    """Let the node go, with all its files."""
    await stage.resize(0)


def not_pushed(*names: str) -> Step:
    """Let the node have pushed everything but outputs whose paths end so."""

    async def step(stage: Stage) -> None:
        for name in await stage.stored():
            if name.endswith(names):
                await stage.outputs.delete_blob(name)

    return step


async def the_other_app_collects(stage: Stage) -> None:
    """Let the app of the account to which the ledger went do its work."""
    for _ in range(2):
        told = await stage.tick("collect", ELSEWHERE)
        assert "failed" not in told, told


async def an_earlier_version_wrote_it(stage: Stage) -> None:
    """Let the open records not say in which account their jobs are."""
    for name, record in open_records(stage).items():
        attempt = replace(record.attempt, account=None)
        await write(stage, name, record.with_attempt(attempt))


async def metadata_are_lost(stage: Stage) -> None:
    """Let somebody copy the open records without their metadata."""
    for name in open_records(stage):
        await stage.desk.upload_blob(name, stage.blobs[name], overwrite=True)


async def jobs_are_disabled(stage: Stage) -> None:
    """Let somebody disable all jobs."""
    for id_ in await stage.jobs():
        await stage.disable(id_)


async def jobs_are_enabled(stage: Stage) -> None:
    """Let somebody enable them again."""
    for id_ in await stage.jobs():
        await stage.enable(id_)


def open_records(stage: Stage) -> dict[str, Record]:
    """Return the open records by the names of their blobs."""
    names = [name for name in stage.blobs if open_run_id(name)]
    return {name: load(stage.blobs[name]) for name in names}


async def write(stage: Stage, name: str, record: Record) -> None:
    """Put a record in the place of an open one."""
    await stage.desk.upload_blob(name, dump(record), metadata=metadata(record), overwrite=True)


async def results_are_lost(stage: Stage) -> None:
    """Let somebody remove what the collector knows, and its summaries."""
    for name in [one for one in stage.blobs if one.startswith(("collect.", "summaries/"))]:
        await stage.desk.delete_blob(name)


async def results_are_damaged(stage: Stage) -> None:
    """Let something else stand in the place of what the collector knows."""
    await stage.desk.upload_blob("collect.json", b"{", overwrite=True)


_ALL: Final = ("stdout.txt", "stderr.txt", "a.csv", "large.bin")

COLLECTING: Final[dict[str, Scenario]] = {
    "it writes": Scenario((writes(), tasks_end), {at("12:00"): "succeeded(exit_zero)"}),
    "its node pushes nothing": Scenario(
        (writes(3), both(tasks_end, not_pushed(*_ALL))), {at("12:00"): "failed(exit_code)"}
    ),
    "its node pushes nothing and is gone": Scenario(
        (writes(3), both(tasks_end, not_pushed("stdout.txt", "a.csv"), node_leaves)),
        {at("12:00"): "failed(exit_code)"},
    ),
    "it fails and is tried again": Scenario(
        (
            writes(3, retries='{ max = 1, on = ["failed"] }'),
            both(tasks_end, not_pushed("stderr.txt")),
            both(node_leaves, passes(minutes=2)),
            tasks_end,
        ),
        {at("12:00"): "failed(exit_code) at attempt 2"},
    ),
    "its account is left": Scenario(
        (
            document(table("one", "0 * * * *", start=since())),
            both(document(nodes=None), an_earlier_version_wrote_it),
            the_other_app_collects,
        ),
        {at("12:00"): "lost(account_left)"},
        first={1: "adopt"},
    ),
    "its metadata are lost": Scenario(
        (
            document(table("one", "0 * * * *", start=since())),
            metadata_are_lost,
            jobs_end,
        ),
        {at("12:00"): "terminated(ended_in_batch)"},
    ),
    "its job is disabled": Scenario(
        (
            document(table("one", "0 * * * *", command='"true"', start=since())),
            jobs_are_disabled,
            both(jobs_are_enabled, tasks_end),
        ),
        {at("12:00"): "succeeded(exit_zero)"},
    ),
    "its results are lost": Scenario(
        (writes(), tasks_end, both(results_are_lost, passes(hours=1)), tasks_end),
        {at("12:00"): "succeeded(exit_zero)", at("13:00"): "succeeded(exit_zero)"},
    ),
    "its results are damaged": Scenario(
        (writes(3), tasks_end, both(results_are_damaged, passes(minutes=16))),
        {at("12:00"): "failed(exit_code)"},
    ),
}

ALL: Final = SCENARIOS | COLLECTING
"""The stories of both passes."""
