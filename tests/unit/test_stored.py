"""Fields of other versions survive a rewrite."""

import pytest
from pydantic import TypeAdapter, ValidationError

from orchestrator.model import Recurrence, Timing

ADAPTER = TypeAdapter(Timing)
JSON = (
    b'{"later":[1],"since":"2026-06-01T12:00:00Z",'
    b'"calendar":{"cron":["0 * * * *"],"overlap":"both","new":{"a":null}}}'
)


def test_an_unknown_field_is_kept_behind_the_known_ones() -> None:
    """At every level; it makes no two values differ."""
    timing = ADAPTER.validate_json(JSON)

    assert timing.extra == {"later": [1]}
    assert timing.recurrence is not None
    assert timing.recurrence.extra == {"new": {"a": None}}
    assert ADAPTER.dump_json(timing).endswith(
        b',"new":{"a":null}},"paused":false,"removed":false,"later":[1]}'
    )
    assert ADAPTER.validate_json(ADAPTER.dump_json(timing)) == timing
    assert timing == ADAPTER.validate_json(JSON.replace(b'"later":[1],', b""))


def test_a_field_is_known_by_the_name_under_which_it_is_stored() -> None:
    """Its name in the code is any other field's."""
    timing = ADAPTER.validate_json(JSON.replace(b'"overlap"', b'"fold"'))
    assert timing.recurrence is not None
    assert timing.recurrence.fold is Recurrence().fold
    assert timing.recurrence.extra["fold"] == "both"


def test_what_is_no_object_is_refused() -> None:
    """As it would be without unknown fields."""
    with pytest.raises(ValidationError):
        ADAPTER.validate_json(b"[]")
