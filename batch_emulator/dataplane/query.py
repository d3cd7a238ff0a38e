"""Query parameters of lists and gets: pages, ``$filter`` and ``$select``."""

import base64
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from batch_emulator.dataplane.filters import Field, FilterError, parse_filter, predicate
from batch_emulator.dataplane.properties import Properties
from batch_emulator.errors import invalid_query
from batch_emulator.runtime.collection import Collection
from batch_emulator.wire import Json

type _Wanted = dict[str, _Wanted]

_TOKEN: Final = "$skiptoken"  # noqa: S105 - the name of a query parameter
_STATISTICS: Final = "stats"


@dataclass(frozen=True, slots=True)
class Page[T]:
    """A part of a list, and the parameters of the request for the next part."""

    items: list[T]
    next_query: str | None


@dataclass(frozen=True, slots=True)
class Key[T]:
    """
    How a list of things is ordered and filtered, before any of them is printed.

    Attributes:
        name: A thing's id, or a file's name.
        fields: What it can be filtered by.
        most: The largest number of things on a page.
    """

    name: Callable[[T], str]
    fields: Mapping[str, Field[T]] = field(default_factory=dict)
    most: int = 1000

    def folded(self, thing: T) -> str:
        """Return the name in the case that comparisons use."""
        return self.name(thing).lower()


def selection(query: Mapping[str, str], known: Properties) -> Callable[[Json], Json]:
    """
    Return a function that reduces a resource to what ``$select`` asks for.

    A name such as ``executionInfo/exitCode`` asks for a part of a property; in a list, for that
    part of each item.

    Raises:
        ServiceError: A name is not one of the resource's ``known`` properties.
    """
    if not (names := query.get("$select")):
        return lambda resource: resource
    paths = [name.strip() for name in names.split(",")]
    unknown = [path for path in paths if not _is_known(path.split("/"), known)]
    if unknown:
        reason = f"Not a property of the resource: {', '.join(sorted(set(unknown)))}"
        raise invalid_query("$select", names, reason)
    wanted = _tree(paths)
    return lambda resource: _part(resource, wanted)


def selects_statistics(query: Mapping[str, str]) -> bool:
    """
    Tell whether a request asks for ``stats``: by ``$expand``, or by its name in ``$select``.

    Raises:
        ServiceError: ``$expand`` names anything else.
    """
    expanded = query.get("$expand", "")
    if expanded.strip() not in {"", _STATISTICS}:
        raise invalid_query("$expand", expanded, f"Only {_STATISTICS} can be expanded")
    names = [name.strip().partition("/")[0] for name in query.get("$select", "").split(",")]
    return _STATISTICS in names if query.get("$select") else bool(expanded)


def _is_known(steps: list[str], known: Properties) -> bool:
    name, *rest = steps
    return name in known and (not rest or _is_known(rest, known[name]))


def _tree(paths: Iterable[str]) -> _Wanted:
    """Return the wanted parts of each property; an empty part is all of it."""
    tree: _Wanted = {}
    for path in sorted(set(paths)):  # a property comes before its parts
        _want(tree, path.split("/"))
    return tree


def _want(tree: _Wanted, steps: list[str]) -> None:
    name, *rest = steps
    if not rest:
        tree[name] = {}
    elif tree.get(name) != {}:  # unless all of it is wanted already
        _want(tree.setdefault(name, {}), rest)


def _part(resource: Json, wanted: _Wanted) -> Json:
    return {
        name: _inside(value, wanted[name]) for name, value in resource.items() if name in wanted
    }


def _inside(value: object, wanted: _Wanted) -> object:
    match value:
        case dict() if wanted:
            return _part(value, wanted)
        case list() if wanted:
            return [_inside(item, wanted) for item in value]
        case _:
            return value


def _condition[T](query: Mapping[str, str], key: Key[T]) -> Callable[[T], bool]:
    if not (text := query.get("$filter", "").strip()):
        return lambda _: True
    try:
        return predicate(parse_filter(text), key.fields)
    except FilterError as error:
        raise invalid_query("$filter", text, str(error)) from error


def page[T](things: Iterable[T], query: Mapping[str, str], key: Key[T]) -> Page[T]:
    """
    Return one page, by ``maxresults`` and the token of the page before, in the order of the names.

    Raises:
        ServiceError: The parameters are wrong.
    """
    size = _size(query.get("maxresults", str(key.most)), key.most)
    after = _read_token(query[_TOKEN]) if _TOKEN in query else ""
    holds = _condition(query, key)
    following = (
        things.after(after)
        if isinstance(things, Collection)
        else sorted((thing for thing in things if key.folded(thing) > after), key=key.folded)
    )
    ordered = list(itertools.islice(filter(holds, following), size + 1))
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
