"""Account, applications and versions in Azure Resource Manager, through azure-mgmt-batch 19."""

import json
import os
import re
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.batch.models import BatchPoolCreateOptions
from azure.core.exceptions import HttpResponseError
from azure.mgmt.batch import BatchManagementClient
from azure.storage.blob import BlobClient, BlobServiceClient

from batch_emulator.arm.operations import ARM_OPERATIONS
from batch_emulator.package import Package
from local.azurite import Azurite
from tests.contract.conftest import pool_body
from tests.support.arm_account import ACCOUNT, GROUP, TOKEN, ArmAccount

SUPPORT = Path(__file__).parents[3] / "batch_emulator/SUPPORT.md"
ROW = re.compile(r"\| `([a-z_]+\.[a-z_]+(?: \(polling\))?)` \| `([A-Z]+) (\S*?)` \|")
ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/recur"
    f"/providers/Microsoft.Batch/batchAccounts/{ACCOUNT}"
)


@pytest.fixture
def account(azurite: Azurite, tmp_path: Path) -> Iterator[ArmAccount]:
    with ArmAccount(azurite, tmp_path / "nodes") as running:
        yield running


@pytest.fixture
def client(account: ArmAccount) -> BatchManagementClient:
    return account.arm().client


def _refusal(call: Callable[[], object]) -> tuple[int | None, str | None]:
    with pytest.raises(HttpResponseError) as refused:
        call()
    error = refused.value.error
    return refused.value.status_code, error.code if error else None


def _zip(path: Path, content: str = "#!/bin/sh\necho packaged\n") -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run.sh", content)
    return path.read_bytes()


def _blob(account: ArmAccount, url: str) -> BlobClient:
    container, _, name = url.removeprefix(f"{account.storage.url}").strip("/").partition("/")
    return account.storage.get_blob_client(container, name)


def test_the_account_says_where_it_answers_and_how_much_there_is(
    client: BatchManagementClient, account: ArmAccount
) -> None:
    """The properties that a check of a deployment reads."""
    found = client.batch_account.get(GROUP, ACCOUNT)

    assert found.id == ID
    assert found.properties
    assert f"http://{found.properties.account_endpoint}" == account.url
    assert found.properties.provisioning_state == "Succeeded"
    assert found.properties.auto_storage
    assert found.properties.auto_storage.authentication_mode == "BatchAccountManagedIdentity"
    assert found.properties.dedicated_core_quota == found.properties.low_priority_core_quota == 128
    assert found.properties.allowed_authentication_modes == ["SharedKey"]


def test_only_this_account_is_there_in_whatever_case(client: BatchManagementClient) -> None:
    """Ids are compared without case; another name is not found."""
    assert client.batch_account.get(GROUP.upper(), ACCOUNT.upper()).name == ACCOUNT
    for group, name in (("another", ACCOUNT), (GROUP, "another")):
        assert _refusal(lambda: client.batch_account.get(group, name)) == (404, "ResourceNotFound")  # noqa: B023


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ({}, "?api-version=2025-06-01", 401, "AuthenticationFailed"),
        ({"Authorization": "Bearer "}, "?api-version=2025-06-01", 401, "AuthenticationFailed"),
        (
            {"Authorization": "Bearer x"},
            "?api-version=2025-06-01",
            401,
            "InvalidAuthenticationToken",
        ),
        (
            {"Authorization": "Bearer téken"},
            "?api-version=2025-06-01",
            401,
            "InvalidAuthenticationToken",
        ),
        (
            {"Authorization": f"Basic {TOKEN}"},
            "?api-version=2025-06-01",
            401,
            "AuthenticationFailed",
        ),
        (
            {"Authorization": "SharedKey a:b"},
            "?api-version=2025-06-01",
            401,
            "AuthenticationFailed",
        ),
        ({"Authorization": f"Bearer {TOKEN}"}, "", 400, "MissingApiVersionParameter"),
        (
            {"Authorization": f"Bearer {TOKEN}"},
            "?api-version=2024-02-01",
            400,
            "InvalidApiVersionParameter",
        ),
        (
            {"Authorization": f"Bearer {TOKEN}"},
            "?api-version=2025-06-01&$select=id",
            400,
            "NotSupported",
        ),
        (
            {"Authorization": f"Bearer {TOKEN}"},
            "?api-version=2024-07-01",
            200,
            '"name": "recurlocal"',
        ),
    ],
)
def test_a_request_has_a_token_and_a_version(
    account: ArmAccount, headers: dict[str, str], query: str, status: int, code: str
) -> None:
    """Errors are in the form of Azure Resource Manager, with the id of the request."""
    request = urllib.request.Request(f"{account.url}{ID}{query}", headers=headers)  # noqa: S310

    try:
        with urllib.request.urlopen(request) as reply:  # noqa: S310 - on loopback
            told, given, sent = reply.status, reply.read().decode(), reply.headers
    except urllib.error.HTTPError as error:
        told, given, sent = error.code, error.read().decode(), error.headers

    assert told == status
    assert code in given
    assert sent["x-ms-request-id"]
    assert "DataServiceVersion" not in sent
    if status != 200:
        assert re.match(r'\{"error": \{"code": "\w+", "message": ".*\\nRequestId:[0-9a-f-]+', given)


