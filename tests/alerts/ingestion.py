"""
The two ends of Application Insights: where an exporter sends to, and the tables that it fills.

The columns are those of https://learn.microsoft.com/azure/azure-monitor/reference/tables/appevents
and apptraces, as far as the tests read them.
"""

import gzip
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self

from aiohttp import web

from tests.alerts.workspace import Row

_KEY = "00000000-0000-0000-0000-000000000000"


class Sink:
    """
    Takes what an exporter sends, on loopback.

    Attributes:
        envelopes: What came in to ``/v2.1/track``, oldest first.
        refuses: Whether it answers 403, as while a role has not spread yet.
        refused: What it answered so.
    """

    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []
        self.refuses = False
        self.refused: list[dict[str, Any]] = []
        self._url = ""
        application = web.Application()
        # The connection strings of Azure end in a slash, which the exporter leaves in place.
        application.router.add_post("/{slash:/?}v2.1/track", self._track)
        # Live metrics ask whether somebody watches: nobody does.
        application.router.add_post(
            "/{slash:/?}QuickPulseService.svc/{action}", self._nobody_watches
        )
        self._runner = web.AppRunner(application)

    async def __aenter__(self) -> Self:
        """Listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    @property
    def connection_string(self) -> str:
        """What the setting APPLICATIONINSIGHTS_CONNECTION_STRING takes."""
        return f"InstrumentationKey={_KEY};IngestionEndpoint={self._url};LiveEndpoint={self._url}"

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the properties of the events of one name."""
        data = [envelope["data"]["baseData"] for envelope in self.envelopes]
        return [one["properties"] for one in data if one.get("name") == name]

    async def _track(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body.startswith(b"\x1f\x8b"):
            body = gzip.decompress(body)
        received = json.loads(body)
        if self.refuses:
            self.refused += received
            return web.json_response({"itemsReceived": len(received)}, status=403)
        self.envelopes += received
        count = len(received)
        return web.json_response({"itemsReceived": count, "itemsAccepted": count, "errors": []})

    async def _nobody_watches(self, _: web.Request) -> web.Response:
        return web.Response(headers={"x-ms-qps-subscribed": "false"})


def app_events(envelopes: Iterable[dict[str, Any]], lag: timedelta) -> list[Row]:
    """Return the rows of AppEvents that become of envelopes, ingested so much later."""
    return [
        {
            **_common(envelope, lag),
            "Name": envelope["data"]["baseData"]["name"],
            "Measurements": envelope["data"]["baseData"].get("measurements") or {},
        }
        for envelope in envelopes
        if envelope["data"]["baseType"] == "EventData"
    ]


def app_traces(envelopes: Iterable[dict[str, Any]], lag: timedelta) -> list[Row]:
    """Return the rows of AppTraces that become of envelopes, ingested so much later."""
    return [
        {
            **_common(envelope, lag),
            "Message": envelope["data"]["baseData"]["message"],
            "SeverityLevel": envelope["data"]["baseData"].get("severityLevel"),
        }
        for envelope in envelopes
        if envelope["data"]["baseType"] == "MessageData"
    ]


def _common(envelope: dict[str, Any], lag: timedelta) -> dict[str, object]:
    at = datetime.fromisoformat(envelope["time"])
    tags = envelope.get("tags", {})
    return {
        "TimeGenerated": at,
        "ingested": at + lag,
        "Properties": envelope["data"]["baseData"].get("properties") or {},
        "AppRoleName": tags.get("ai.cloud.role"),
        "AppRoleInstance": tags.get("ai.cloud.roleInstance"),
        "OperationId": tags.get("ai.operation.id"),
        "ItemCount": 1,
    }
