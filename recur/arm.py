"""The Batch account in Azure Resource Manager: the official client, in Azure and on a laptop."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self
from urllib.parse import urlsplit

from azure.core.credentials import (
    AccessToken,
    AccessTokenInfo,
    TokenCredential,
    TokenRequestOptions,
)
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.batch import BatchManagementClient

from recur.errors import CliError, Exit
from recur.target import Target

_QUICK: Final[dict[str, Any]] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 60}
_FOR_EVER: Final = 2**31
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ID: Final = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Batch/batchAccounts/(?P<name>[^/]+)",
    re.IGNORECASE,
)


class LaptopCredential:
    """The credential on a laptop: one token, which Entra knows nothing of."""

    def __init__(self, token: str = "laptop") -> None:  # noqa: S107 - it opens nothing
        """Prepare it; the default opens nothing."""
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:  # noqa: ANN401 - the SDK's own
        """Return the token."""
        return AccessToken(self._token, _FOR_EVER)

    def get_token_info(
        self, *_scopes: str, options: TokenRequestOptions | None = None
    ) -> AccessTokenInfo:
        """Return the same, as newer clients ask for it."""
        del options
        return AccessTokenInfo(self._token, _FOR_EVER)


class PlainHttp(SansIOHTTPPolicy[Any, Any]):
    """Allow a token over http, which the official client refuses: it stays on this machine."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Let the request pass."""
        request.context.options["enforce_https"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """
    One version of one application, as the account has it.

    Attributes:
        application: The application's id.
        name: Of the version.
        active: Whether pools may refer to it.
        activated: When it was activated last.
    """

    application: str
    name: str
    active: bool
    activated: datetime | None = None


class BatchArm:
    """
    What the commands ask of the Batch account through Azure Resource Manager.

    Attributes:
        client: The official client.
        id: The account's id.
        group: Its resource group.
        name: The account's name.
    """

    def __init__(
        self,
        endpoint: str | None,
        account_id: str,
        credential: TokenCredential,
        **options: Any,  # noqa: ANN401 - the SDK's
    ) -> None:
        """
        Prepare it.

        Args:
            endpoint: Without one, that of public Azure.
            account_id: The account's id in Azure Resource Manager.
            credential: Of whoever asks.
            options: For the official client.

        Raises:
            CliError: The id is none of a Batch account.
        """
        match = _ID.fullmatch(account_id)
        if match is None:
            raise CliError(
                Exit.REFUSED,
                f"BATCH_ACCOUNT_ID is not the id of a Batch account: {account_id}",
                "az batch account show --resource-group GROUP --name NAME --query id",
            )
        self.id, self.group, self.name = account_id, match["group"], match["name"]
        self.client = BatchManagementClient(
            credential, match["subscription"], endpoint, **(_QUICK | options)
        )

    @classmethod
    def of(cls, target: Target, **options: Any) -> Self:  # noqa: ANN401 - the SDK's
        """
        Open the account of a deployment.

        Raises:
            CliError: A setting is missing, or a token would go to another machine over http.
        """
        if not target.on_laptop:
            return cls(None, target.account_id, target.credential(), **options)
        policies = [PlainHttp(), *options.pop("per_call_policies", ())]
        url = target.need("BATCH_ACCOUNT_URL")
        if urlsplit(url).hostname not in _THIS_MACHINE:
            raise CliError(
                Exit.REFUSED,
                f"BATCH_ACCOUNT_URL of {target.source} is http:// to another machine: {url}",
                "use https://, or the address that `make up` prints: http://127.0.0.1:PORT",
            )
        token = target.values.get("BATCH_ARM_TOKEN", "").strip()
        if not token:
            raise CliError(
                Exit.REFUSED,
                f"BATCH_ARM_TOKEN is missing in {target.source}",
                "restart `make up`: it writes the token into its settings file",
            )
        credential = LaptopCredential(token)
        return cls(url, target.account_id, credential, per_call_policies=policies, **options)

    def principal(self) -> str | None:
        """Return the object id of the account's own identity; None if it has none."""
        identity = self.client.batch_account.get(self.group, self.name).identity
        return identity.principal_id if identity else None

    def versions(self, application: str) -> dict[str, Version] | None:
        """Return the versions of an application by their names, or nothing if there is none."""
        listed = self.client.application_package.list(self.group, self.name, application)
        try:
            return {str(item.name): _read_version(application, item) for item in listed}
        except HttpResponseError as error:
            if error.status_code == 404:  # noqa: PLR2004 - not found
                return None
            raise

    def version(self, application: str, name: str) -> Version | None:
        """Return one version, if it is there."""
        try:
            found = self.client.application_package.get(self.group, self.name, application, name)
        except HttpResponseError as error:
            if error.status_code == 404:  # noqa: PLR2004 - not found
                return None
            raise
        return _read_version(application, found)

    def make_application(self, application: str) -> None:
        """Make an application whose versions cannot be overwritten."""
        body = {"properties": {"allowUpdates": False}}
        self.client.application.create(self.group, self.name, application, body)

    def open_version(self, application: str, name: str) -> str:
        """Make a version, or take one that is not active yet; return where to upload its package."""
        made = self.client.application_package.create(self.group, self.name, application, name)
        url = made.properties.storage_url if made.properties else None
        if not url:
            raise CliError(Exit.FOUND, f"Azure returned no upload address for {application} {name}")
        return url

    def activate(self, application: str, name: str) -> None:
        """Let pools refer to a version whose package has been uploaded."""
        self.client.application_package.activate(
            self.group, self.name, application, name, {"format": "zip"}
        )

    def delete_version(self, application: str, name: str) -> None:
        """Remove a version and its package; it may be gone already."""
        self.client.application_package.delete(self.group, self.name, application, name)

    def put_pool(self, name: str, resource: Mapping[str, Any]) -> bool:
        """Make a pool, or replace the properties of one; tell whether it was made."""
        try:
            self.client.pool.get(self.group, self.name, name)
            made = False
        except HttpResponseError as error:
            if error.status_code != 404:  # noqa: PLR2004 - not found
                raise
            made = True
        self.client.pool.create(self.group, self.name, name, dict(resource))
        return made

    def references(self) -> Iterator[tuple[str, str]]:
        """Yield every application and version that a pool of the account refers to."""
        for pool in self.client.pool.list_by_batch_account(self.group, self.name):
            properties = pool.properties
            for package in (properties.application_packages if properties else None) or ():
                yield package.id.rpartition("/")[2], package.version or ""


def _read_version(application: str, item: Any) -> Version:  # noqa: ANN401 - the SDK's model
    properties = item.properties
    return Version(
        application=application,
        name=str(item.name),
        active=properties is not None and properties.state == "Active",
        activated=properties.last_activation_time if properties else None,
    )
