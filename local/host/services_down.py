"""Which services of the laptop do not answer."""

import os
import socket
from typing import Final
from urllib.parse import urlsplit

_SERVICES: Final = {"DATA_STORAGE_URL": "blob storage", "BATCH_ACCOUNT_URL": "the Batch account"}
_PROBE_SECONDS: Final = 1.0


def services_down() -> str | None:
    """Name the services of the settings that do not answer, in one sentence; None if all do."""
    urls = {service: os.environ.get(setting, "") for setting, service in _SERVICES.items()}
    silent = [f"{service} at {url}" for service, url in urls.items() if url and not _answers(url)]
    if not silent:
        return None
    return f"{' and '.join(silent)} {'do' if len(silent) > 1 else 'does'} not answer"


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _PROBE_SECONDS).close()
    except OSError:
        return False
    return True
