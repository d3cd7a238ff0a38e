"""What the kill table plays through of collecting: tasks that write, outputs that are missing."""

import json
from typing import Final

from tests.proof.scenarios import (
    SCENARIOS,
    Scenario,
    Step,
    at,
    both,
    document,
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
            document(nodes=None),
            the_other_app_collects,
        ),
        {at("12:00"): "lost(account_left)"},
        adopts=frozenset({1}),
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
