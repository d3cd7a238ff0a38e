"""Which tasks of a job wait for which others."""

from dataclasses import dataclass, field

from batch_emulator.wire import Json

type Span = tuple[int, int]
"""The first and the last number of a range of task ids."""


@dataclass(slots=True, eq=False)
class _Range[T]:
    """A range of ids, how many of its numbers are not satisfied, and which tasks wait for them."""

    missing: int
    waiting: list[T] = field(default_factory=list)


def _number(name: str) -> int | None:
    # Leading zeros do not count: 4, 04 and 004 are the same number of a range.
    return int(name) if name.isascii() and name.isdecimal() else None


@dataclass(slots=True, eq=False)
class Dependencies[T]:
    """
    The dependencies among the tasks of one job.

    A task that others depend on need not exist yet. What was satisfied once stays satisfied, also
    for a task that is deleted and created anew (Azure/Batch#129, by design). Source: "Create task
    dependencies to run tasks that depend on other tasks", Microsoft Learn.
    """

    _satisfied: set[str] = field(default_factory=set)
    _numbers: set[int] = field(default_factory=set)
    _waiting: dict[str, list[T]] = field(default_factory=dict)
    _ranges: dict[Span, _Range[T]] = field(default_factory=dict)

    def add(self, task: T, depends_on: Json) -> int:
        """Register what a new task depends on; return how many of its conditions are open."""
        names = {str(name).lower() for name in depends_on.get("taskIds", ())} - self._satisfied
        for name in names:
            self._waiting.setdefault(name, []).append(task)
        spans = {(item["start"], item["end"]) for item in depends_on.get("taskIdRanges", ())}
        return len(names) + sum(self._await_range(task, span) for span in spans)

    def _await_range(self, task: T, span: Span) -> bool:
        if span not in self._ranges:
            first, last = span
            met = sum(first <= number <= last for number in self._numbers)
            self._ranges[span] = _Range(missing=last - first + 1 - met)
        if not self._ranges[span].missing:
            return False
        self._ranges[span].waiting.append(task)
        return True

    def satisfied(self, name: str) -> bool:
        """Tell whether dependencies on a task are satisfied."""
        return name.lower() in self._satisfied

    def satisfy(self, name: str) -> list[T]:
        """Satisfy dependencies on a task; return the tasks that have waited for it."""
        folded = name.lower()
        self._satisfied.add(folded)
        met = self._waiting.pop(folded, [])
        number = _number(name)
        if number is None or number in self._numbers:
            return met
        self._numbers.add(number)
        for (first, last), item in self._ranges.items():
            if first <= number <= last:
                item.missing -= 1
                if not item.missing:
                    met.extend(item.waiting)
                    item.waiting.clear()
        return met
