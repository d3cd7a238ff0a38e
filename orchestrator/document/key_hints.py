"""Which key may have been meant by one that the document does not have."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

_CLOSE = 0.75
_LONGEST = 40
_APART = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_\-. ]")

# What other schedulers call it, without capitals, hyphens and underscores.
ELSEWHERE = {
    "allowconcurrency": "overlap",
    "args": "command",
    "arguments": "command",
    "attempts": "retries.max",
    "backofflimit": "retries.max",
    "cmd": "command",
    "coalesce": "catch_up.mode",
    "contact": "owner",
    "commandline": "command",
    "comment": "description",
    "concurrency": "overlap",
    "concurrencypolicy": "overlap",
    "cronexpression": "cron",
    "cronschedule": "cron",
    "env": "environment",
    "envvars": "environment",
    "exclude": "except",
    "exec": "command",
    "execstart": "command",
    "expires": "end",
    "expression": "cron",
    "flexibletimewindow": "jitter",
    "labels": "tags",
    "maxactiveruns": "max_parallel",
    "maxinstances": "max_parallel",
    "maxretries": "retries.max",
    "maxtaskretrycount": "retries.max",
    "maxwallclocktime": "run_timeout",
    "misfire": "catch_up",
    "misfiregracetime": "catch_up.window",
    "misfirepolicy": "catch_up",
    "notbefore": "start",
    "documentation": "runbook",
    "donotrunafter": "end",
    "donotrununtil": "start",
    "enddate": "end",
    "endtime": "end",
    "endat": "end",
    "notafter": "end",
    "oncalendar": "cron",
    "period": "every",
    "persistent": "catch_up.mode",
    "rate": "every",
    "randomizeddelaysec": "jitter",
    "recurrenceinterval": "every",
    "repeat": "interval",
    "retry": "retries",
    "retrypolicy": "retries",
    "retrycount": "retries.max",
    "runat": "at",
    "runonce": "at",
    "schedule": "cron",
    "scheduleexpression": "cron",
    "scheduleinterval": "cron",
    "script": "command",
    "skipdates": "except",
    "splay": "jitter",
    "startat": "start",
    "startdate": "start",
    "startingdeadlineseconds": "catch_up.window",
    "starttime": "start",
    "startwindow": "catch_up.window",
    "summary": "description",
    "team": "owner",
    "timeout": "run_timeout",
    "timelimit": "run_timeout",
    "tz": "time_zone",
    "until": "end",
    "when": "cron",
    "zone": "time_zone",
}
INNER = {
    "catch_up": {"count": "max", "limit": "max", "policy": "mode"},
    "dst": {"fold": "overlap", "folds": "overlap"},
    "retries": {
        "attempts": "max",
        "codes": "exit_codes",
        "count": "max",
        "delay": "backoff",
        "interval": "backoff",
        "limit": "max",
        "outcomes": "on",
        "wait": "backoff",
    },
}
_SWITCHES = {
    "enabled": True,
    "disabled": False,
    "suspend": False,
    "suspended": False,
    "active": True,
}
"""Keys that pause a schedule elsewhere, and whether the schedule runs where they are true."""
_POLICIES = {"forbid": "skip", "allow": "allow", "replace": "replace"}


def key_hint(key: str, value: object, table: str | None, known: Mapping[str, Iterable[str]]) -> str:
    """
    Say what to write instead of a key.

    Args:
        key: As it stands in the document.
        value: Which it has.
        table: The inner table that it stands in; None for that of a schedule.
        known: The keys of a schedule, each with the keys of the inner table that it is.
    """
    if table is not None:
        return _in_table(key, table, known)
    if elsewhere := _elsewhere(_plain(key), value):
        return f"write {elsewhere}"
    if close := close_key(key, known):
        return f"did you mean {close!r}?"
    holders = [f"{outer}.{key}" for outer, inner in known.items() if key in inner]
    return f"did you mean {' or '.join(map(repr, holders))}?" if holders else ""


def _elsewhere(plain: str, value: object) -> str | None:
    """Return what to write for a key of another scheduler, with its value where that is known."""
    if plain in _SWITCHES and isinstance(value, bool):
        return f"paused = {str(value is not _SWITCHES[plain]).lower()}"
    if plain in _SWITCHES:
        return "paused = true if it must not run"
    meant = ELSEWHERE.get(plain)
    if meant == "overlap" and isinstance(value, str) and value.lower() in _POLICIES:
        return f'overlap = "{_POLICIES[value.lower()]}"'
    return meant


def _in_table(key: str, table: str, known: Mapping[str, Iterable[str]]) -> str:
    """Say what to write instead of a key of an inner table."""
    inner = known.get(table, ())
    if meant := INNER.get(table, {}).get(_plain(key)):
        return f"write {meant}"
    if close := close_key(key, inner):
        return f"did you mean {close!r}?"
    if key in known:
        return f"it is a key of the schedule: write it above the table {table}"
    return f"known are {', '.join(inner)}" if inner else ""


def close_key(key: str, known: Iterable[str]) -> str | None:
    """Return the name that differs from a key by a letter or two, or by how its words are joined."""
    if len(key) > _LONGEST:
        return None
    plain = {_plain(one): one for one in known}
    sought = _plain(key)
    if found := plain.get(sought):
        return found
    if same := [one for one in plain if sorted(one) == sorted(sought)]:  # two letters swapped
        return plain[same[0]]
    close = get_close_matches(sought, plain, n=1, cutoff=_CLOSE)
    return plain[close[0]] if close else None


def _plain(key: str) -> str:
    return _APART.sub("", key[: _LONGEST + 1]).lower()
