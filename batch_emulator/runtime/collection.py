"""Things by id. As in the service, ids keep their case, and it does not count."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Collection[T]:
    """The pools or the jobs of an account, or the tasks of a job."""

    _items: dict[str, T] = field(default_factory=dict)
    _ordered: list[str] = field(default_factory=list)
    _sorted: bool = True

    def find(self, name: str) -> T | None:
        """Return the thing with this id, if there is one."""
        return self._items.get(name.lower())

    def add(self, name: str, item: T) -> None:
        """Add a thing whose id is free."""
        folded = name.lower()
        self._items[folded] = item
        self._sorted = self._sorted and (not self._ordered or self._ordered[-1] < folded)
        self._ordered.append(folded)

    def remove(self, name: str) -> None:
        """Remove the thing with this id."""
        self._sort()
        del self._ordered[bisect_right(self._ordered, name.lower()) - 1]
        del self._items[name.lower()]

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def after(self, name: str) -> Iterator[T]:
        """Return the things whose ids follow ``name``, in order; add none meanwhile."""
        self._sort()
        start = bisect_right(self._ordered, name.lower())
        return (self._items[self._ordered[index]] for index in range(start, len(self._ordered)))

    def _sort(self) -> None:
        if not self._sorted:
            self._ordered.sort()  # cheap where only a few at the end are out of order
            self._sorted = True

    def where(self, wanted: Callable[[T], bool]) -> list[T]:
        """Return the things that are wanted."""
        return [item for item in self._items.values() if wanted(item)]
