"""Query parameters of lists and gets: pages, $select and the simple forms of $filter."""

import base64
import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from batch_emulator.errors import invalid_query, not_supported
from batch_emulator.runtime.collection import Collection
from batch_emulator.wire import Json

_TOKEN: Final = "$skiptoken"  # noqa: S105 - the name of a query parameter
_AND: Final = re.compile(r"\s+and\s+")
_EQUALS: Final = re.compile(r"\(?\s*(?P<field>\w+)\s+eq\s+'(?P<value>[^']*)'\s*\)?")
_DIFFERS: Final = re.compile(r"\(?\s*(?P<field>\w+)\s+ne\s+'(?P<value>[^']*)'\s*\)?")
_STARTS: Final = re.compile(r"startswith\(\s*(?P<field>\w+)\s*,\s*'(?P<value>[^']*)'\s*\)")
_EARLIER: Final = re.compile(
    r"\(?\s*(?P<field>[\w/]+)\s+lt\s+DateTime'(?P<value>[^']*)'\s*\)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of a list, and the parameters of the request for the next part."""

    items: list[T]
    next_query: str | None


@dataclass(frozen=True, slots=True)
class Key[T]:
    """
    What a list of things is ordered and filtered by, before any of them is printed.

    Attributes:
        name: A thing's id, or a file's name.
        state: Its state; without it, and without others, nothing can be filtered.
        others: What else it can be filtered by; then it has no ``id``.
        most: How many things a page has at most.
        times: What it can be filtered by with ``lt``.
    """

    name: Callable[[T], str]
    state: Callable[[T], str] | None = None
    others: Mapping[str, Callable[[T], str]] = field(default_factory=dict)
    most: int = 1000
    times: Mapping[str, Callable[[T], datetime | None]] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Callable[[T], str]]:
        """What can be filtered by, under the names that filters use."""
        if self.others:
            return {**self.others}
        return {"id": self.name, "state": self.state} if self.state else {}

    def folded(self, thing: T) -> str:
        """Return the name in the case in which names are compared."""
        return self.name(thing).lower()


def selection(query: Mapping[str, str], known: Iterable[str]) -> Callable[[Json], Json]:
    """
    Return what makes of a resource the part that ``$select`` asks for.

    Raises:
        ServiceError: A name is none of the ``known`` properties of the resource.
    """
    if not (names := query.get("$select")):
        return lambda resource: resource
    wanted = {name.strip() for name in names.split(",")}
    if unknown := wanted - set(known):
        reason = f"Not a property of the resource: {', '.join(sorted(unknown))}"
        raise invalid_query("$select", names, reason)
    return lambda resource: {name: resource[name] for name in resource if name in wanted}


def _clause[T](text: str, key: Key[T]) -> Callable[[T], bool]:
    for pattern, compare in (
        (_EQUALS, str.__eq__),
        (_DIFFERS, str.__ne__),
        (_STARTS, str.startswith),
    ):
        match = pattern.fullmatch(text.strip())
        read = match and key.fields.get(match["field"])
        if match and read:
            wanted = match["value"].lower()
            return lambda thing: compare(read(thing).lower(), wanted)
    if (match := _EARLIER.fullmatch(text.strip())) and (told := key.times.get(match["field"])):
        before = _read_time(match["value"])
        return lambda thing: (time := told(thing)) is not None and time < before
    names = " and ".join(key.fields)
    raise not_supported(f"the filter {text!r}: only eq, ne and startswith on {names}, and 'and',")


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise invalid_query("$filter", text, "The value is not a time") from error


def _clauses[T](query: Mapping[str, str], key: Key[T]) -> list[Callable[[T], bool]]:
    if not (text := query.get("$filter")):
        return []
    return [_clause(part, key) for part in _AND.split(text)]


def page[T](things: Iterable[T], query: Mapping[str, str], key: Key[T]) -> Page[T]:
    """
    Return one page, by ``maxresults`` and the token of the page before, in the order of the names.

    Raises:
        ServiceError: The parameters are wrong.
    """
    size = _size(query.get("maxresults", str(key.most)), key.most)
    after = _read_token(query[_TOKEN]) if _TOKEN in query else ""
    clauses = _clauses(query, key)
    following = (
        things.after(after)
        if isinstance(things, Collection)
        else sorted((thing for thing in things if key.folded(thing) > after), key=key.folded)
    )
    left = (thing for thing in following if all(clause(thing) for clause in clauses))
    ordered = list(itertools.islice(left, size + 1))
    items = ordered[:size]
    next_query = None
    if len(ordered) > size:
        token = base64.urlsafe_b64encode(key.folded(items[-1]).encode()).decode()
        next_query = urlencode({**query, _TOKEN: token}, safe="$")
    return Page(items, next_query)


def _size(text: str, most: int) -> int:
    try:
        size = int(text)
    except ValueError:
        raise invalid_query("maxresults", text, "The value is not a number") from None
    if size < 1:
        raise invalid_query("maxresults", text, "MaxResults cannot be less than 1")
    if size > most:
        reason = f"MaxResults cannot be greater than {most}"
        raise invalid_query("maxresults", text, reason)
    return size


def _read_token(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token).decode()
    except ValueError as error:
        raise invalid_query(_TOKEN, token, "The value is not a token of a page") from error
