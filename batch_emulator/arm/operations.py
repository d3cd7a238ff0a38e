"""
The operations of Azure Resource Manager, by the names that azure-mgmt-batch 19 gives them.

What is not in the table is refused. ``batch_emulator/SUPPORT.md`` lists them for people; a test
compares the two.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from batch_emulator.arm import account_routes, application_routes, pool_routes, version_routes
from batch_emulator.arm.arm_call import ArmCall

type ArmHandle = Callable[[ArmCall], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class ArmOperation:
    """
    One operation.

    Attributes:
        name: The official client's name for it.
        method: The HTTP method.
        path: The path below the account's id, with its variable parts in braces.
        handler: What answers it.
        query: Its query parameters besides ``api-version``.
        conditional: Whether it honours If-Match and If-None-Match.
    """

    name: str
    method: str
    path: str
    handler: ArmHandle
    query: frozenset[str] = frozenset()
    conditional: bool = False

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """Return the variable parts of a path of this operation, whose case does not count."""
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path, re.IGNORECASE) if method == self.method else None
        return found.groupdict() if found else None


_PAGED: Final = frozenset({"maxresults", "$skiptoken"})
_APPLICATION: Final = "/applications/{application}"
_VERSION: Final = f"{_APPLICATION}/versions/{{version}}"
_POOL: Final = "/pools/{pool}"

ARM_OPERATIONS: Final = (
    ArmOperation("batch_account.get", "GET", "", account_routes.get),
    ArmOperation("application.list", "GET", "/applications", application_routes.many, _PAGED),
    ArmOperation("application.get", "GET", _APPLICATION, application_routes.get),
    ArmOperation("application.create", "PUT", _APPLICATION, application_routes.put),
    ArmOperation("application.update", "PATCH", _APPLICATION, application_routes.patch),
    ArmOperation("application.delete", "DELETE", _APPLICATION, application_routes.delete),
    ArmOperation(
        "application_package.list", "GET", f"{_APPLICATION}/versions", version_routes.many, _PAGED
    ),
    ArmOperation("application_package.get", "GET", _VERSION, version_routes.get),
    ArmOperation("application_package.create", "PUT", _VERSION, version_routes.put),
    ArmOperation(
        "application_package.activate", "POST", f"{_VERSION}/activate", version_routes.activate
    ),
    ArmOperation("application_package.delete", "DELETE", _VERSION, version_routes.delete),
    ArmOperation("pool.list_by_batch_account", "GET", "/pools", pool_routes.many, _PAGED),
    ArmOperation("pool.get", "GET", _POOL, pool_routes.get),
    ArmOperation("pool.create", "PUT", _POOL, pool_routes.put, conditional=True),
    ArmOperation("pool.update", "PATCH", _POOL, pool_routes.patch, conditional=True),
    ArmOperation("pool.begin_delete", "DELETE", _POOL, pool_routes.delete),
    ArmOperation(
        "pool.begin_delete (polling)", "GET", "/poolOperationResults/{pool}", pool_routes.deletion
    ),
)
