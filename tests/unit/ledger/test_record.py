"""Records as JSON."""

from dataclasses import replace

import pytest

from orchestrator.errors import RecordUnreadable
from orchestrator.ledger.record import dump, load
from tests.support.records import RECORD


def test_a_record_is_read_back() -> None:
    """Its JSON is the same bytes for the same record."""
    assert load(dump(RECORD)) == RECORD
    assert dump(load(dump(RECORD))) == dump(RECORD)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", dump(replace(RECORD, schema=2))])
def test_a_blob_that_is_no_record_is_told(data: bytes) -> None:
    """One of a later version included: to rewrite it would lose what it says."""
    with pytest.raises(RecordUnreadable):
        load(data)
