"""The queries of the alerts as Microsoft's own parser of Kusto reads them."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.alerts.workspace import QUERIES, TABLES

_CHECK = Path(__file__).parents[2] / "alerts/kusto/check.cjs"
_MOST_DIMENSIONS = 6  # of one rule: .../azure-monitor/alerts/alerts-create-log-alert-rule
_MUTANTS = {
    "column": ("run-failed", "tostring(Properties.event_id)", "tostring(Propertys.event_id)"),
    "table": ("pool-trouble", "AzureDiagnostics", "AzureDiagnostic"),
    "absent": ("pool-trouble", 'column_ifexists("resultCode_s", "")', "resultCode_s"),
    "alias": ("tick-silent", "isnull(beats)", "isnull(beat)"),
    "function": ("product-trouble", "coalesce(", "coalesced("),
    "operator": ("schedule-overdue", "| summarize", "| sumarize"),
    "syntax": ("run-failed", "union finished, missed", "union finished missed"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What the parser says of a query.

    Attributes:
        diagnostics: Whatever it finds to say.
        columns: Of the answer, with their types.
    """

    diagnostics: list[str]
    columns: dict[str, str]


def _read(queries: Mapping[str, str]) -> dict[str, Reading]:
    tables = {
        name: f"({', '.join(f'{column}:{kind}' for column, kind in columns.items())})"
        for name, columns in TABLES.items()
    }
    done = subprocess.run(
        ["node", str(_CHECK)],  # noqa: S607 - whichever node runs Azurite
        input=json.dumps({"tables": tables, "queries": dict(queries)}),
        capture_output=True,
        text=True,
        check=True,
    )
    return {
        name: Reading(found["diagnostics"], dict(found["columns"]))
        for name, found in json.loads(done.stdout).items()
    }


@pytest.fixture(scope="module")
def readings() -> dict[str, Reading]:
    mutants = {
        name: QUERIES[query].replace(sound, mutant, 1)
        for name, (query, sound, mutant) in _MUTANTS.items()
    }
    return _read({**QUERIES, **mutants})


@pytest.mark.parametrize("alert", QUERIES)
def test_a_query_means_something(readings: dict[str, Reading], alert: str) -> None:
    """Every table, column and function is there, and types fit: nothing is found to say."""
    assert readings[alert].diagnostics == []


@pytest.mark.parametrize("alert", QUERIES)
def test_a_rule_can_split_by_every_column(readings: dict[str, Reading], alert: str) -> None:
    """Dimensions are texts, at most six."""
    columns = readings[alert].columns

    assert 0 < len(columns) <= _MOST_DIMENSIONS
    assert set(columns.values()) == {"string"}


@pytest.mark.parametrize("mutant", _MUTANTS)
def test_what_is_misspelt_is_found(readings: dict[str, Reading], mutant: str) -> None:
    """So are a column that is there only after its first event, and broken syntax."""
    query, sound, _ = _MUTANTS[mutant]

    assert sound in QUERIES[query]
    assert readings[mutant].diagnostics
