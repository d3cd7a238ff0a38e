"""What the emulator tells its operator: one line of JSON per event, on stderr by way of logging."""

import json
import logging

_logger = logging.getLogger("batch_emulator")


def tell(event: str, **fields: object) -> None:
    """Log that ``event`` (``noun.past_participle``) has happened."""
    _logger.info("%s", json.dumps({"event": event, **fields}, default=str))


def tell_failure(event: str, error: BaseException, **fields: object) -> None:
    """Log a failure of the emulator itself, with its stack."""
    _logger.error("%s", json.dumps({"event": event, **fields}, default=str), exc_info=error)
