"""
Handlers of the versions of an application.

The client uploads the package itself. Since May 2026 only the reply to PUT has the address of the
upload. It holds a signature only if the account reaches its storage by key. An activation does not
look into the package; a file that is not a zip makes nodes unusable.
"""

import contextlib
import re
from datetime import timedelta
from typing import Final, cast

from aiohttp import web
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, generate_blob_sas

from batch_emulator.arm.application_routes import application_id, the_application
from batch_emulator.arm.arm_call import TYPE, ArmCall, print_tag
from batch_emulator.dataplane.shapes import only, shape
from batch_emulator.errors import ServiceError, invalid_property
from batch_emulator.runtime.applications import Version
from batch_emulator.wire import Json, now, print_time

_NAME: Final = re.compile(r"[a-zA-Z0-9_-][a-zA-Z0-9_.-]{0,63}")
_ACTIVATION: Final = shape({"format": only("zip")}, required=("format",))
_EXPIRES_AFTER: Final = timedelta(hours=4)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)


def _the_version(call: ArmCall) -> Version:
    if found := the_application(call).versions.find(call.parts["version"]):
        return found
    raise ServiceError("ApplicationPackageNotFound")


def _arm_version(call: ArmCall, version: Version, **address: str) -> Json:
    properties: Json = {"state": version.state, **address}
    if version.activated is not None:
        properties |= {"format": "zip", "lastActivationTime": print_time(version.activated)}
    return {
        "type": f"{TYPE}/applications/versions",
        "id": f"{application_id(call, the_application(call))}/versions/{version.id}",
        "name": version.id,
        "etag": print_tag(version.modified),
        "properties": properties,
    }


async def get(call: ArmCall) -> web.Response:
    """Answer GET of a version."""
    version = _the_version(call)
    return call.one(_arm_version(call, version), version.modified)


async def many(call: ArmCall) -> web.Response:
    """Answer GET of all versions of an application."""
    return call.many(
        the_application(call).versions, lambda item: _arm_version(call, item), lambda item: item.id
    )


async def put(call: ArmCall) -> web.Response:
    """Answer PUT of a version: the only reply with the address for uploading its package."""
    name = call.parts["version"]
    if not _NAME.fullmatch(name):
        reason = "A version has 1 to 64 letters, digits, hyphens, underscores and, inside, dots"
        raise invalid_property("versionName", name, reason)
    application = the_application(call)
    version = application.open(name, call.account.clock.now())
    with contextlib.suppress(ResourceExistsError):
        await call.account.storage.create_container(application.container)
    return call.one(_arm_version(call, version, **_address(call, version)), version.modified)


def _address(call: ArmCall, version: Version) -> dict[str, str]:
    storage, blob = call.account.storage, version.package.blob
    url = f"{str(storage.url).rstrip('/')}/{blob}"
    if not call.account.options.package_sas:
        return {"storageUrl": url}
    container, _, name = blob.partition("/")
    expiry = now() + _EXPIRES_AFTER
    signature = generate_blob_sas(
        str(storage.account_name),
        container,
        name,
        account_key=storage.credential.account_key,
        permission=BlobSasPermissions(read=True, write=True),
        start=now() - _CLOCKS_DIFFER,
        expiry=expiry,
    )
    return {"storageUrl": f"{url}?{signature}", "storageUrlExpiry": print_time(expiry)}


def _activatable(call: ArmCall) -> Version:
    version = _the_version(call)
    the_application(call).check_overwriting(version)
    return version


async def activate(call: ArmCall) -> web.Response:
    """Answer POST of an activation: the blob must exist; its content is not checked."""
    _ACTIVATION("", cast("Json", await call.body()))
    version = _activatable(call)
    container, _, name = version.package.blob.partition("/")
    if not await call.account.storage.get_blob_client(container, name).exists():
        raise ServiceError("ApplicationPackageBlobNotFound")
    version = _activatable(call)  # it may have been changed meanwhile
    version.activate(call.account.clock.now())
    return call.one(_arm_version(call, version), version.modified)


async def delete(call: ArmCall) -> web.Response:
    """Answer DELETE of a version and its package, even if a pool refers to it."""
    application = the_application(call)
    version = application.versions.find(call.parts["version"])
    if version is None:
        return web.Response(status=204)
    application.versions.remove(version.id)
    if version.package.blob:
        container, _, name = version.package.blob.partition("/")
        with contextlib.suppress(ResourceNotFoundError):
            await call.account.storage.get_blob_client(container, name).delete_blob()
    return web.Response(status=200)
