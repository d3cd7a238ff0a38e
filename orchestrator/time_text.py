"""Times as people read them: in sentences that ticks store, and in what `recur` prints."""

from datetime import UTC, datetime


def wall_text(shown: datetime) -> str:
    """Return a wall time with its offset: ``2026-11-30 02:00-05:00``, and ``Z`` for UTC."""
    text = shown.strftime("%Y-%m-%d %H:%M") + (shown.strftime(":%S") if shown.second else "")
    is_utc = shown.tzinfo is UTC or str(shown.tzinfo) == "UTC"
    return text + ("Z" if is_utc else shown.isoformat()[-6:])
