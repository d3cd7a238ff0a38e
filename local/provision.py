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

DOCUMENT = "schedules.toml"
POOL = "recur"

_ROOT = Path(__file__).resolve().parent.parent
_NOT_FOUND = 404
_QUICK: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 30}


def open_storage(connection_string: str) -> BlobServiceClient:
    """Return a client that gives up soon: storage is on this machine."""
    return BlobServiceClient.from_connection_string(connection_string, **_QUICK)


def open_batch(url: str, account: str, key: str) -> BatchClient:
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


def pool_body(versions: Mapping[str, str], folder: Path = _ROOT / "infra/pool") -> dict[str, Any]:
    """
    Return the pool as the Batch service takes it, from the files that also make the one in Azure.

    Those files spell it as Azure Resource Manager does: other names for the same, and enumerations
    with capitals.

    Args:
        versions: Of the application packages, by application.
        folder: Where ``pool.json`` and ``autoscale.formula`` are.
    """
    properties = json.loads((folder / "pool.json").read_text())
    machine = dict(properties["deploymentConfiguration"]["virtualMachineConfiguration"])
    machine["nodeAgentSKUId"] = machine.pop("nodeAgentSkuId")
    start_task = dict(properties["startTask"])
    user = start_task["userIdentity"]["autoUser"]
    start_task["userIdentity"] = {"autoUser": {name: _lower(word) for name, word in user.items()}}
    return {
        "id": POOL,
        "vmSize": properties["vmSize"],
        "virtualMachineConfiguration": machine,
        "taskSlotsPerNode": properties["taskSlotsPerNode"],
        "taskSchedulingPolicy": {
            name: _lower(word) for name, word in properties["taskSchedulingPolicy"].items()
        },
        "enableAutoScale": True,
        "autoScaleFormula": (folder / "autoscale.formula").read_text(),
        "autoScaleEvaluationInterval": properties["scaleSettings"]["autoScale"][
            "evaluationInterval"
        ],
        "startTask": start_task,
        "applicationPackageReferences": [
            {"applicationId": package["id"], "version": versions[package["id"]]}
            for package in properties["applicationPackages"]
        ],
    }


def make_pool(batch: BatchClient, body: Mapping[str, Any]) -> str:
    """
    Make the pool, and return what was done about one that was there.

    Raises:
        LocalError: Batch refuses it, in the words of Batch.
    """
    name = body["id"]
    try:
        existing = batch.get_pool(name).as_dict()
    except HttpResponseError as error:
        if error.status_code != _NOT_FOUND:
            raise LocalError(f"pool {name}: {error.message}") from error
        done = "made"
    else:
        if _says(existing, body):
            return "left as it was"
        batch.begin_delete_pool(name, polling_interval=1).wait()
        done = "deleted and made anew, since it was another"
    try:
        batch.create_pool(dict(body))  # type: ignore[arg-type] # the SDK takes REST spelling too
    except HttpResponseError as error:
        raise LocalError(f"pool {name}: {error.message}") from error
    return done


def put_document(
    storage: BlobServiceClient, ledger: str, text: str, *, overwrite: bool = False
) -> bool:
    """Upload the schedule document, and return whether it was: by default one there is kept."""
    try:
        storage.get_blob_client(ledger, DOCUMENT).upload_blob(text, overwrite=overwrite)
    except ResourceExistsError:
        return False
    return True


def document(*, minutes_back: int, **values: str) -> str:
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


def _says(existing: object, wanted: object) -> bool:
    """Whether what Batch has says all that is wanted; it adds defaults and states of its own."""
    match existing, wanted:
        case dict(), dict():
            return all(name in existing and _says(existing[name], wanted[name]) for name in wanted)
        case list(), list():
            return len(existing) == len(wanted) and all(map(_says, existing, wanted))
        case str(), str() if " " not in wanted:
            return existing.casefold() == wanted.casefold()  # Batch gives words another case
        case _:
            return existing == wanted


def _lower(word: str) -> str:
    return word.lower()
