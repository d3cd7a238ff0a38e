"""Azure Resource Manager beyond Batch: settings of the app, role assignments."""

from typing import Any, Final, Self

from azure.core import PipelineClient
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy
from azure.core.rest import HttpRequest, HttpResponse

from recur.target import Target

_ARM: Final = "https://management.azure.com"
_SCOPE: Final = "https://management.azure.com/.default"


class Resources:
    """The resource group of a deployment, asked as whoever is signed in."""

    def __init__(self, client: PipelineClient[HttpRequest, HttpResponse], group: str) -> None:
        self._client = client
        self.group = group
        """Its ARM id."""

    @classmethod
    def of(cls, target: Target) -> Self:
        """Open the resource group in which the Batch account is."""
        policies = [
            RetryPolicy(retry_total=2),
            BearerTokenCredentialPolicy(target.credential(), _SCOPE),
        ]
        group = target.account_id.partition("/providers/")[0]
        return cls(PipelineClient(_ARM, policies=policies), group)

    def app_settings(self, app: str) -> dict[str, str]:
        """Return the settings of a function app."""
        path = f"{self.group}/providers/Microsoft.Web/sites/{app}/config/appsettings/list"
        body = self._send("POST", f"{_ARM}{path}", {"api-version": "2025-03-01"})
        settings: dict[str, str] = body["properties"]
        return settings

    def role_assignments(self, principal: str) -> list[tuple[str, str]]:
        """Return what a principal holds at, above or below the group: definition and scope."""
        path = f"{self.group}/providers/Microsoft.Authorization/roleAssignments"
        query = {"api-version": "2022-04-01", "$filter": f"principalId eq '{principal}'"}
        url: str | None = f"{_ARM}{path}"
        found: list[tuple[str, str]] = []
        while url:
            body = self._send("GET", url, query)
            found += [
                (one["properties"]["roleDefinitionId"], one["properties"]["scope"])
                for one in body["value"]
            ]
            url, query = body.get("nextLink"), {}
        return found

    def _send(self, method: str, url: str, query: dict[str, str]) -> dict[str, Any]:
        response = self._client.send_request(HttpRequest(method, url, params=query))
        response.raise_for_status()
        body: dict[str, Any] = response.json()
        return body
