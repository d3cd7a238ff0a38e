"""Lists, ranges and ordinals, as sentences have them."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

_RANGE: Final = 3
"""So many neighbours are written as a range; fewer are named."""

_TEENS: Final = range(11, 14)
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
_LONGEST: Final = 6


def joined(items: Sequence[str], word: str = "and") -> str:
    """Return a list as a sentence has it: ``a, b and c``."""
    *first, last = items
    return f"{', '.join(first)} {word} {last}" if first else last


def shortened(items: Sequence[str], what: str) -> str:
    """Return a list of at most six; a longer one as its length and its two ends."""
    if len(items) <= _LONGEST:
        return joined(items)
    return f"{len(items)} {what} from {items[0]} to {items[-1]}"


def ranges(numbers: Iterable[int], name: Callable[[int], str] = str) -> list[str]:
    """Return numbers in their order, three neighbours or more as a range: ``1, 5 to 8``."""
    found: list[str] = []
    for run in _neighbours(sorted(numbers)):
        if len(run) < _RANGE:
            found += map(name, run)
        else:
            found.append(f"{name(run[0])} to {name(run[-1])}")
    return found


def _neighbours(numbers: Sequence[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for number in numbers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def step_of(numbers: Collection[int]) -> int | None:
    """Return the distance between sorted numbers that are all equally far apart; else None."""
    found = sorted(numbers)
    steps = {b - a for a, b in pairwise(found)}
    return steps.pop() if len(steps) == 1 else None


def ordinal(number: int) -> str:
    """Return a number as ``1st``, ``2nd``, ``11th``, ``23rd``."""
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
