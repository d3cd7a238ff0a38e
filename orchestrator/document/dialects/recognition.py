"""What a line of another scheduler means, whichever it is."""

import re

from orchestrator.document.dialects.intervals import interval_readings
from orchestrator.document.dialects.lines import cron_call, kubernetes_cron, other_cron
from orchestrator.document.dialects.on_calendar import calendar_readings
from orchestrator.document.dialects.reading import Reading, in_zone, keys

NICKNAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
"""Names of expressions, in crontab and in ours."""

_ZONE = re.compile(r"(?:CRON_)?TZ=(['\"]?)(?P<name>[^\s'\"]+)\1\s+(?P<line>.+)", re.IGNORECASE)
_CALL = re.compile(r"cron\((?P<line>[^()]*)\)", re.IGNORECASE)
_LONGEST = 500


def readings(text: str) -> tuple[Reading, ...]:
    """
    Return what a line of another scheduler may mean: one reading, or two where it does not say.

    Returns:
        None at all if no dialect has such a line. Lines of our own are read behind ``CRON_TZ=``
        alone.
    """
    spelt = text.strip()
    if not spelt or len(spelt) > _LONGEST:
        return ()
    if zone := _ZONE.fullmatch(spelt):
        return tuple(_in_zone(zone["name"], zone["line"]))
    if call := _CALL.fullmatch(spelt):
        return tuple(cron_call(call["line"]))
    found = [*interval_readings(spelt), *other_cron(spelt), *calendar_readings(spelt)]
    meanings = [tuple(keys(one)) for one in found]
    return tuple(one for n, one in enumerate(found) if meanings[n] not in meanings[:n])


def _in_zone(name: str, line: str) -> list[Reading]:
    """Return the readings of a line behind ``CRON_TZ=``."""
    found = readings(line) or tuple(kubernetes_cron(NICKNAMES.get(line.strip().lower(), line)))
    return list(in_zone(found, name))
