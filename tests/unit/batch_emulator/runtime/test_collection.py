"""Things by id."""

from hypothesis import given
from hypothesis import strategies as st

from batch_emulator.runtime.collection import Collection


@given(st.lists(st.tuples(st.booleans(), st.text("abAB1", min_size=1, max_size=3))), st.text("ab1"))
def test_a_collection_is_in_the_order_of_its_ids(steps: list[tuple[bool, str]], after: str) -> None:
    """After any additions and removals, and from any place on."""
    held: Collection[str] = Collection()
    there: set[str] = set()
    for adds, name in steps:
        folded = name.lower()
        if adds and folded not in there:
            held.add(name, folded)
            there.add(folded)
        elif not adds and folded in there:
            held.remove(name)
            there.remove(folded)

    assert list(held.after(after)) == sorted(name for name in there if name > after)
    assert set(held) == there
    assert len(held) == len(there)
