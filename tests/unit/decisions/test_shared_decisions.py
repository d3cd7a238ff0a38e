"""Occurrences that do not run share a decision, which says of each what one of its own would."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.decisions.decide import decide
from orchestrator.decisions.decision import Decision, Missed, Skip, Span, Submit
from orchestrator.decisions.due import Due
from orchestrator.decisions.plan import record_of
from orchestrator.enums import CatchUpMode, MissReason, SkipReason
from orchestrator.ids import RunId
from orchestrator.ledger.record import Decided, Record
from orchestrator.ledger.results import CollectState
from orchestrator.model import CatchUp, Occurrence
from recur.ledger_reader.shares import share_of
from tests.support.hourly import MINUTE, NOON, STATE
from tests.support.schedules import ID, schedule

BLOCKER = RunId("nightly-20260101T000000Z")
KINDS = ("plain", "paused", "excluded", "excluded while paused", "nonexistent", "removed")


def occurrences(kinds: Sequence[str]) -> tuple[Occurrence, ...]:
    """Return one occurrence a minute, the last one now."""
    begin = NOON - (len(kinds) - 1) * MINUTE
    return tuple(
        Occurrence(
            nominal=begin + n * MINUTE,
            exists=kind != "nonexistent",
            excluded="excluded" in kind,
            paused="paused" in kind,
            removed=kind == "removed",
        )
        for n, kind in enumerate(kinds)
    )


def decided(
    kinds: Sequence[str], *, most: int, window: int = 1000, blocked: bool = False
) -> list[Decision]:
    """Return what becomes of such occurrences where the newest ``most`` share nothing."""
    catch_up = CatchUp(mode=CatchUpMode.ALL, window=timedelta(minutes=window), max=most)
    part = Due(occurrences=occurrences(kinds), until=NOON)
    in_the_way = [BLOCKER] if blocked else []
    return decide(ID, schedule(catch_up=catch_up), part, in_the_way=in_the_way, now=NOON)


def recorded(decision: Decision) -> Record:
    return record_of(
        ID, decision, schedule=schedule(), state=STATE, results=CollectState(), now=NOON
    )


def spans(kinds: Sequence[str], decisions: Sequence[Decision]) -> list[list[Occurrence]]:
    """Return the occurrences of each decision, by its begin and end alone."""
    every = occurrences(kinds)
    found = []
    for one in decisions:
        span = None if isinstance(one, Submit) else one.span
        last = span.last if span else one.occurrence.nominal
        found.append([each for each in every if one.occurrence.nominal <= each.nominal <= last])
    return found


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(KINDS), max_size=40),
    st.integers(1, 5),
    st.integers(1, 60),
    st.booleans(),
)
def test_ranges_say_what_records_of_their_own_would(
    kinds: list[str], most: int, window: int, blocked: bool
) -> None:
    """Each occurrence is in one record, which is as many as it says, for the occurrence's reason."""
    alone = decided(kinds, most=len(kinds) + 1, window=window, blocked=blocked)
    expected = {one.occurrence.nominal: recorded(one).decision for one in alone}
    shared = decided(kinds, most=most, window=window, blocked=blocked)

    found: list[tuple[Occurrence, Decided]] = []
    for decision, within in zip(shared, spans(kinds, shared), strict=True):
        record = recorded(decision)
        if record.range:
            assert record.range.count == len(within)
        found += [(one, share_of(record, one).decision) for one in within]

    assert [one.nominal for one, _ in found] == list(expected)
    for one, said in found:
        if not one.can_run:  # how many others are made up for depends on `max`
            assert said == expected[one.nominal]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["paused", "excluded", "nonexistent"]), min_size=1, max_size=60))
def test_a_pause_is_one_range_whatever_except_leaves_out_of_it(kinds: list[str]) -> None:
    """Between the first and the last paused occurrence nothing parts the range."""
    shared = decided([*kinds, "plain"], most=1)
    ranges = [one for one in shared if isinstance(one, Skip) and one.reason is SkipReason.PAUSED]

    older = kinds[:-1]  # the newest has a record of its own
    paused = [n for n, kind in enumerate(older) if kind == "paused"]
    assert len(ranges) == bool(paused) + (kinds[-1] == "paused")
    if len(paused) > 1:
        within = older[paused[0] : paused[-1] + 1]
        also = {reason: within.count(reason) for reason in ("excluded", "nonexistent")}
        span = ranges[0].span
        assert span
        assert span.count == len(within)
        assert span.also == {reason: n for reason, n in also.items() if n}


def test_a_long_pause_is_one_range() -> None:
    """Every fifth minute in ``except`` does not cut it to pieces."""
    kinds = ["excluded" if n % 5 == 0 else "paused" for n in range(1, 7202)]
    rest, *single = decided(kinds, most=10)

    assert isinstance(rest, Skip)
    last = occurrences(kinds)[-11].nominal
    assert rest.span == Span(last=last, count=7191, also={SkipReason.EXCLUDED: 1438})
    assert [one.occurrence for one in single] == list(occurrences(kinds)[-10:])


def test_what_comes_due_in_the_midst_parts_a_range() -> None:
    """Missed occurrences before a pause and after it are two ranges."""
    kinds = ["plain"] * 3 + ["paused"] * 3 + ["excluded"] + ["plain"] * 3
    off = CatchUp(mode=CatchUpMode.NONE, max=1)
    late = tuple(
        Occurrence(
            nominal=one.nominal - timedelta(hours=1), excluded=one.excluded, paused=one.paused
        )
        for one in occurrences(kinds)
    )
    shared = decide(ID, schedule(catch_up=off), Due(occurrences=late, until=NOON), now=NOON)

    assert [(type(one), one.reason) for one in shared if not isinstance(one, Submit)] == [
        (Missed, MissReason.OFF),
        (Skip, SkipReason.PAUSED),
        (Skip, SkipReason.EXCLUDED),
        (Missed, MissReason.OFF),
        (Missed, MissReason.OFF),
    ]


def test_a_removed_schedule_shares_as_well() -> None:
    """Its table is gone; the default number have a record each."""
    part = Due(occurrences=occurrences(["removed"] * 100), until=NOON)
    first, *others = decide(ID, None, part, now=NOON)

    assert isinstance(first, Skip)
    assert first.span == Span(last=part.occurrences[89].nominal, count=90)
    assert len(others) == CatchUp().max
