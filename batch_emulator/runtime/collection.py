"""Things by id, as the service keeps them: case is kept and does not count."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Collection[T]:
    """The pools or the jobs of an account."""

    _items: dict[str, T] = field(default_factory=dict)

    def find(self, name: str) -> T | None:
        """Return the thing with this id, if there is one."""
        return self._items.get(name.lower())

    def add(self, name: str, item: T) -> None:
        """Add a thing whose id is free."""
        self._items[name.lower()] = item

    def remove(self, name: str) -> None:
        """Remove the thing with this id."""
        del self._items[name.lower()]

    def __iter__(self) -> Iterator[T]:
        return iter(tuple(self._items.values()))

    def where(self, wanted: Callable[[T], bool]) -> list[T]:
        """Return the things that are wanted."""
        return [item for item in self._items.values() if wanted(item)]
