"""Slices of time cover a history once, the newest first."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ids
from recur.ledger_reader.record_blobs import month_of, record_blob, slices_back
from tests.support.records import NIGHTLY

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
minutes = st.integers(0, 400 * 24 * 60).map(lambda n: BEGIN + timedelta(minutes=n))


@given(minutes, minutes, minutes)
def test_each_record_lies_in_one_slice_that_lists_it(
    one: datetime, other: datetime, nominal: datetime
) -> None:
    """Whatever the days of newest and oldest; later records than the newest are in the first."""
    oldest, newest = sorted((one, other))
    blob = ids.final_blob(NIGHTLY, nominal, ids.run_id(NIGHTLY, nominal))

    slices = list(slices_back(newest, oldest))

    within = [part for part in slices if part.begin <= nominal < part.end]
    if oldest <= nominal <= newest:
        assert len(within) == 1
        assert blob.startswith(within[0].prefix(NIGHTLY))
    assert all(later.begin == earlier.end for later, earlier in pairwise(slices))


def test_a_name_that_is_none_is_no_entry() -> None:
    """Another schedule's folder, another form, a trigger among months."""
    good = "runs/nightly/2026/11/nightly-20261101T073000Z.json"
    assert record_blob(good)
    assert record_blob(good.replace(".json", "+12.json")).count == 12  # type: ignore[union-attr]
    assert record_blob("runs/nightly/triggered/nightly-m0123456789abcdef.json")
    for bad in (
        "runs/other/2026/11/nightly-20261101T073000Z.json",
        "runs/nightly/2026/11/nightly-m0123456789abcdef.json",
        "runs/nightly/triggered/nightly-20261101T073000Z.json",
        "runs/nightly/2026/11/nightly-20261101T073000Z.txt",
        f"runs/nightly/2026/11/nightly-20261101T073000Z+{'9' * 20}.json",
        "open/nightly-20261101T073000Z.json",
    ):
        assert record_blob(bad) is None


def test_a_folder_that_is_none_is_no_month() -> None:
    """Somebody may have put anything there."""
    assert month_of("runs/nightly/2026/11/") == (2026, 11)
    for bad in ("2026/13", "2026/00", "0000/11", "triggered/11", "2026/11/12"):
        assert month_of(f"runs/nightly/{bad}/") is None
