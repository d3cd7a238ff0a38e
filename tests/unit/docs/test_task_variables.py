"""workload/README.md lists what a task knows of its run: the variables, and what Python makes of them."""

import re
import runpy
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from orchestrator.batch_state import JobPlace, Pool
from orchestrator.decisions import claims
from orchestrator.decisions.job_body import job
from orchestrator.ledger.results import CollectState, ScheduleResults
from orchestrator.ledger.state import ScheduleState
from orchestrator.model import Occurrence, Timing
from tests.support.hourly import HOUR, HOURLY, NOON, STATE
from tests.support.schedules import ID, schedule

_ROOT = Path(__file__).parents[3]
_ROW = re.compile(
    r"^\| `((?:RECUR|AZURE)_\w+)` \| (?:`(\w+)`)? ?\| [^|]+ \| ([^|]+) \|$", re.MULTILINE
)
_ROWS = _ROW.findall((_ROOT / "workload/README.md").read_text())
_MODULE: Mapping[str, Any] = runpy.run_path(
    str(_ROOT / "workload/pythonsetup/modules/recur_run.py")
)
_PLACE = JobPlace(pool_id="recur", outputs_url="https://data.example/outputs", node_identity="/id")
_POOL = Pool(state="active", packages={}, image=None, target=0, current=0)
_EVERYTHING = replace(_POOL, job_client_id="1234", windows=True)


def _variables(state: ScheduleState, results: ScheduleResults, pool: Pool) -> dict[str, str]:
    """Return the variables of a task of a schedule without an environment of its own."""
    record = claims.scheduled(
        schedule(),
        Occurrence(nominal=NOON),
        state,
        CollectState(schedules={ID: results}),
        after=None,
        now=NOON,
    )
    settings = job(record, _PLACE, pool)["jobManagerTask"]["environmentSettings"]
    return {one["name"]: one["value"] for one in settings}


_ALL = _variables(STATE, ScheduleResults(last_success=NOON - HOUR, known=False), _EVERYTHING)


def test_every_variable_of_a_task_is_listed() -> None:
    """And no other is."""
    assert sorted(name for name, _, _ in _ROWS) == sorted(_ALL)


def test_what_may_be_missing_is_marked() -> None:
    """The first run of a schedule on a Linux pool without an identity has only the others."""
    first = ScheduleState(timings=(Timing(since=NOON, recurrence=HOURLY),), decided_until=NOON)

    least = _variables(first, ScheduleResults(), _POOL)

    assert {name for name, _, missing in _ROWS if missing == "never"} == {*least}


def test_every_attribute_of_a_run_is_listed() -> None:
    """Each once."""
    listed = [attribute for _, attribute, _ in _ROWS if attribute]

    assert sorted(listed) == sorted(field.name for field in fields(_MODULE["Run"]))


def test_an_attribute_comes_from_its_variable() -> None:
    """A variable with another value changes the attribute of its row, and nothing else."""
    run = _MODULE["current"](_ALL)

    for name, attribute, _ in _ROWS:
        other = "7" if name == "RECUR_ATTEMPT" else "2001-01-01T00:00:00+01:00"
        changed = _MODULE["current"](_ALL | {name: other})
        differs = {
            one.name for one in fields(run) if getattr(run, one.name) != getattr(changed, one.name)
        }
        assert differs == ({attribute} if attribute else set())
