"""The journal for the operator: one line of JSON per event, on stderr through logging."""

import json
import logging

_logger = logging.getLogger("batch_emulator")
_encoder = json.JSONEncoder(default=str)


def tell(event: str, **fields: object) -> None:
    """Log that ``event`` (``noun.past_participle``) has happened."""
    if _logger.isEnabledFor(logging.INFO):
        _logger.info("%s", _encoder.encode({"event": event, **fields}))


def tell_failure(event: str, error: BaseException, **fields: object) -> None:
    """Log a failure of the emulator itself, with its stack."""
    _logger.error("%s", _encoder.encode({"event": event, **fields}), exc_info=error)