def test_an_application_is_made_once_and_kept(client: BatchManagementClient) -> None:
    """A second PUT changes its settings and not its versions; lists come in pages."""
    body: dict[str, Any] = {"properties": {"allowUpdates": False, "displayName": "Set-up"}}
    made = client.application.create(GROUP, ACCOUNT, "pythonsetup", body)
    client.application_package.create(GROUP, ACCOUNT, "pythonsetup", "v1")
    again = client.application.create(GROUP, ACCOUNT, "PythonSetup")
    client.application.create(GROUP, ACCOUNT, "other")

    assert made.properties
    assert (made.name, made.properties.allow_updates) == ("pythonsetup", False)
    assert made.id == f"{ID}/applications/pythonsetup"
    assert again.properties
    assert (again.name, again.properties.allow_updates) == ("pythonsetup", True)
    listed = client.application.list(GROUP, ACCOUNT, maxresults=1)
    assert [item.name for item in listed] == ["other", "pythonsetup"]
    versions = client.application_package.list(GROUP, ACCOUNT, "pythonsetup")
    assert [item.name for item in versions] == ["v1"]


def test_an_application_goes_when_it_is_empty(client: BatchManagementClient) -> None:
    """Its versions go first, as the service asks for; what is gone may go again."""
    client.application.create(GROUP, ACCOUNT, "tool")
    client.application_package.create(GROUP, ACCOUNT, "tool", "v1")

    def remove() -> None:
        client.application.delete(GROUP, ACCOUNT, "tool")

    assert _refusal(remove) == (409, "ApplicationPackagesNotEmpty")
    client.application_package.delete(GROUP, ACCOUNT, "tool", "v1")
    client.application_package.delete(GROUP, ACCOUNT, "tool", "v1")
    remove()
    remove()
    absent = _refusal(lambda: client.application.get(GROUP, ACCOUNT, "tool"))
    assert absent == (404, "ApplicationNotFound")


