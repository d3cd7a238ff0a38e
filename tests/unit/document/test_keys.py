"""The JSON Schema of the document: what editors say of it agrees with what `recur validate` says."""

import json
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orchestrator.document.keys import json_schema
from orchestrator.document.parse import parse
from tests.support.documents import GOOD, PLAIN, table

ROOT = Path(__file__).parents[3]
SCHEMA = json_schema()


def complaints(text: str) -> list[str]:
    """List what the schema has against a document, as an editor for TOML sees it."""
    values = json.loads(json.dumps(tomllib.loads(text), default=_iso))
    return [one.message for one in Draft202012Validator(SCHEMA).iter_errors(values)]


def _iso(value: Any) -> str:  # noqa: ANN401 - json's own hook
    assert isinstance(value, date | datetime)
    return value.isoformat()


def test_it_is_a_schema() -> None:
    """Of the draft that it names."""
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("name", ["schedules.sample.toml", "local/schedules.toml"])
def test_it_takes_the_documents_of_this_repository(name: str) -> None:
    """Those that people begin with."""
    assert complaints((ROOT / name).read_text()) == []


@pytest.mark.parametrize("text", [GOOD, PLAIN, ""])
def test_it_takes_every_key(text: str) -> None:
    """And no schedule at all."""
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("colour", '"red"'),
        ("cron", "5"),
        ("cron", "[]"),
        ("every", '"30m"'),
        ("at", "5"),
        ("at", "[]"),
        ("interval", '{ every = 2, unit = "weeks" }'),
        ("interval", '{ every = 0, unit = "weeks", anchor = 2026-12-07 }'),
        ("interval", '{ every = 2, unit = "week", anchor = 2026-12-07 }'),
        ("interval", '{ every = 2, unit = "weeks", anchor = 2026-12-07T00:00:00 }'),
        ("at", "[2026-12-24]"),
        ("at", "[2026-12-24T18:00:30]"),
        ("dst", '{ gap = "first" }'),
        ("catch_up", '{ windows = "1d" }'),
        ("catch_up", "{ max = 101 }"),
        ("overlap", '"sometimes"'),
        ("run_timeout", '"half an hour"'),
        ("run_timeout", "3600"),
        ("retries", '{ on = ["terminated"] }'),
        ("retries", "{ exit_codes = [0] }"),
        ("retries", '{ exit_codes = ["KILL"] }'),
        ("retries", "{ exit_codes = [4294967296] }"),
        ("environment", "{ A = 1 }"),
        ("environment", '{ 1A = "b" }'),
        ("outputs", "[" + ",".join(f'"{n}"' for n in range(21)) + "]"),
        ("paused", '"yes"'),
        ("description", '""'),
        ("owner", f'"{"x" * 101}"'),
        ("runbook", '"ftp://wiki.example"'),
        ("tags", '["Finance"]'),
        ("tags", f"{[f'tag-{n}' for n in range(11)]}"),
    ],
)
def test_it_refuses_what_the_document_refuses(key: str, value: str) -> None:
    """Where a schema can know."""
    text = table(**{key: value})

    assert complaints(text) != []
    assert parse(text).problems != ()


def test_it_refuses_a_bad_id() -> None:
    """As blob names would."""
    assert complaints(PLAIN.replace("plain-1", "Plain")) != []


def test_every_key_is_described_and_has_its_default() -> None:
    """An editor shows both."""
    tables = [SCHEMA, *(one for one in SCHEMA["$defs"].values() if "properties" in one)]
    keys = {(one["title"], name): key for one in tables for name, key in one["properties"].items()}
    without = {"cron", "every", "anchor", "command", "pause_after_failures", "start"}
    without |= {"at", "end", "interval", "unit", "first", "last"}
    without |= {"description", "owner", "runbook"}
    without |= {"prices", "currency", "dedicated", "spot"}

    assert len(tables) == 10
    described = {f"#/$defs/{name}" for name, one in SCHEMA["$defs"].items() if "description" in one}
    assert [
        place
        for place, key in keys.items()
        if "description" not in key and key.get("$ref") not in described
    ] == []
    assert {name for (_, name), key in keys.items() if "default" not in key} == without
    assert keys["ScheduleTable", "run_timeout"]["default"] == "PT6H"


def test_it_has_no_word_that_json_schema_has_not() -> None:
    """Nor null, which TOML has not."""
    assert '"null"' not in json.dumps(SCHEMA)
    for keyword in ("ge", "lt", "min_length", "max_length"):
        assert f'"{keyword}"' not in json.dumps(SCHEMA)
