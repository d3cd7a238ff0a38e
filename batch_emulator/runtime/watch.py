"""
Which things of the account have changed, found without help of the code that changes them.

Only an emulator that keeps its data pays for this: while a watch is installed, setting a field of a
thing passes through it, and dicts and lists of things are of a kind that reports changes.
"""

import dataclasses
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, Self, SupportsIndex

from batch_emulator.runtime.stored_form import KINDS, TRANSIENT, Thing, parts, stored_fields

_CHILDREN: Final = frozenset({"nodes", "tasks"})
_installed: list["Watch"] = []


class Watch:
    """
    The things that have changed since they were last taken.

    Raises:
        StoredFormError: Something that can change could not be stored.
    """

    def __init__(self, first: Callable[[], None]) -> None:
        """
        Prepare it.

        Args:
            first: Called at the first change after nothing had changed.
        """
        self._first = first
        self._changed: dict[Thing, None] = {}
        self._owners: dict[int, tuple[object, object]] = {}
        self._parts = tuple(parts())
        self._kinds = (*KINDS.values(), *self._parts)

    def install(self) -> None:
        """
        Begin to watch every thing of this process.

        Raises:
            RuntimeError: Another watch is installed.
        """
        if _installed:
            raise RuntimeError("only one emulator of a process can keep its data")
        _installed.append(self)
        for kind in self._kinds:
            kind.__setattr__ = _setter(self, kind)  # type: ignore[method-assign, assignment]

    def remove(self) -> None:
        """Restore the classes as they were declared."""
        if self in _installed:
            _installed.remove(self)
            for kind in self._kinds:
                del kind.__setattr__

    def adopt(self, thing: Any) -> None:  # noqa: ANN401 - any dataclass
        """Watch what the fields of a thing hold already."""
        for item in dataclasses.fields(thing):
            if item.name not in _unwatched(thing.__class__):
                value = self.watched(thing, getattr(thing, item.name))
                object.__setattr__(thing, item.name, value)

    def take(self) -> tuple[Thing, ...]:
        """Return what has changed, in the order of first changes; it stays until it is stored."""
        return tuple(self._changed)

    def stored(self, things: Iterable[Thing]) -> None:
        """Forget these changes."""
        for thing in things:
            self._changed.pop(thing, None)

    def note(self, thing: object) -> None:
        """Note a change of a thing, or of the thing that a part belongs to."""
        while type(thing) not in KINDS.values():
            if (entry := self._owners.get(id(thing))) is None:
                return  # it belongs to nothing yet, or to the account itself
            thing = entry[1]
        if not self._changed:
            self._first()
        self._changed[thing] = None  # type: ignore[index]  # by the loop above

    def watched(self, owner: object, value: Any) -> Any:  # noqa: ANN401 - any field
        """Return the value of a field in a form that reports its changes."""
        if type(value) is dict:
            return WatchedDict(value).of(self, owner)
        if type(value) is list:
            return WatchedList(value).of(self, owner)
        if isinstance(value, self._parts):
            if id(value) not in self._owners:
                self.adopt(value)
            self._owners[id(value)] = (value, owner)
        return value

    def release(self, value: object) -> None:
        """Forget the owner of a value."""
        self._owners.pop(id(value), None)

    def forget(self, thing: Any) -> None:  # noqa: ANN401 - any dataclass
        """Forget the parts of a thing that is gone."""
        for name in stored_fields(thing.__class__):
            self.release(getattr(thing, name))


@cache
def _unwatched(kind: type) -> frozenset[str]:
    """Return the fields whose values report nothing; a body is shared with who made it."""
    return TRANSIENT.get(kind, frozenset()) - _CHILDREN | {"body"}


def _setter(watch: Watch, kind: type) -> Callable[[object, str, object], None]:
    transient = TRANSIENT.get(kind, frozenset()) - _CHILDREN

    def set_field(thing: object, name: str, value: object) -> None:
        if name in transient:
            object.__setattr__(thing, name, value)
            return
        before = getattr(thing, name, None)
        if name != "body":
            value = watch.watched(thing, value)
        object.__setattr__(thing, name, value)
        if before is not value:
            watch.release(before)
        watch.note(thing)

    return set_field


class WatchedDict(dict[str, Any]):
    """A dict of a thing: its change is its owner's, and what enters or leaves it has changed."""

    __slots__ = ("_owner", "_watch")

    def of(self, watch: Watch, owner: object) -> Self:
        """Belong to ``owner``."""
        self._watch, self._owner = watch, owner
        for value in self.values():
            watch.watched(self._owner, value)
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Be a plain dict in every copy."""
        return dict, (dict(self),)

    def _note(self, *left: object) -> None:
        self._watch.note(self._owner)
        for value in left:
            self._watch.note(value)
            self._watch.release(value)

    def __setitem__(self, key: str, value: object) -> None:
        before = self.get(key)
        super().__setitem__(key, value)
        self._note(*(() if before is value else (before,)))
        self._watch.watched(self._owner, value)
        self._watch.note(value)

    def __delitem__(self, key: str) -> None:
        before = self[key]
        super().__delitem__(key)
        self._note(before)

    def pop(self, key: str, *default: Any) -> Any:  # noqa: ANN401
        """Take a value out."""
        value = super().pop(key, *default)
        self._note(value)
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last value out."""
        key, value = super().popitem()
        self._note(value)
        return key, value

    def setdefault(self, key: str, default: Any = None) -> Any:  # noqa: ANN401
        """Put a value in unless there is one."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **more: Any) -> None:  # noqa: ANN401
        """Put many values in."""
        for key, value in dict(*others, **more).items():
            self[key] = value

    def __ior__(self, other: Any) -> Self:  # type: ignore[override, misc] # noqa: ANN401
        self.update(other)
        return self

    def clear(self) -> None:
        """Take everything out."""
        values = tuple(self.values())
        super().clear()
        self._note(*values)


class WatchedList(list[Any]):
    """A list of a thing: its change is its owner's."""

    __slots__ = ("_owner", "_watch")

    def of(self, watch: Watch, owner: object) -> Self:
        """Belong to ``owner``."""
        self._watch, self._owner = watch, owner
        for value in self:
            watch.watched(owner, value)
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Be a plain list in every copy."""
        return list, (list(self),)

    def _note(self, *entered: object) -> None:
        for value in entered:
            self._watch.watched(self._owner, value)
        self._watch.note(self._owner)

    def __setitem__(self, index: Any, value: Any) -> None:  # noqa: ANN401
        super().__setitem__(index, value)
        self._note(*self)

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        super().__delitem__(index)
        self._note()

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(values)
        return self

    def append(self, value: object) -> None:
        """Add a value."""
        super().append(value)
        self._note(value)

    def extend(self, values: Iterable[Any]) -> None:
        """Add values."""
        super().extend(values)
        self._note(*self)

    def insert(self, index: SupportsIndex, value: object) -> None:
        """Add a value in front of another."""
        super().insert(index, value)
        self._note(value)

    def pop(self, index: SupportsIndex = -1) -> Any:  # noqa: ANN401
        """Take a value out."""
        value = super().pop(index)
        self._note()
        return value

    def remove(self, value: object) -> None:
        """Take the first such value out."""
        super().remove(value)
        self._note()

    def clear(self) -> None:
        """Take everything out."""
        super().clear()
        self._note()

    def sort(self, **how: Any) -> None:  # noqa: ANN401
        """Bring the values into order."""
        super().sort(**how)
        self._note()

    def reverse(self) -> None:
        """Turn the order round."""
        super().reverse()
        self._note()