def test_only_the_put_says_where_to_upload(
    client: BatchManagementClient, account: ArmAccount, tmp_path: Path
) -> None:
    """Pending until its blob is there and it is activated; then nothing is said of the address."""
    client.application.create(GROUP, ACCOUNT, "tool", {"properties": {"allowUpdates": False}})
    made = client.application_package.create(GROUP, ACCOUNT, "tool", "v1")
    assert made.properties
    assert made.properties.state == "Pending"
    url = str(made.properties.storage_url)
    assert re.fullmatch(rf"{re.escape(str(account.storage.url))}app-tool-[0-9a-f]+/v1", url)

    def activate() -> Any:  # noqa: ANN401 - the SDK's model
        body = {"format": "zip"}
        return client.application_package.activate(GROUP, ACCOUNT, "tool", "v1", body)

    assert _refusal(activate) == (409, "ApplicationPackageBlobNotFound")
    _blob(account, url).upload_blob(_zip(tmp_path / "a.zip"))
    active = activate()
    got = client.application_package.get(GROUP, ACCOUNT, "tool", "v1")

    assert active.properties.state == got.properties.state == "Active"  # type: ignore[union-attr]
    assert active.properties.format == "zip"
    assert active.properties.last_activation_time
    for reply in (active, got, *client.application_package.list(GROUP, ACCOUNT, "tool")):
        assert reply.properties.storage_url is None
    assert next(iter(account.batch().list_applications())).versions == ["v1"]


def test_an_active_version_is_not_overwritten_unless_that_is_allowed(
    client: BatchManagementClient, account: ArmAccount, tmp_path: Path
) -> None:
    """Without leave neither PUT nor activation; a pending one can be taken up again either way."""
    client.application.create(GROUP, ACCOUNT, "tool", {"properties": {"allowUpdates": False}})

    def make() -> str:
        made = client.application_package.create(GROUP, ACCOUNT, "tool", "v1")
        return str(made.properties and made.properties.storage_url)

    def activate() -> object:
        body = {"format": "zip"}
        return client.application_package.activate(GROUP, ACCOUNT, "tool", "v1", body)

    assert make() == make()
    _blob(account, make()).upload_blob(_zip(tmp_path / "a.zip"))
    activate()
    for refused in (make, activate):
        assert _refusal(refused) == (409, "ApplicationPackageUpdatesNotAllowed")

    client.application.update(GROUP, ACCOUNT, "tool", {"properties": {"allowUpdates": True}})
    _blob(account, make()).upload_blob(_zip(tmp_path / "b.zip", "other"), overwrite=True)
    activate()


def test_an_application_has_at_most_forty_versions(client: BatchManagementClient) -> None:
    """The forty-first is refused, until one goes."""
    client.application.create(GROUP, ACCOUNT, "tool")
    for number in range(40):
        client.application_package.create(GROUP, ACCOUNT, "tool", f"v{number}")

    def one_more() -> object:
        return client.application_package.create(GROUP, ACCOUNT, "tool", "v40")

    assert _refusal(one_more) == (409, "ApplicationPackageQuotaReached")
    client.application_package.delete(GROUP, ACCOUNT, "tool", "v7")
    one_more()


def test_an_account_with_storage_keys_signs_the_address(azurite: Azurite, tmp_path: Path) -> None:
    """Whoever has the address may upload for four hours, without any other right."""
    with ArmAccount(azurite, tmp_path, package_sas=True) as account:
        client = account.arm().client
        client.application.create(GROUP, ACCOUNT, "tool")
        made = client.application_package.create(GROUP, ACCOUNT, "tool", "v1")
        assert made.properties
        assert made.properties.storage_url_expiry
        left = made.properties.storage_url_expiry.timestamp() - time.time()
        assert 3.9 * 3600 < left <= 4 * 3600

        BlobClient.from_blob_url(str(made.properties.storage_url)).upload_blob(b"anything")

        client.application_package.activate(GROUP, ACCOUNT, "tool", "v1", {"format": "zip"})
        assert account.blobs("tool") == {"v1": b"anything"}
        found = client.batch_account.get(GROUP, ACCOUNT)
        assert found.properties
        assert found.properties.auto_storage
        assert found.properties.auto_storage.authentication_mode == "StorageKeys"


def _activated(account: ArmAccount, content: bytes, version: str = "v1") -> None:
    client = account.arm().client
    client.application.create(GROUP, ACCOUNT, "tool")
    made = client.application_package.create(GROUP, ACCOUNT, "tool", version)
    url = str(made.properties and made.properties.storage_url)
    _blob(account, url).upload_blob(content, overwrite=True)
    client.application_package.activate(GROUP, ACCOUNT, "tool", version, {"format": "zip"})


