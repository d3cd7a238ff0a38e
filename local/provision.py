"""What a deployment makes in Azure, made on the laptop: containers, pool, schedule document."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobServiceClient

from local.errors import LocalError
from recur.arm import BatchArm

DOCUMENT = "schedules.toml"
POOL = "recur"

_ROOT = Path(__file__).resolve().parent.parent
_SNAPSHOT = _ROOT / "infra/snapshots/pool.defaults.json"
_QUICK: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 30}


def open_local_storage(connection_string: str) -> BlobServiceClient:
    """Return a client that gives up soon: storage is on this machine."""
    return BlobServiceClient.from_connection_string(connection_string, **_QUICK)


def open_local_batch(url: str, account: str, key: str) -> BatchClient:
    """Return a client that gives up soon: the account is on this machine."""
    return BatchClient(url, AzureNamedKeyCredential(account, key), **_QUICK)


def make_containers(storage: BlobServiceClient, names: Iterable[str]) -> list[str]:
    """Make the containers that are missing and return their names."""
    made = []
    for name in names:
        try:
            storage.create_container(name)
        except ResourceExistsError:
            continue
        made.append(name)
    return made


def pool_resource(
    account_id: str, versions: Mapping[str, str], snapshot: Path = _SNAPSHOT
) -> dict[str, Any]:
    """
    Return the pool as Azure Resource Manager takes it: what `infra/pool` deploys by default.

    Args:
        account_id: The ARM id of the Batch account.
        versions: Of the application packages, by application.
        snapshot: What the Bicep compiler predicts of that deployment.
    """
    predicted = json.loads(snapshot.read_text())["predictedResources"]
    pool = next(
        found for found in predicted if found["type"] == "Microsoft.Batch/batchAccounts/pools"
    )
    names = [
        package["id"].rpartition("/")[2] for package in pool["properties"]["applicationPackages"]
    ]
    packages = [
        {"id": f"{account_id}/applications/{name}", "version": versions[name]} for name in names
    ]
    return {
        "identity": pool["identity"],
        "properties": pool["properties"] | {"applicationPackages": packages},
    }


def make_pool(arm: BatchArm, resource: Mapping[str, Any], name: str = POOL) -> str:
    """
    Make the pool or bring it up to date, and return which.

    Raises:
        LocalError: Batch refuses it, in the words of Batch.
    """
    try:
        return "made" if arm.put_pool(name, resource) else "brought up to date"
    except HttpResponseError as error:
        raise LocalError(f"pool {name}: {error.message}") from error


def put_document(
    storage: BlobServiceClient, ledger: str, text: str, *, overwrite: bool = False
) -> bool:
    """Upload the schedule document, and return whether it was: by default one there is kept."""
    try:
        storage.get_blob_client(ledger, DOCUMENT).upload_blob(text, overwrite=overwrite)
    except ResourceExistsError:
        return False
    return True


def sample_document(*, minutes_back: int, **values: str) -> str:
    """
    Return ``local/schedules.toml`` with something due at once.

    Args:
        minutes_back: How long ago the schedule starts.
        values: Other values, as TOML.
    """
    text = (_ROOT / "local/schedules.toml").read_text()
    start = datetime.now(UTC) - timedelta(minutes=minutes_back)
    for key, value in {"start": start.strftime("%Y-%m-%dT%H:%M:%SZ"), **values}.items():
        text, found = re.subn(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        if found != 1:
            raise LocalError(f"local/schedules.toml must have one line {key!r}, and has {found}")
    return text
