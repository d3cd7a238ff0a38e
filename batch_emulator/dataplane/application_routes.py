"""Handlers of applications."""

from aiohttp import web

from batch_emulator.dataplane.batch_call import BatchCall
from batch_emulator.dataplane.query import Key
from batch_emulator.errors import ServiceError
from batch_emulator.wire import Json


def _show_application(application: tuple[str, list[str]]) -> Json:
    name, versions = application
    return {"id": name, "displayName": name, "versions": versions}


async def list_applications(call: BatchCall) -> web.StreamResponse:
    """Answer GET /applications."""
    applications = call.account.active_versions().items()
    key = Key[tuple[str, list[str]]](lambda application: application[0])
    return call.many("listapplicationsummariesresponses", applications, _show_application, key)


async def get_application(call: BatchCall) -> web.StreamResponse:
    """Answer GET of an application."""
    wanted = call.part("applicationId").lower()
    for application in call.account.active_versions().items():
        if application[0].lower() == wanted:
            return call.one("getapplicationsummaryresponse", _show_application(application))
    raise ServiceError("ApplicationNotFound")
