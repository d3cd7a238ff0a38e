"""Times as people read them: in sentences that ticks store, and in what `recur` prints."""

from datetime import UTC, datetime, tzinfo


def local(instant: datetime, zone: tzinfo | None) -> str:
    """
    Return an instant as the wall clock of a zone shows it, with its offset.

    Args:
        instant: Any.
        zone: None: the terminal's.
    """
    shown = instant.astimezone(zone)
    text = shown.strftime("%Y-%m-%d %H:%M") + (shown.strftime(":%S") if shown.second else "")
    return text + _offset_text(shown)


def _offset_text(shown: datetime) -> str:
    """Return the offset of a local time: ``-05:00``, and ``Z`` for UTC."""
    return "Z" if shown.tzinfo is UTC or str(shown.tzinfo) == "UTC" else shown.isoformat()[-6:]
