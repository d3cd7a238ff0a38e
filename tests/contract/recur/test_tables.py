"""The tables of every command that lists, over a ledger with the longest ids and hostile texts."""

import csv
import json
import re
from datetime import timedelta
from io import StringIO
from itertools import takewhile
from pathlib import Path

import pytest
from rich.cells import cell_len

from orchestrator import ids
from orchestrator.decisions.last_words import escape_controls
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import RunId, ScheduleId
from orchestrator.ledger.record import Action, How, LastWords, Output
from orchestrator.ledger.request import Request, RequestKind, dump_request
from orchestrator.model import About, Timing
from recur.commands import LISTS
from tests.support.history_world import Past, nights, past
from tests.support.records import BOGOTA, decided, ran, replaced

__all__ = ["past"]

LONG = ScheduleId("a-schedule-whose-id-has-40-characters-xy")
HOSTILE = "\x1b[2J\u202eowned\nnightly  2030-01-01 00:00Z  succeeded"
DOCUMENT = f"""
[schedules.{LONG}]
cron = "30 2 * * *"
time_zone = "America/Bogota"
command = "true"
owner = "the data platform team, which sits on the second floor"
tags = ["finance", "night"]
paused = true

[schedules.short]
every = "1h"
command = "true"
"""
REQUEST = "5f0c2b7e9d3a4c1f8e6b7a5d4c3b2a19"
RUN = ids.run_id(LONG, nights(3))
COMMANDS = {
    "answer": (),
    "costs": ("--month", f"{nights(3):%Y-%m}"),
    "document": ("--log",),
    "gaps": (),
    "logs": (RUN, "--outputs"),
    "next": (LONG,),
    "rehearse": ("FILE", "--duration", "1h", "--days", "1"),
    "runs": (),
}
ROW = re.compile(rf"{LONG}|short\b|all\b|{REQUEST}|\d|files/|stdout.txt")
LONGEST = dict.fromkeys(COMMANDS, RUN) | {"logs": escape_controls(f"files/{HOSTILE}.csv")}
"""What may be wider than a terminal, since it is copied."""

FIRST = frozenset({"SCHEDULE", "RUN", "REQUEST", "VERSION", "PATH", "WALL"})


@pytest.fixture
def told(past: Past, tmp_path: Path) -> Past:
    """Return a ledger in which everything is long, and most of it is somebody else's text."""
    file = tmp_path / "schedules.toml"
    file.write_text(DOCUMENT)
    assert past.recur("apply", str(file), "--note", "why " * 40, "--by", "eva " * 9).code == 0
    past.timings(Timing(since=nights(9), recurrence=BOGOTA), decided_until=nights(1), schedule=LONG)
    failed = ran(nights(3), Outcome.FAILED, Reason.EXIT_CODE, schedule=LONG)
    failed = failed.with_attempt(replaced(failed.attempt, task_seconds=1800.0, pool="recur"))
    path = f"files/{HOSTILE}.csv"
    past.put(
        replaced(
            failed,
            sentence=HOSTILE,
            about=About(tags=("finance", HOSTILE)),
            last_words=LastWords(stderr=HOSTILE),
            outputs=(Output(path=path, how=How.MISSING, why=HOSTILE),),
        ),
        decided(
            nights(2),
            Action.SKIPPED,
            reason="overlap",
            because=RunId(RUN),
            schedule=LONG,
        ),
    )
    prefix = ids.output_prefix(LONG, nights(3), RunId(RUN), 1)
    past.outputs.upload_blob(f"{prefix}stdout.txt", b"hello")
    request = Request(id=REQUEST, kind=RequestKind.TRIGGER, schedule=LONG, by=HOSTILE, key="key")
    past.ledger.upload_blob(ids.request_blob(REQUEST), dump_request(request))
    return past


def table_of(out: str) -> list[str]:
    """Return the lines of a table, from its heading on to where it ends."""
    lines = re.sub(r"\x1b\[\d*m", "", out).splitlines()
    begin = next(n for n, line in enumerate(lines) if FIRST & {*line.split()[:1]})
    table = [lines[begin], *takewhile(ROW.match, lines[begin + 1 :])]
    assert len(table) >= 2
    return table


def arguments(name: str, folder: Path) -> list[str]:
    file = str(folder / "schedules.toml")
    return [name, *(file if one == "FILE" else one for one in COMMANDS[name])]


def test_every_command_that_lists_is_here() -> None:
    """A new one needs its arguments; recur status needs Batch, and has its own tests."""
    assert COMMANDS.keys() == LISTS - {"status"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_tables_fit_a_terminal_of_any_width(
    told: Past, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line of them is wider, but for an id that is; and no cell has a second line."""
    typed = arguments(name, tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    whole = table_of(told.recur(*typed).out)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    for width in (40, 80):
        monkeypatch.setenv("COLUMNS", str(width))

        table = table_of(told.recur(*typed).out)

        assert [line.split()[0] for line in table] == [line.split()[0] for line in whole]
        assert max(map(cell_len, table)) <= max(width, len(LONGEST[name]))
    assert max(map(cell_len, whole)) > 80 or name in {"costs", "answer"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_programs_get_the_same_keys_in_each_form(told: Past, name: str, tmp_path: Path) -> None:
    """The heading of the CSV is what the JSON lines hold, and no text breaks a line."""
    typed = arguments(name, tmp_path)

    rows = list(csv.reader(StringIO(told.recur("-o", "csv", *typed).out)))
    lines = [json.loads(line) for line in told.recur("-o", "jsonl", *typed).out.splitlines()]

    assert lines
    assert len(rows) == len(lines) + 1
    for line in lines:
        assert rows[0] == [*line]
    assert {len(row) for row in rows} == {len(rows[0])}


def test_a_list_of_nothing_has_a_heading_for_programs(past: Past) -> None:
    """Also where people read a sentence."""
    since = (nights(1) - timedelta(days=1)).isoformat()

    told_by_csv = past.recur("-o", "csv", "runs", "--since", since)

    assert told_by_csv.out.startswith("run_id,schedule,nominal,local,")
    assert past.recur("-o", "csv", "answer").out == "id,made,request\n"
