"""Handlers of applications."""

from typing import Final, cast

from aiohttp import web

from batch_emulator.arm.arm_call import TYPE, ArmCall, account_id, print_tag
from batch_emulator.dataplane.shapes import boolean, identifier, inert, shape, text, unsupported
from batch_emulator.errors import ServiceError
from batch_emulator.runtime.applications import Application
from batch_emulator.wire import Json

_BODY: Final = shape(
    {
        # What is read-only may be sent back, and is ignored, as Azure Resource Manager does.
        **dict.fromkeys(("id", "name", "type", "etag", "systemData"), inert),
        "tags": unsupported,
        "properties": shape(
            {"allowUpdates": boolean, "displayName": text, "defaultVersion": unsupported}
        ),
    }
)


def the_application(call: ArmCall) -> Application:
    """
    Return the application of the path.

    Raises:
        ServiceError: ApplicationNotFound.
    """
    if found := call.account.applications.find(call.parts["application"]):
        return found
    raise ServiceError("ApplicationNotFound")


def application_id(call: ArmCall, application: Application) -> str:
    """Return the id of an application."""
    return f"{account_id(call.account)}/applications/{application.id}"


def _arm_application(call: ArmCall, application: Application) -> Json:
    properties: Json = {"allowUpdates": application.allow_updates}
    if application.display_name is not None:
        properties["displayName"] = application.display_name
    return {
        "type": f"{TYPE}/applications",
        "id": application_id(call, application),
        "name": application.id,
        "etag": print_tag(application.modified),
        "properties": properties,
    }


async def get(call: ArmCall) -> web.Response:
    """Answer GET of an application."""
    found = the_application(call)
    return call.one(_arm_application(call, found), found.modified)


async def many(call: ArmCall) -> web.Response:
    """Answer GET of all applications."""
    return call.many(
        call.account.applications, lambda item: _arm_application(call, item), lambda item: item.id
    )


async def _read_properties(call: ArmCall) -> Json:
    body = cast("Json", _BODY("", await call.body()))
    return cast("Json", body.get("properties", {}))


async def put(call: ArmCall) -> web.Response:
    """Answer PUT of an application: absent properties get their defaults; versions are kept."""
    name = str(identifier("applicationName", call.parts["application"]))
    given = await _read_properties(call)
    application = call.account.applications.find(name)
    if application is None:
        application = Application(name, call.account.clock.now())
        call.account.applications.add(name, application)
    application.allow_updates = given.get("allowUpdates", True)
    application.display_name = given.get("displayName")
    application.modified = call.account.clock.now()
    return call.one(_arm_application(call, application), application.modified)


async def patch(call: ArmCall) -> web.Response:
    """Answer PATCH of an application."""
    given, application = await _read_properties(call), the_application(call)
    application.allow_updates = given.get("allowUpdates", application.allow_updates)
    application.display_name = given.get("displayName", application.display_name)
    application.modified = call.account.clock.now()
    return call.one(_arm_application(call, application), application.modified)


async def delete(call: ArmCall) -> web.Response:
    """Answer DELETE of an application, which must have no versions."""
    application = call.account.applications.find(call.parts["application"])
    if application is None:
        return web.Response(status=204)
    if tuple(application.versions):
        raise ServiceError("ApplicationPackagesNotEmpty")
    call.account.applications.remove(application.id)
    return web.Response(status=200)
