"""Which tasks wait for which others."""

from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.runtime.dependencies import Dependencies

spans = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda ends: tuple(sorted(ends)))


@given(
    st.lists(st.integers(0, 12).map(str), max_size=6),
    st.lists(spans, max_size=4),
    st.permutations(range(13)),
    st.integers(0, 13),
)
def test_a_task_goes_on_when_all_that_it_names_is_satisfied(
    ids: list[str], ranges: list[tuple[int, int]], order: list[int], before: int
) -> None:
    """Whether what it depends on ended before or after it was added, and in any order."""
    dependencies: Dependencies[str] = Dependencies()
    for number in order[:before]:
        dependencies.satisfy(str(number))
    depends_on = {
        "taskIds": ids,
        "taskIdRanges": [{"start": start, "end": end} for start, end in ranges],
    }
    conditions = dependencies.add("task", depends_on)
    needed = {int(name) for name in ids}
    for start, end in ranges:
        needed |= set(range(start, end + 1))

    assert (conditions == 0) == (needed <= set(order[:before]))
    for count, number in enumerate(order[before:], start=before + 1):
        conditions -= len(dependencies.satisfy(str(number)))
        assert (conditions == 0) == (needed <= set(order[:count]))