def _pool(nodes: int = 1, **properties: Any) -> BatchPoolCreateOptions:  # noqa: ANN401 - of REST
    packages = [{"applicationId": "tool", "version": "v1"}]
    fixed = {"applicationPackageReferences": packages, "targetDedicatedNodes": nodes}
    return pool_body(**fixed, **properties)


def _state(account: ArmAccount, wanted: set[str]) -> str:
    """Wait until the one node of the pool is in one of the states."""
    limit = time.monotonic() + 120
    while True:
        states = [str(node.as_dict()["state"]) for node in account.batch().list_nodes("pool")]
        if states and states[0] in wanted:
            return states[0]
        assert time.monotonic() < limit, states
        time.sleep(0.02)


def test_an_activated_package_is_there_for_nodes(account: ArmAccount, tmp_path: Path) -> None:
    """The start task finds what was uploaded; a version that is only pending is no reference."""
    client = account.arm().client
    _activated(account, _zip(tmp_path / "a.zip"))
    client.application_package.create(GROUP, ACCOUNT, "tool", "v2")
    start = {"commandLine": "/bin/sh -c 'sh $AZ_BATCH_APP_PACKAGE_tool_v1/run.sh'"}

    account.batch().create_pool(_pool(startTask=start))

    assert _state(account, {"idle", "starttaskfailed", "unusable"}) == "idle"
    node = next(iter(account.batch().list_nodes("pool")))
    name = "startup/stdout.txt"
    output = account.batch().download_node_file("pool", node.id, name)
    assert b"".join(output) == b"packaged\n"
    pending = [{"applicationId": "tool", "version": "v2"}]
    other = pool_body("other", applicationPackageReferences=pending)
    refusal = _refusal(lambda: account.batch().create_pool(other))
    assert refusal == (409, "InvalidApplicationPackageReferences")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no more", b"/a/path/to/the.zip"])
def test_what_is_no_zip_is_activated_and_makes_nodes_unusable(
    account: ArmAccount, content: bytes
) -> None:
    """As the service does: it looks into a package only where it is installed."""
    _activated(account, content)

    account.batch().create_pool(_pool())

    assert _state(account, {"idle", "unusable"}) == "unusable"


def test_a_version_can_go_under_a_pool_and_leaves_new_nodes_unusable(
    account: ArmAccount, tmp_path: Path
) -> None:
    """Nothing protects what a pool refers to but whoever removes versions."""
    _activated(account, _zip(tmp_path / "a.zip"))
    account.batch().create_pool(_pool(nodes=0))

    account.arm().client.application_package.delete(GROUP, ACCOUNT, "tool", "v1")

    assert account.blobs("tool") == {}
    body = {"properties": {"scaleSettings": {"fixedScale": {"targetDedicatedNodes": 1}}}}
    refusal = _refusal(lambda: account.arm().client.pool.update(GROUP, ACCOUNT, "pool", body))
    assert refusal == (409, "InvalidApplicationPackageReferences")


def test_packages_given_at_start_are_versions_like_others(azurite: Azurite, tmp_path: Path) -> None:
    """They are active, and an application of theirs can get more."""
    _zip(tmp_path / "given.zip")
    given = Package("tool", "v0", tmp_path / "given.zip")
    with ArmAccount(azurite, tmp_path / "nodes", applications=(given,)) as account:
        client = account.arm().client
        found = client.application_package.get(GROUP, ACCOUNT, "tool", "v0")
        assert found.properties
        assert found.properties.state == "Active"
        _activated(account, given.zip_path.read_bytes(), "v1")
        assert next(iter(account.batch().list_applications())).versions == ["v0", "v1"]
        client.application_package.delete(GROUP, ACCOUNT, "tool", "v0")
        assert next(iter(account.batch().list_applications())).versions == ["v1"]


