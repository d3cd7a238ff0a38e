"""Reads from Azure Resource Manager, in bounded time and never anything but a read."""

import json
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest, HttpResponse

from orchestrator.adapters.calls import first_line
from recur.arm import LaptopCredential, PlainHttp

PUBLIC: Final = "https://management.azure.com"
"""Resource Manager of public Azure."""

_OK: Final = 200
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_TRIES: Final = 2
_CONNECT_SECONDS: Final = 5.0
_DEFAULT_PAUSE_SECONDS: Final = 1.0
_SHARE_OF_ONE_READ: Final = 3


class UnreadError(Exception):
    """
    Something that could not be read; ``str`` gives the reason.

        UnreadError        no answer in time, or an unusable one
        +- AbsentError     it does not exist
        +- ClosedError     nothing can be read at all: no sign-in, or no such subscription

    """


class AbsentError(UnreadError):
    """What was asked for does not exist."""


class ClosedError(UnreadError):
    """
    Nothing of the subscription can be read.

    Attributes:
        next_step: The command that helps.
    """

    def __init__(self, reason: str, next_step: str) -> None:
        self.next_step = next_step
        super().__init__(reason)


class ArmReader:
    """
    Azure Resource Manager, read by GET with the credential of the signed-in user.

    The official clients register a missing resource provider on their own; this one must not.

    Attributes:
        subscription: Id of the subscription.
    """

    def __init__(
        self,
        endpoint: str,
        subscription: str,
        credential: TokenCredential,
        *,
        limit: timedelta = timedelta(minutes=1),
    ) -> None:
        """
        Prepare it.

        Args:
            endpoint: Its address, without a path. Over plain http no real token is sent.
            subscription: Id of the subscription.
            credential: The signed-in user's.
            limit: How long all reads together may take, from now on; one may take a third of it.
        """
        self.subscription = subscription
        self._endpoint = endpoint.rstrip("/")
        plain = urlsplit(endpoint).scheme == "http"
        who = LaptopCredential() if plain else credential
        policies = [
            *([PlainHttp()] if plain else []),
            BearerTokenCredentialPolicy(who, f"{self._endpoint}/.default"),
        ]
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self._endpoint, policies=policies
        )
        self._limit_seconds = limit.total_seconds()
        self._until = time.monotonic() + self._limit_seconds

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def get(self, path: str, api_version: str, **query: str) -> dict[str, Any]:
        """
        Return one object.

        Args:
            path: Below the subscription.
            api_version: Of the resource provider.
            query: Further parameters; an underscore in front stands for the ``$`` of OData.

        Raises:
            UnreadError: There is no usable answer.
        """
        parameters = {"api-version": api_version}
        parameters |= {name.replace("_", "$"): value for name, value in query.items()}
        url = f"{self._endpoint}/subscriptions/{self.subscription}{path}"
        return self._ask(HttpRequest("GET", url, params=parameters))

    def list(self, path: str, api_version: str, **query: str) -> list[dict[str, Any]]:
        """
        Return all objects of a list, over all its pages.

        Raises:
            UnreadError: There is no usable answer; part of a list is none.
        """
        body = self.get(path, api_version, **query)
        found: list[dict[str, Any]] = []
        while True:
            page = body.get("value")
            if not isinstance(page, list) or not all(isinstance(one, dict) for one in page):
                raise UnreadError("the answer of Resource Manager contains no list")
            found += page
            link = body.get("nextLink")
            if not link:
                return found
            if urlsplit(str(link))[:2] != urlsplit(self._endpoint)[:2]:
                raise UnreadError(
                    f"Resource Manager points to a next page at another address, {urlsplit(str(link)).netloc}"
                )
            body = self._ask(HttpRequest("GET", str(link)))

    def _ask(self, request: HttpRequest) -> dict[str, Any]:
        for attempt in range(1, _TRIES + 1):
            status, headers, data = self._send(request)
            if status == _OK:
                return _object(data)
            pause = _pause_seconds(headers)
            if status not in _PASSING or attempt == _TRIES or pause >= self._left_seconds():
                break
            time.sleep(pause)
        raise self._refusal(status, data)

    def _send(self, request: HttpRequest) -> tuple[int, Mapping[str, str], bytes]:
        """Return status, headers and body; a body that trickles is given up like a missing one."""
        seconds = min(self._limit_seconds / _SHARE_OF_ONE_READ, self._left_seconds())
        if seconds <= 0:
            raise UnreadError("the time ran out before this check; allow more with --wait SECONDS")
        until = time.monotonic() + seconds
        parts: list[bytes] = []
        try:
            response = self._client.send_request(
                request,
                stream=True,
                connection_timeout=min(seconds, _CONNECT_SECONDS),
                read_timeout=seconds,
            )
            with response:
                for part in response.iter_bytes():
                    parts.append(part)
                    if time.monotonic() > until:
                        raise UnreadError(f"no complete answer within {seconds:.0f} s")
        except ClientAuthenticationError as error:
            raise ClosedError(f"you are not signed in: {first_line(error)}", "az login") from error
        except AzureError as error:
            reason = f"Resource Manager does not answer: {first_line(error)}"
            raise UnreadError(reason) from error
        return response.status_code, response.headers, b"".join(parts)

    def _refusal(self, status: int, data: bytes) -> UnreadError:
        code, message = _error_of(data)
        said = f"{code}: {message}" if code else f"status {status}"
        if status == _UNAUTHORIZED:
            return ClosedError(f"Azure refused your sign-in ({said})", "az login")
        if code == "SubscriptionNotFound":
            return ClosedError(said, "az account list --output table")
        if status == _FORBIDDEN:
            return UnreadError(f"you do not have the right to read it ({said})")
        if status == _NOT_FOUND:
            return AbsentError(said)
        return UnreadError(f"Resource Manager answered {said}")

    def _left_seconds(self) -> float:
        return self._until - time.monotonic()


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError as error:
        raise UnreadError("the answer of Resource Manager is not JSON") from error
    if not isinstance(body, dict):
        raise UnreadError("the answer of Resource Manager is not an object")
    return body


def _error_of(data: bytes) -> tuple[str, str]:
    """Return code and message of a refusal, each empty where it is missing."""
    try:
        error = json.loads(data)["error"]
        return str(error["code"]), str(error.get("message", "")).partition("\n")[0]
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _pause_seconds(headers: Mapping[str, str]) -> float:
    """Return the pause that the service asks for in seconds, or the default."""
    try:
        return max(float(headers.get("Retry-After", "")), 0.0)
    except ValueError:
        return _DEFAULT_PAUSE_SECONDS
