"""Which requests come from this machine's own programs, and not from a web page in a browser."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

_NAMES: Final = ("127.0.0.1", "[::1]", "localhost")
_HTTP_PORT: Final = 80
_ABSOLUTE: Final = re.compile(r"http://(?P<authority>[^/?#]*)", re.IGNORECASE)


def refusal_reason(
    *, method: str, target: str, hosts: Sequence[str], origins: Sequence[str], port: int
) -> str | None:
    """
    Return why a request is refused, as a sentence; None lets it pass.

    A page whose name resolves to 127.0.0.1 sends that name in ``Host`` (DNS rebinding). Browsers
    send ``Origin`` with what scripts and forms send across sites; other programs send none.

    Args:
        method: Of the request.
        target: The request target as it came; its absolute form counts more than ``Host``.
        hosts: Every header ``Host``.
        origins: Every header ``Origin``.
        port: Where the request has arrived.
    """
    allowed, wanted = _own_names(port)
    if len(hosts) != 1:
        return f"A request needs one header Host, with {wanted}; this one has {len(hosts)}."
    if hosts[0].lower() not in allowed:
        return f"The header Host must be {wanted}."
    if not target.startswith("/") and (method, target) != ("OPTIONS", "*"):
        found = _ABSOLUTE.match(target)
        authority = found["authority"] if found else target
        if authority.lower() not in allowed:
            return f"The host of the request's address must be {wanted}."
    if origins:
        return "Web pages cannot use the emulator: leave out the header Origin."
    return None


@cache
def _own_names(port: int) -> tuple[frozenset[str], str]:
    """Return the hosts that a request may name, and the words for them in messages."""
    names = [f"{name}:{port}" for name in _NAMES]
    allowed = frozenset({*names, *(_NAMES if port == _HTTP_PORT else ())})
    return allowed, f"{', '.join(names[:-1])} or {names[-1]}"
