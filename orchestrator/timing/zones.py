"""Time zones, from the pinned tzdata package alone: a record names its version."""

import re
from datetime import tzinfo
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from orchestrator.errors import ScheduleSyntaxError

_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)+")
_DATA = resources.files("tzdata")


@lru_cache(maxsize=1024)
def parse_zone(name: str) -> tzinfo:
    """
    Return the zone of an IANA name: ``Area/Place``, or ``UTC``.

    The search path of Python's own zones, which the environment can set, is not asked.

    Raises:
        ScheduleSyntaxError: There is no such zone.
    """
    if name not in zone_names():
        raise ScheduleSyntaxError(f"there is no time zone {name!r}")
    if not (_NAME.fullmatch(name) or name == "UTC"):
        # EST, Factory and the like mean what nobody expects.
        raise ScheduleSyntaxError(
            f"time zone {name!r} is not accepted: name an area and a place, or UTC"
        )
    with _DATA.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@cache
def zone_names() -> frozenset[str]:
    """Return all names that tzdata has, deprecated ones as well."""
    return frozenset(_DATA.joinpath("zones").read_text(encoding="utf-8").split())
