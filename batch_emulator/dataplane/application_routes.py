"""Handlers of applications."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.query import Key
from batch_emulator.errors import ServiceError
from batch_emulator.wire import Json


def _active(call: BatchCall) -> list[Json]:
    """Return what is shown of each application that has an active version."""
    shown: list[Json] = []
    for name, versions in call.account.active_versions().items():
        application = call.account.applications.find(name)
        title = application.display_name if application else None
        named: Json = {"displayName": title} if title else {}
        shown.append({"id": name, **named, "versions": versions})
    return shown


async def list_applications(call: BatchCall) -> web.StreamResponse:
    """Answer GET /applications."""
    key = Key[Json](lambda application: str(application["id"]))
    return call.many("listapplicationsummariesresponses", _active(call), lambda shown: shown, key)


async def get_application(call: BatchCall) -> web.StreamResponse:
    """Answer GET of an application."""
    wanted = call.part("applicationId").lower()
    for application in _active(call):
        if str(application["id"]).lower() == wanted:
            return call.one("getapplicationsummaryresponse", application)
    raise ServiceError("ApplicationNotFound")
