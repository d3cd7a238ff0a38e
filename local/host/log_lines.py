"""The log of the host: one line per event, on stderr."""

import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_EVENT = "microsoft.custom_event.name"


class LineFormatter(logging.Formatter):
    """
    ``05:43:00.012 info    local.host: the message key=value``, in UTC.

    Keys come from the record's extra, as Application Insights would get them. The message of a
    custom event has them already.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a traceback follows on lines of its own."""
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if _EVENT in extra:
            extra = {}
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        line = " ".join(
            [
                f"{at} {record.levelname.lower():7} {record.name}:",
                record.getMessage(),
                *(f"{key}={value}" for key, value in extra.items()),
            ]
        )
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def write_log_lines() -> None:
    """Send all logs of this process to stderr, those of the Azure SDK from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("azure").setLevel(logging.WARNING)
