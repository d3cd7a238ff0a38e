"""Which time zone somebody may have meant who wrote another name."""

import re
from difflib import get_close_matches
from functools import cache, lru_cache

from orchestrator.document.windows_zones import WINDOWS_ZONES
from orchestrator.errors import ScheduleSyntaxError
from orchestrator.timing.zones import parse_zone, zone_names

# One zone of those in which an abbreviation is used: where several are possible, the most lived in.
_ABBREVIATIONS = {
    "AEST": "Australia/Brisbane",
    "AEDT": "Australia/Sydney",
    "BST": "Europe/London",
    "CDT": "America/Chicago",
    "CEST": "Europe/Paris",
    "CET": "Europe/Paris",
    "CST": "America/Chicago",
    "CST6CDT": "America/Chicago",
    "CT": "America/Chicago",
    "EDT": "America/New_York",
    "EET": "Europe/Athens",
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
    "ET": "America/New_York",
    "GB": "Europe/London",
    "GMT": "UTC",
    "HST": "Pacific/Honolulu",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MDT": "America/Denver",
    "MET": "Europe/Paris",
    "MSK": "Europe/Moscow",
    "MST": "America/Denver",
    "MST7MDT": "America/Denver",
    "MT": "America/Denver",
    "NZST": "Pacific/Auckland",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles",
    "PT": "America/Los_Angeles",
    "SGT": "Asia/Singapore",
    "UK": "Europe/London",
    "WET": "Europe/Lisbon",
    "Z": "UTC",
    "ZULU": "UTC",
}
# Large cities that no zone is named for; the zone's own city keeps the same time.
_CITIES = {
    "amritsar": "Asia/Kolkata",
    "atlanta": "America/New_York",
    "bangalore": "Asia/Kolkata",
    "barcelona": "Europe/Madrid",
    "beijing": "Asia/Shanghai",
    "bengaluru": "Asia/Kolkata",
    "bern": "Europe/Zurich",
    "boston": "America/New_York",
    "cape town": "Africa/Johannesburg",
    "dallas": "America/Chicago",
    "delhi": "Asia/Kolkata",
    "edinburgh": "Europe/London",
    "frankfurt": "Europe/Berlin",
    "geneva": "Europe/Zurich",
    "hamburg": "Europe/Berlin",
    "houston": "America/Chicago",
    "hyderabad": "Asia/Kolkata",
    "manchester": "Europe/London",
    "miami": "America/New_York",
    "milan": "Europe/Rome",
    "mumbai": "Asia/Kolkata",
    "munich": "Europe/Berlin",
    "new delhi": "Asia/Kolkata",
    "osaka": "Asia/Tokyo",
    "philadelphia": "America/New_York",
    "rio de janeiro": "America/Sao_Paulo",
    "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles",
    "washington": "America/New_York",
}
_OFFSET = re.compile(r"(?:utc|gmt)? ?(?P<sign>[+-]) ?(?P<hours>\d{1,2})(?::?(?P<minutes>[0-5]\d))?")
_WINDOWS_TIME = re.compile(r"\b(?:standard |daylight |summer )?time\b")
_SHOWN_OFFSET = re.compile(r"^\(utc[^)]*\) ?")
_LONGEST, _CLOSE = 100, 0.85
_FORMER = ("Brazil/", "Canada/", "Chile/", "Etc/", "Mexico/", "US/")  # names of before 1993


def check_zone(name: str) -> None:
    """
    Refuse what is no IANA name, spelt as the database spells it.

    Raises:
        ScheduleSyntaxError: Says which name may have been meant.
    """
    if len(name) > _LONGEST:
        raise ScheduleSyntaxError(
            f"{name[:_LONGEST]!r}... is longer than the name of any time zone"
        )
    try:
        parse_zone(name)
    except ScheduleSyntaxError as error:
        raise ScheduleSyntaxError(f"{error}; {_hint(name)}") from error


@lru_cache(maxsize=256)
def _hint(name: str) -> str:
    """Say which zone may have been meant."""
    plain = _plain(name)
    if offset := _OFFSET.fullmatch(plain):
        return _of_an_offset(offset)
    spelt = name.strip().upper()
    meant = _ABBREVIATIONS.get(spelt) or _ABBREVIATIONS.get(spelt.rstrip("0123456789"))  # EST5
    meant = meant or _named(plain) or _misspelt(plain)
    return f"did you mean {meant!r}?" if meant else "write an IANA name such as 'Europe/Paris'"


def _plain(name: str) -> str:
    """Return a name in lower case, with single spaces between its words."""
    return " ".join(name.lower().replace("_", " ").replace("\\", "/").split())


def _windows_key(plain: str) -> str:
    """Return what tells one name of Windows from another: without its kind of time."""
    return " ".join(_WINDOWS_TIME.sub(" ", plain).split())


def _of_an_offset(offset: re.Match[str]) -> str:
    """Say that a place is asked for, and which name a fixed offset has: its sign is the other one."""
    hint = "an offset is not a time zone: name a place, such as 'Europe/Paris'"
    hours = int(offset["hours"])
    fixed = f"Etc/GMT{'-' if offset['sign'] == '+' else '+'}{hours}"
    if int(offset["minutes"] or 0) or fixed not in zone_names() or not hours:
        return hint
    return f"{hint}; {fixed!r} is UTC{offset['sign']}{hours:02}:00 all year"


def _named(plain: str) -> str | None:
    """Return the zone of a name that stands for one: of IANA, of Windows, of a place."""
    spellings, places, windows = _names()
    plain = _SHOWN_OFFSET.sub("", plain)  # as Windows lists its zones
    if zone := spellings.get(plain) or windows.get(_windows_key(plain)):
        return zone
    first, *others = (piece.strip() for piece in re.split(r"[,/()]", plain))
    for piece in (plain, *others[-1:], first, *others[:-1]):
        if zone := places.get(piece) or _CITIES.get(piece):
            return zone
    return windows.get(_windows_key(first)) if "time" in first else None


def _misspelt(plain: str) -> str | None:
    """Return the zone whose name, or whose place, differs by a letter or two."""
    spellings, places, _ = _names()
    for names in (spellings, places):
        if close := get_close_matches(plain, names, n=1, cutoff=_CLOSE):
            return names[close[0]]
    return None


@cache
def _names() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Return zones by their names, by their places, and by the names that Windows has for them."""
    zones = [one for one in sorted(zone_names()) if "/" in one or one == "UTC"]
    current = [one for one in zones if not one.startswith(_FORMER)] + ["UTC"]
    places = {_plain(one.rpartition("/")[2]): one for one in reversed(current)}
    windows = {_windows_key(_plain(name)): zone for name, zone in WINDOWS_ZONES.items()}
    return {_plain(one): one for one in zones}, places, windows
