"""The shared key: every request's signature is computed again and compared."""

import base64
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs

from batch_emulator.errors import ServiceError
from batch_emulator.wire import parse_http_date

_SCHEME: Final = "SharedKey "
_MOST_SKEW: Final = timedelta(minutes=15)
_SIGNED_HEADERS: Final = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def string_to_sign(account: str, method: str, raw_target: str, headers: Mapping[str, str]) -> str:
    """
    Return what the client must have signed.

    Args:
        account: The account's name.
        method: The HTTP method.
        raw_target: Path and query as received, still percent-encoded.
        headers: The headers as received; the case of their names does not count. Clients that send
            no length sign an empty one.
    """
    return _to_sign(account, method, raw_target, _by_lower_name(headers))


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if value}


def _to_sign(account: str, method: str, raw_target: str, given: Mapping[str, str]) -> str:
    path, _, query = raw_target.partition("?")
    lines = [method, *(given.get(name, "") for name in _SIGNED_HEADERS)]
    lines += sorted(f"{name}:{value}" for name, value in given.items() if name.startswith("ocp-"))
    lines.append(f"/{account}{path}")
    lines += _signed_query(query)
    return "\n".join(lines)


@lru_cache
def _signed_query(query: str) -> list[str]:
    return [f"{name}:{values[0]}" for name, values in sorted(parse_qs(query).items())]


def sign(key: str, text: str) -> str:
    """Return the signature of ``text`` by the base64 key."""
    digest = hmac.digest(_decoded(key), text.encode(errors="surrogateescape"), "sha256")
    return base64.b64encode(digest).decode()


@lru_cache
def _decoded(key: str) -> bytes:
    return base64.b64decode(key)


def verify(  # noqa: PLR0913 - each is a part of what is signed
    *,
    account: str,
    key: str,
    method: str,
    raw_target: str,
    headers: Mapping[str, str],
    now: datetime,
) -> None:
    """
    Refuse a request that was not signed with the account's key a short time ago.

    Raises:
        ServiceError: AuthenticationFailed, with the reason.
    """
    given = _by_lower_name(headers)
    authorization = given.get("authorization", "")
    if not authorization.startswith(_SCHEME):
        raise _failed("The emulator verifies the authorization scheme SharedKey and no other")
    name, _, signature = authorization.removeprefix(_SCHEME).partition(":")
    if name != account:
        raise _failed(f"The account of the request is not {account}")
    given_signature = signature.encode(errors="surrogateescape")  # aiohttp's reading of odd bytes
    text = _to_sign(account, method, raw_target, given)
    # Jobs of job schedules have a colon in their ids. aiohttp sends it plain, and azure-batch has
    # signed it as %3A by then.
    quoted = _to_sign(account, method, raw_target.replace(":", "%3A"), given)
    if not any(
        hmac.compare_digest(given_signature, sign(key, one).encode())
        for one in dict.fromkeys((text, quoted))
    ):
        shown = text.replace("\n", "\\n")
        raise _failed(
            "The MAC signature found in the HTTP request is not the same as any computed "
            f"signature. Server used following string to sign: '{shown}'"
        )
    _verify_date(given.get("ocp-date") or given.get("date", ""), now)


def _verify_date(text: str, now: datetime) -> None:
    try:
        date = parse_http_date(text)
    except (ValueError, OverflowError):
        raise _failed(f"The date of the request cannot be read: '{text}'") from None
    if abs(now - date) > _MOST_SKEW:
        raise _failed(f"The date of the request is too far from now: '{text}'")


def _failed(detail: str) -> ServiceError:
    values = (("AuthenticationErrorDetail", detail),)
    return ServiceError("AuthenticationFailed", values=values)
