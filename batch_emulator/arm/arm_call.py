"""One request to Azure Resource Manager as the handlers see it, and the replies they give."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiohttp import web

from batch_emulator.dataplane.network_shapes import SUBSCRIPTION
from batch_emulator.dataplane.query import Key, page
from batch_emulator.errors import ServiceError
from batch_emulator.runtime.account import Account
from batch_emulator.wire import Json, print_etag, print_http_date, read_json

GROUP: Final = "recur"
TENANT: Final = SUBSCRIPTION
TYPE: Final = "Microsoft.Batch/batchAccounts"
PRINCIPAL: Final = "11111111-1111-1111-1111-111111111111"
"""The account's own identity, if it reaches its storage by one."""
_JSON_TYPE: Final = "application/json; charset=utf-8"


def account_id(account: Account) -> str:
    """Return the account's id in Azure Resource Manager."""
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
        f"/providers/{TYPE}/{account.options.account}"
    )


def storage_id(account: Account) -> str:
    """Return the id of the account's storage in Azure Resource Manager."""
    return (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
        f"/providers/Microsoft.Storage/storageAccounts/{account.storage.account_name}"
    )


def print_tag(modified: datetime) -> str:
    """Return the tag of a resource: the data plane's, as a weak one."""
    return f'W/"{print_etag(modified)}"'


@dataclass(frozen=True, slots=True)
class ArmCall:
    """
    A request that has passed the checks of every request.

    Attributes:
        account: The account that has the resource.
        request: The request itself.
        parts: The variable parts of the path by name, decoded.
    """

    account: Account
    request: web.Request
    parts: Mapping[str, str]

    async def body(self) -> object:
        """
        Return the request's body, or an empty object if there is none.

        Raises:
            ServiceError: It is not JSON.
        """
        try:
            return read_json(await self.request.read() or b"{}")
        except (ValueError, web.RequestPayloadError) as error:  # the latter of broken gzip
            raise ServiceError("InvalidRequestBody", values=(("Reason", str(error)),)) from error

    def check_conditions(self, modified: datetime | None) -> None:
        """
        Check the conditional headers against a resource, or against its absence.

        Raises:
            ServiceError: ConditionNotMet.
        """
        headers = self.request.headers
        there = set() if modified is None else {"*", print_tag(modified)}
        wanted, unwanted = headers.get("If-Match"), headers.get("If-None-Match")
        if (wanted and wanted not in there) or (unwanted and unwanted in there):
            raise ServiceError("ConditionNotMet")

    def one(self, resource: Json, modified: datetime | None = None) -> web.Response:
        """Reply with one resource."""
        headers = {}
        if modified is not None:
            headers = {"ETag": print_tag(modified), "Last-Modified": print_http_date(modified)}
        return web.Response(
            body=json.dumps(resource, ensure_ascii=False).encode(),
            headers={**headers, "Content-Type": _JSON_TYPE},
        )

    def many[T](
        self, things: Iterable[T], show: Callable[[T], Json], name: Callable[[T], str]
    ) -> web.Response:
        """Reply with one page of a list."""
        part = page(things, self.request.query, Key(name))
        body: Json = {"value": [show(thing) for thing in part.items]}
        if part.next_query is not None:
            path = self.request.raw_path.partition("?")[0]
            body["nextLink"] = f"{self.account.url}{path}?{part.next_query}"
        return self.one(body)


def error_response(request_id: str, time: str, error: ServiceError) -> web.Response:
    """Reply with an error, in the form of Azure Resource Manager."""
    body: Json = {
        "code": error.code,
        "message": f"{error.text}\nRequestId:{request_id}\nTime:{time}",
        "target": "BatchAccount",
    }
    if error.values:
        body["details"] = [{"code": name, "message": value} for name, value in error.values]
    return web.Response(
        status=error.status,
        body=json.dumps({"error": body}).encode(),
        headers={"Content-Type": _JSON_TYPE},
    )
