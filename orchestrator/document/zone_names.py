"""Which time zone somebody may have meant who wrote another name."""

import re
from difflib import get_close_matches
from functools import lru_cache

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
    "EDT": "America/New_York",
    "EET": "Europe/Athens",
    "EST": "America/New_York",
    "EST5EDT": "America/New_York",
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
    "NZST": "Pacific/Auckland",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "PST8PDT": "America/Los_Angeles",
    "SGT": "Asia/Singapore",
    "WET": "Europe/Lisbon",
    "Z": "UTC",
    "ZULU": "UTC",
}
_WINDOWS = {
    "arabian": "Asia/Dubai",
    "argentina": "America/Argentina/Buenos_Aires",
    "atlantic": "America/Halifax",
    "aus eastern": "Australia/Sydney",
    "cen. australia": "Australia/Adelaide",
    "central": "America/Chicago",
    "central america": "America/Guatemala",
    "central europe": "Europe/Budapest",
    "central european": "Europe/Warsaw",
    "china": "Asia/Shanghai",
    "e. australia": "Australia/Brisbane",
    "e. south america": "America/Sao_Paulo",
    "eastern": "America/New_York",
    "egypt": "Africa/Cairo",
    "fle": "Europe/Kyiv",
    "gmt": "Europe/London",
    "greenwich": "Africa/Abidjan",
    "gtb": "Europe/Bucharest",
    "hawaiian": "Pacific/Honolulu",
    "india": "Asia/Kolkata",
    "israel": "Asia/Jerusalem",
    "korea": "Asia/Seoul",
    "mountain": "America/Denver",
    "new zealand": "Pacific/Auckland",
    "newfoundland": "America/St_Johns",
    "pacific": "America/Los_Angeles",
    "romance": "Europe/Paris",
    "russian": "Europe/Moscow",
    "sa pacific": "America/Bogota",
    "se asia": "Asia/Bangkok",
    "singapore": "Asia/Singapore",
    "south africa": "Africa/Johannesburg",
    "tokyo": "Asia/Tokyo",
    "turkey": "Europe/Istanbul",
    "us mountain": "America/Phoenix",
    "w. europe": "Europe/Berlin",
}

_OFFSET = re.compile(r"(utc|gmt)? ?[+-] ?[0-9:]+")


def check_zone(name: str) -> None:
    """
    Refuse what is no IANA name, spelt as the database spells it.

    Raises:
        ScheduleSyntaxError: Says which name may have been meant.
    """
    try:
        parse_zone(name)
    except ScheduleSyntaxError as error:
        raise ScheduleSyntaxError(f"{error}; {_hint(name)}") from error


@lru_cache(maxsize=256)
def _hint(name: str) -> str:
    """Say which zone may have been meant."""
    plain = " ".join(name.lower().split())
    if _OFFSET.fullmatch(plain):
        return "an offset is no zone: name a place, such as 'Europe/Paris'"
    windows = plain.removesuffix(" time").removesuffix(" standard").removesuffix(" daylight")
    spelt = name.strip().upper()
    posix = spelt.rstrip("0123456789")  # as in EST5
    meant = _ABBREVIATIONS.get(spelt) or _ABBREVIATIONS.get(posix)
    if plain.endswith(" time"):
        meant = _WINDOWS.get(windows)
    if meant is None:
        spellings = {one.lower(): one for one in sorted(zone_names()) if "/" in one or one == "UTC"}
        places = {one.rpartition("/")[2].lower(): one for one in spellings.values()}
        sought = plain.replace(" ", "_")
        for words in (spellings, places):
            close = get_close_matches(sought, words, n=1, cutoff=0.7)
            if close:
                meant = words[close[0]]
                break
    return f"did you mean {meant!r}?" if meant else "IANA names are such as 'Europe/Paris'"
