"""
A Log Analytics workspace on this machine: tables in DuckDB, queries by duckdb-kql, a clock to set.

What the service does and this imitates: a row can be seen once it has been ingested, and a rule
reads two days at most. Two functions of Kusto that duckdb-kql does not know are replaced in the
text of a query: ``ingestion_time()`` by a column, ``column_ifexists`` by what it stands for.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb_kql

from tests.alerts.texts_in_sql import with_texts_as_they_are

ALERTS = Path(__file__).parents[2] / "infra/alerts"
QUERIES = {path.stem: path.read_text() for path in sorted(ALERTS.glob("*.kql"))}

TABLES: Mapping[str, Mapping[str, str]] = {
    "AppEvents": {
        "TimeGenerated": "datetime",
        "Name": "string",
        "Properties": "dynamic",
        "Measurements": "dynamic",
        "AppRoleName": "string",
        "AppRoleInstance": "string",
        "OperationId": "string",
        "ItemCount": "int",
    },
    "AppTraces": {
        "TimeGenerated": "datetime",
        "Message": "string",
        "SeverityLevel": "int",
        "Properties": "dynamic",
        "AppRoleName": "string",
        "AppRoleInstance": "string",
        "OperationId": "string",
        "ItemCount": "int",
    },
    "AzureDiagnostics": {
        "TimeGenerated": "datetime",
        "ResourceProvider": "string",
        "Category": "string",
        "OperationName": "string",
    },
}
"""Columns that queries may name; AzureDiagnostics gets more with the first row that has them."""

_TYPES = {"datetime": "TIMESTAMP", "string": "VARCHAR", "dynamic": "JSON", "int": "INTEGER"}
_CLOCK = "CAST($kqlnow AS TIMESTAMP)"
_PERIOD = timedelta(minutes=15)
_RESOLVED_AFTER = 3 * _PERIOD

type Row = Mapping[str, object]
type Answer = tuple[str, ...]


class Workspace:
    """The tables of one workspace; rows have ``TimeGenerated`` and ``ingested``, both aware."""

    def __init__(self) -> None:
        self.connection = duckdb_kql.connect()
        self.connection.execute("SET threads = 1")  # the rows are few, and the tests many
        self._columns = {table: dict(columns) for table, columns in TABLES.items()}
        for table, columns in self._columns.items():
            spelled = [f"{name} {_TYPES[kind]}" for name, kind in columns.items()]
            self.connection.execute(
                f"CREATE TABLE {table} ({', '.join(spelled)}, _Ingested TIMESTAMP)"
            )

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Put rows into a table."""
        alike: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            alike.setdefault(tuple(row), []).append(row)
        for names, some in alike.items():
            for name in sorted({*names} - {*self._columns[table], "ingested"}):
                assert table == "AzureDiagnostics", f"{table} has no column {name}"
                self._columns[table][name] = "string"
                self.connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} VARCHAR")
            columns = ["_Ingested" if name == "ingested" else name for name in names]
            self.connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {', '.join('unnest(?)' for _ in columns)}",
                [[_value(row[name]) for row in some] for name in names],
            )

    def run(self, query: str, *instants: datetime) -> list[set[Answer]]:
        """Return the rows of a query, for each instant at which it is run."""
        self.connection.execute("CREATE OR REPLACE TABLE instants (instant TIMESTAMP)")
        text = ", ".join(f"('{_value(at)}')" for at in instants)
        self.connection.execute(f"INSERT INTO instants VALUES {text}")  # noqa: S608
        found = self.connection.execute(
            f"SELECT instants.instant, answer.* FROM instants, LATERAL ({self._sql(query)}) answer"  # noqa: S608
        )
        answers: dict[datetime, set[Answer]] = {at: set() for at in instants}
        for at, *values in found.fetchall():
            answers[at.replace(tzinfo=UTC)].add(tuple(values))
        return list(answers.values())

    def known(self, query: str) -> str:
        """Return a query with nothing in it that duckdb-kql does not know."""
        known = {name for columns in self._columns.values() for name in columns}
        return re.sub(
            r'column_ifexists\("(\w+)", ("[^"]*")\)',
            lambda found: found[1] if found[1] in known else found[2],
            query.replace("ingestion_time()", "_Ingested"),
        )

    def _sql(self, query: str) -> str:
        """Translate a query, for it to be run at each of ``instants.instant``."""
        columns = tuple((table, (*names, "_Ingested")) for table, names in self._columns.items())
        sql = _translated(self.known(query), columns)
        for table in self._columns:
            seen = (
                f"FROM (SELECT * FROM {table} WHERE _Ingested <= instants.instant "  # noqa: S608
                "AND TimeGenerated > instants.instant - INTERVAL 2 DAY)"
            )
            sql = sql.replace(f'FROM "{table}"', seen)
        return sql.replace(_CLOCK, "instants.instant")


@cache
def _translated(query: str, columns: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """Translate a query once for all tests: the time at which it runs is a parameter in its text."""
    schema = {table: list(names) for table, names in columns}
    sql = str(duckdb_kql.to_sql(query, schema=schema, query_now=datetime.now(UTC)))
    return with_texts_as_they_are(sql)


def mails(
    workspace: Workspace, query: str, instants: Sequence[datetime]
) -> list[tuple[datetime, Answer]]:
    """
    Return what a stateful rule tells that splits by every column of its query, and when.

    It tells of a combination once, until that has been well for three periods: the table at the end
    of https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-overview#stateful-alerts.
    """
    told: list[tuple[datetime, Answer]] = []
    last: dict[Answer, datetime] = {}
    for at, answers in zip(instants, workspace.run(query, *instants), strict=True):
        for answer in sorted(answers):
            if answer not in last or at - last[answer] > _RESOLVED_AFTER:
                told.append((at, answer))
            last[answer] = at
    return told


def _value(value: object) -> object:
    """Return what DuckDB takes: its timestamps have no zone, and mean UTC as those of Kusto do."""
    match value:
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None)
        case dict():
            return json.dumps(value)
        case _:
            return value
