"""How much the tests try: a sample in ``make test``, everything in ``make proof``."""

from collections.abc import Sequence
from typing import Final

from hypothesis import settings

SAMPLE: Final = "sample"
EVERYTHING: Final = "everything"
_PARTS: Final = 4

settings.register_profile(SAMPLE, deadline=None, max_examples=30)
settings.register_profile(EVERYTHING, deadline=None, max_examples=400)


def everything() -> bool:
    """Return whether nothing is to be left out; it takes its time."""
    return settings.get_current_profile_name() == EVERYTHING


def examples(count: int) -> settings:
    """Let Hypothesis try ``count`` examples in ``make proof``, and a quarter of them else."""
    return settings(max_examples=count if everything() else -(-count // _PARTS))


def sample[T](items: Sequence[T], number: int) -> Sequence[T]:
    """
    Return the part of some items that the case with this number tries; all in ``make proof``.

    Four cases with numbers in a row try all items.
    """
    return items if everything() else items[number % _PARTS :: _PARTS]
