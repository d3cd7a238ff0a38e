"""The golden files: how today's code reads and writes them, and fields that it does not know."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from orchestrator import ids
from orchestrator.ledger.record import dump, load
from orchestrator.ledger.request import dump_answer, dump_request, load_answer, load_request
from orchestrator.ledger.results import dump_collect, load_collect
from orchestrator.ledger.state import dump_submit, load_submit
from orchestrator.ledger.summaries import dump_day, dump_recent, load_day, load_recent
from orchestrator.stored import Stored

FOLDER: Final = Path(__file__).parent
METADATA, EXPECTED = "metadata.json", "schedules.expected.json"
UNKNOWN: Final = {"added_later": {"by": ["a later version", 1, None]}, "extra": "another"}
"""Fields that no version knows; one has the name of the attribute that holds such fields."""

_MAPS: Final = frozenset(
    {
        "also",
        "costs",
        "environment",
        "failed_at",
        "outcomes",
        "packages",
        "parameters",
        "pools",
        "positions",
        "rounded",
        "schedules",
    }
)
"""Fields that hold keys of any name, and no object with fields of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind[T]:
    """How today's code reads and writes the blobs whose name begins with ``prefix``."""

    prefix: str
    load: Callable[[bytes], T]
    dump: Callable[[T], bytes]

    def rewrite(self, data: bytes) -> bytes:
        """Return what is written after ``data`` was read."""
        return self.dump(self.load(data))


KINDS: Final[tuple[Kind[Any], ...]] = (
    Kind(prefix=ids.REQUEST_PREFIX, load=load_request, dump=dump_request),
    Kind(prefix=ids.ANSWER_PREFIX, load=load_answer, dump=dump_answer),
    Kind(prefix=ids.OPEN_PREFIX, load=load, dump=dump),
    Kind(prefix=ids.FINAL_PREFIX, load=load, dump=dump),
    Kind(prefix=ids.SUBMIT_STATE, load=load_submit, dump=dump_submit),
    Kind(prefix=ids.COLLECT_STATE, load=load_collect, dump=dump_collect),
    Kind(prefix=ids.RECENT, load=load_recent, dump=dump_recent),
    Kind(prefix=ids.DAYS_PREFIX, load=load_day, dump=dump_day),
)


def kind_of(name: str) -> Kind[Any]:
    """Return how a blob is read and written; raises StopIteration for an unknown name."""
    return next(kind for kind in KINDS if name.startswith(kind.prefix))


def blobs(version: Path) -> dict[str, bytes]:
    """Return the JSON blobs of a version's ledger by name."""
    files = {path.relative_to(version).as_posix(): path for path in version.rglob("*.json")}
    return {
        name: files[name].read_bytes() for name in sorted(files) if name not in {METADATA, EXPECTED}
    }


def with_unknown(value: Any, *, is_map: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Return JSON with unknown fields in each of its objects."""
    if isinstance(value, list):
        return [with_unknown(one) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {key: with_unknown(one, is_map=key in _MAPS) for key, one in value.items()}
    return inner if is_map else {**inner, **UNKNOWN}


def injected(data: bytes) -> bytes:
    """Return the JSON of a blob with unknown fields in each of its objects."""
    return json.dumps(with_unknown(json.loads(data))).encode()


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the places where JSON does not have the value it had; more fields are no loss."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, one in before.items():
            if key in after:
                yield from lost(one, after[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}: is gone"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for n, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{n}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


def without_unknown(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any value
    """Yield the places of stored values that have lost the fields of ``UNKNOWN``."""
    return (place for place, extra in _extras(value, path) if extra != UNKNOWN)


def unknown_fields(value: Any) -> list[str]:  # noqa: ANN401 - any value
    """Return the fields in a value that today's code does not know."""
    return [f"{place}.{name}" for place, extra in _extras(value, "") for name in extra]


def _extras(value: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401
    if isinstance(value, Stored):
        yield path, value.extra
        for one in fields(value):
            if one.name != "extra":
                yield from _extras(getattr(value, one.name), f"{path}.{one.name}")
    elif isinstance(value, tuple):
        for n, one in enumerate(value):
            yield from _extras(one, f"{path}[{n}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _extras(one, f"{path}.{key}")