def test_a_refusal_of_the_body_names_the_property(client: BatchManagementClient) -> None:
    """What the emulator does not do is never ignored."""
    for body, code in (
        ({"properties": {"defaultVersion": "v1"}}, "NotSupportedByEmulator"),
        ({"properties": {"allowUpdate": True}}, "NotSupportedByEmulator"),
        ({"properties": {"allowUpdates": "yes"}}, "InvalidPropertyValue"),
    ):
        refusal = _refusal(lambda: client.application.create(GROUP, ACCOUNT, "tool", body))  # noqa: B023
        assert refusal == (400, code)
    assert _refusal(lambda: client.application_package.create(GROUP, ACCOUNT, "tool", "a b")) == (
        400,
        "InvalidPropertyValue",
    )
    assert _refusal(lambda: client.batch_account.get_keys(GROUP, ACCOUNT)) == (
        400,
        "NotSupportedByEmulator",
    )


def test_the_table_of_support_lists_every_operation() -> None:
    """What the table says is what the server does."""
    rows = ROW.findall(SUPPORT.read_text())

    assert rows == [(item.name, item.method, item.path) for item in ARM_OPERATIONS]


def test_storage_is_left_as_it_was_without_uploads(account: ArmAccount) -> None:
    """An account that nobody publishes to makes no container."""
    storage: BlobServiceClient = account.storage

    account.arm().make_application("tool")

    assert list(storage.list_containers(name_starts_with="app-")) == []


def _shape(value: object) -> object:
    """Return the names in a reply, at every depth, and what they hold by kind."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    return [_shape(item) for item in value[:1]] if isinstance(value, list) else type(value).__name__


def test_replies_have_the_shape_of_recorded_ones(azurite: Azurite, tmp_path: Path) -> None:
    """Application and version, through their life, but for the address that is told only once."""
    if not (folder := os.environ.get("RECUR_ORACLES")):
        pytest.skip("RECUR_ORACLES names no folder of facts about the real service")
    rows = map(json.loads, Path(folder, "recordings_mgmt.jsonl").read_text().splitlines())
    recorded: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row["status"] == 200 and row["query"].get("api-version") == "2024-02-01":
            path = row["template"].partition("/batchAccounts/{a}")[2]
            recorded.setdefault((row["method"], path), row)
    app, version = "/applications/{app}", "/applications/{app}/versions/{v}"
    with ArmAccount(azurite, tmp_path / "nodes", package_sas=True) as account:
        client = account.arm().client
        replies: dict[tuple[str, str], Any] = {}

        def keep(method: str, path: str) -> Callable[[Any, Any, Any], Any]:
            def kept(response: Any, result: Any, _headers: Any) -> Any:  # noqa: ANN401 - the SDK's
                replies[method, path] = response.http_response
                return result

            return kept

        call = (GROUP, ACCOUNT, "testapp")
        client.application.create(*call, cls=keep("PUT", app))
        made = client.application_package.create(*call, "1.0", cls=keep("PUT", version))
        assert made.properties
        BlobClient.from_blob_url(str(made.properties.storage_url)).upload_blob(b"")
        body = {"format": "zip"}
        activate = f"{version}/activate"
        client.application_package.activate(*call, "1.0", body, cls=keep("POST", activate))
        client.application_package.get(*call, "1.0", cls=keep("GET", version))
        client.application.get(*call, cls=keep("GET", app))

    assert len(replies) == 5
    for key, reply in replies.items():
        expected = recorded[key]["response_body"]
        if key in {("POST", activate), ("GET", version)}:
            del expected["properties"]["storageUrl"], expected["properties"]["storageUrlExpiry"]
        assert _shape(reply.json()) == _shape(expected), key
        assert recorded[key]["response_headers"].keys() <= {name.lower() for name in reply.headers}
        assert reply.headers["Content-Type"] == recorded[key]["response_headers"]["content-type"]
        assert reply.json()["etag"] == reply.headers["ETag"]
