"""Commands wait for roles that were given just now, and name the one that is missing."""

import io
import math
import re
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AzureNamedKeyCredential, AzureSasCredential
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    generate_container_sas,
)
from azure.storage.blob.aio import ContainerClient as AsyncContainerClient
from rich.console import Console

from local.azurite import ACCOUNT as STORAGE
from local.azurite import Azurite
from orchestrator.adapters.blobs import Cache, Ledger
from orchestrator.adapters.container import Container
from orchestrator.duration_text import duration_text
from orchestrator.passes import Application
from recur.commands.apply import LedgerCalls
from recur.errors import CliError, Exit
from recur.publishing.packaging import Package
from recur.publishing.uploads import Uploads
from recur.role_waiting import LIMIT, RoleWait
from recur.schedules.put_in_force import put_in_force
from recur.target import Target
from tests.conftest import Containers
from tests.support.arm_account import ACCOUNT, ArmAccount
from tests.support.operator import operator
from tests.support.publishing import NAMES, PAUSE, Clock, Run, is_published, packages, workload

TRIES = LIMIT // PAUSE + 1
"""The first, and one at the end of each pause until the time is over."""

OF_THE_CALLER = f"role 'Azure Batch Data Contributor' of the publisher (who is signed in) on Batch account {ACCOUNT}"
OF_THE_ACCOUNT = (
    f"role 'Storage Blob Data Contributor' of the identity of Batch account {ACCOUNT} "
    f"on storage account {STORAGE}"
)
OF_THE_UPLOADER = (
    "role 'Storage Blob Data Contributor' of the publisher (who is signed in) "
    f"on storage account {STORAGE}"
)
STORAGE_SCOPE = f'--scope "$(az storage account show --name {STORAGE} --query id --output tsv)"'
DENIALS = [
    pytest.param({"whose": "caller"}, OF_THE_CALLER, id="the caller"),
    pytest.param({"whose": "account"}, OF_THE_ACCOUNT, id="the account, by its object id"),
    pytest.param(
        {"whose": "account", "code": "AuthorizationPermissionMismatch"},
        OF_THE_ACCOUNT,
        id="the account, by storage's code",
    ),
    pytest.param(
        {"whose": "account", "code": "InsufficientPermissions"},
        OF_THE_ACCOUNT,
        id="the account, by Batch's code",
    ),
]
VERSION = "application_package.create"


@pytest.fixture
def account(azurite: Azurite, tmp_path: Path) -> Iterator[ArmAccount]:
    with ArmAccount(azurite, tmp_path / "nodes") as running:
        yield running


@pytest.mark.parametrize(("denial", "role"), DENIALS)
def test_a_role_in_effect_after_30_minutes_is_in_time(
    account: ArmAccount, tmp_path: Path, denial: dict[str, Any], role: str
) -> None:
    """Only the last try is allowed; everything is published, and the countdown named the role."""
    account.deny(operation=VERSION, times=TRIES - 1, **denial)
    run = Run(account, wait=LIMIT)
    given = packages(tmp_path)

    assert run.publish(given).new == [*NAMES]

    assert is_published(account, given)
    assert run.clock.now == LIMIT.total_seconds()
    assert f"waiting for the {role} to take effect: {duration_text(LIMIT)} left" in run.shown


@pytest.mark.parametrize(("denial", "role"), DENIALS)
def test_a_role_missing_after_30_minutes_is_an_error(
    account: ArmAccount, tmp_path: Path, denial: dict[str, Any], role: str
) -> None:
    """One refusal more: the message says whose role is missing on what."""
    account.deny(operation=VERSION, times=TRIES, **denial)
    run = Run(account, wait=LIMIT)

    with pytest.raises(CliError) as refused:
        run.publish(packages(tmp_path))

    assert refused.value.code is Exit.NO_ACCESS
    assert refused.value.message.startswith(
        f"access is still refused after {duration_text(LIMIT)}: the {role} is missing ("
    )
    assert run.clock.now == LIMIT.total_seconds()
    assert account.denied() == TRIES


def test_the_command_for_the_caller_gives_the_role_on_the_account(
    account: ArmAccount, tmp_path: Path
) -> None:
    """To whoever is signed in."""
    account.deny(whose="caller")

    with pytest.raises(CliError) as refused:
        Run(account).publish(packages(tmp_path))

    assert refused.value.next_step == (
        'az role assignment create --role "Azure Batch Data Contributor" '
        '--assignee-object-id "$(az ad signed-in-user show --query id --output tsv)" '
        f'--assignee-principal-type User --scope "{account.arm().id}"'
    )


def test_the_command_for_the_account_gives_the_role_on_its_storage(
    account: ArmAccount, tmp_path: Path
) -> None:
    """To the identity of the Batch account."""
    account.deny(whose="account", operation=VERSION)

    with pytest.raises(CliError) as refused:
        Run(account).publish(packages(tmp_path))

    show = f"az batch account show --resource-group {account.arm().group} --name {ACCOUNT}"
    assert refused.value.next_step == (
        'az role assignment create --role "Storage Blob Data Contributor" '
        f'--assignee-object-id "$({show} --query identity.principalId --output tsv)" '
        f"--assignee-principal-type ServicePrincipal {STORAGE_SCOPE}"
    )


def test_all_calls_share_the_30_minutes(account: ArmAccount, tmp_path: Path) -> None:
    """Two roles that are late one after the other have the same end."""
    account.deny(whose="caller", operation="application.create", times=TRIES - 1)
    account.deny(whose="account", operation=VERSION, times=1)
    run = Run(account, wait=LIMIT)

    with pytest.raises(CliError, match=re.escape(OF_THE_ACCOUNT)):
        run.publish(packages(tmp_path))

    assert run.clock.now == LIMIT.total_seconds()


def test_the_command_line_ends_with_5_when_its_wait_is_over(
    account: ArmAccount, tmp_path: Path
) -> None:
    """After the wait and not before, with role, holder, place and command on stderr."""
    account.deny(whose="caller", method="PUT")
    source = str(workload(tmp_path / "workload"))

    told = operator(tmp_path, **account.settings).recur(
        "publish", "--workload", source, "--wait", "1"
    )

    assert (told.code, told.out) == (5, "")
    assert f"waiting for the {OF_THE_CALLER} to take effect: 1 s left" in told.err
    assert f"still refused after 1 s: the {OF_THE_CALLER} is missing" in told.err
    assert 'next: az role assignment create --role "Azure Batch Data Contributor"' in told.err
    assert account.arm().versions("pythonscript") is None


def _signature(azurite: Azurite, container: str, *, writes: bool) -> str:
    """Return a signature that reads a container, or also writes to it."""
    return generate_container_sas(
        STORAGE,
        container,
        account_key=azurite.key,
        permission=ContainerSasPermissions(read=writes, write=writes, list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )


class LateRole:
    """
    A caller of storage who may read and write from a moment on; before, storage refuses.

    Azurite has no roles. It refuses a signature that lacks a permission by the code that Azure
    gives for a missing role.

    Attributes:
        clock: Of the moment.
        credential: For the official client.
        shown: What a person sees of the waiting.
    """

    def __init__(self, azurite: Azurite, container: str, arrives: float) -> None:
        self.clock = Clock()
        self.credential = AzureSasCredential(_signature(azurite, container, writes=arrives <= 0))
        self.shown = io.StringIO()
        self._azurite = azurite
        self._container = container
        self._arrives = arrives

    def wait(self, limit: timedelta) -> RoleWait:
        console = Console(file=self.shown, width=400)
        return RoleWait(console, limit, pause=PAUSE, clock=self.clock.read, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        if self.clock.now >= self._arrives:
            self.credential.update(_signature(self._azurite, self._container, writes=True))


def _send(azurite: Azurite, late: LateRole, package: Package, container: str) -> Uploads:
    target = Target(source="this test", values={"DATA_STORAGE_URL": azurite.url})
    uploads = Uploads(target, credential=late.credential)
    url = f"{azurite.url}/{container}/{package.version}"
    uploads.upload(url, package.zip_path, late.wait(LIMIT))
    return uploads


def _apply(azurite: Azurite, late: LateRole, text: str, container: str) -> None:
    @asynccontextmanager
    async def open_ledger() -> AsyncGenerator[Ledger]:
        async with AsyncContainerClient(azurite.url, container, late.credential) as client:
            yield Ledger(Container(client), Cache())

    target = Target(source="this test", values={"DATA_STORAGE_URL": azurite.url})
    with ContainerClient(azurite.url, container, late.credential) as client:
        calls = LedgerCalls(target, client, late.wait(LIMIT))
        given = Application(data=text.encode(), by="someone")
        calls.call(lambda _: put_in_force(open_ledger, given, None))


type Call = Callable[[Azurite, LateRole, Path, Containers], bytes]


def _upload(azurite: Azurite, late: LateRole, folder: Path, containers: Containers) -> bytes:
    package = packages(folder)[0]
    _send(azurite, late, package, containers.ledger)
    content = package.zip_path.read_bytes()
    assert _content(containers, package.version) == content
    return content


def _content(containers: Containers, name: str) -> bytes:
    with BlobServiceClient.from_connection_string(containers.connection_string) as storage:
        return storage.get_blob_client(containers.ledger, name).download_blob().readall()


def _put_document(azurite: Azurite, late: LateRole, folder: Path, containers: Containers) -> bytes:
    del folder
    text = "[schedules]\n"
    _apply(azurite, late, text, containers.ledger)
    assert _content(containers, "schedules.toml") == text.encode()
    return text.encode()


def _look(azurite: Azurite, late: LateRole, folder: Path, containers: Containers) -> bytes:
    _put_document(azurite, LateRole(azurite, containers.ledger, arrives=0), folder, containers)
    target = Target(source="this test", values={"DATA_STORAGE_URL": azurite.url})
    with ContainerClient(azurite.url, containers.ledger, late.credential) as client:
        calls = LedgerCalls(target, client, late.wait(LIMIT))
        assert calls.call(lambda ledger: ledger.get_blob_client("schedules.toml").exists())
    return _content(containers, "schedules.toml")


CALLS = pytest.mark.parametrize(
    "call",
    [_upload, _put_document, _look],
    ids=["upload of a package", "upload of the document", "look for the document"],
)


@CALLS
def test_storage_is_waited_for_until_30_minutes(
    azurite: Azurite, containers: Containers, tmp_path: Path, call: Call
) -> None:
    """A role in effect at that moment is in time; the countdown named it."""
    late = LateRole(azurite, containers.ledger, arrives=LIMIT.total_seconds())

    assert call(azurite, late, tmp_path, containers)

    assert late.clock.now == LIMIT.total_seconds()
    assert (
        f"waiting for the {OF_THE_UPLOADER} to take effect: {duration_text(LIMIT)} left"
        in late.shown.getvalue()
    )


@CALLS
def test_storage_is_not_waited_for_after_30_minutes(
    azurite: Azurite, containers: Containers, tmp_path: Path, call: Call
) -> None:
    """A role that is later is missing, with the command that gives it."""
    late = LateRole(
        azurite, containers.ledger, arrives=math.nextafter(LIMIT.total_seconds(), math.inf)
    )

    with pytest.raises(CliError) as refused:
        call(azurite, late, tmp_path, containers)

    assert refused.value.code is Exit.NO_ACCESS
    assert (
        f"still refused after {duration_text(LIMIT)}: the {OF_THE_UPLOADER} is missing"
        in refused.value.message
    )
    assert str(refused.value.next_step).endswith(f"--assignee-principal-type User {STORAGE_SCOPE}")


@CALLS
def test_a_role_in_effect_needs_no_waiting(
    azurite: Azurite, containers: Containers, tmp_path: Path, call: Call
) -> None:
    """Nothing is shown."""
    late = LateRole(azurite, containers.ledger, arrives=0)

    assert call(azurite, late, tmp_path, containers)

    assert (late.clock.now, late.shown.getvalue()) == (0, "")


def test_a_refusal_that_may_be_a_network_rule_says_so(azurite: Azurite, tmp_path: Path) -> None:
    """Storage has one code for both; Azurite gives it for a wrong key."""
    wrong = AzureNamedKeyCredential(STORAGE, b64encode(b"a key that opens nothing").decode())
    target = Target(source="this test", values={"DATA_STORAGE_URL": azurite.url})
    uploads = Uploads(target, credential=wrong)
    shown = io.StringIO()
    clock = Clock()
    console = Console(file=shown, width=400)
    role_wait = RoleWait(console, LIMIT, pause=PAUSE, clock=clock.read, sleep=clock.sleep)
    package = packages(tmp_path)[0]

    with pytest.raises(CliError) as refused:
        uploads.upload(f"{azurite.url}/any/{package.version}", package.zip_path, role_wait)

    assert f"the {OF_THE_UPLOADER} is missing" in refused.value.message
    doubt = "; or a network rule of the storage account refuses your address"
    assert refused.value.message.endswith(doubt)
    assert f"{duration_text(LIMIT)} left{doubt}" in shown.getvalue()


def test_a_document_by_a_wrong_signature_is_not_waited_for(
    azurite: Azurite, containers: Containers, tmp_path: Path
) -> None:
    """A connection string opens storage by no role: exit code 5 at once."""
    parts = urlsplit(azurite.url)
    signature = _signature(azurite, containers.ledger, writes=False)
    connection = f"BlobEndpoint={parts.geturl()};SharedAccessSignature={signature}"
    document = tmp_path / "schedules.toml"
    document.write_text('[schedules.mine]\ncron = "0 2 * * *"\ncommand = "true"\n')
    settings = {"DATA_STORAGE_CONNECTION_STRING": connection, "LEDGER_CONTAINER": containers.ledger}

    told = operator(tmp_path, **settings).recur("apply", str(document), "--wait", "1")

    assert (told.code, told.out) == (5, "")
    assert "waiting" not in told.err


def test_a_refusal_that_means_no_role_is_raised_as_it_is(
    account: ArmAccount, tmp_path: Path
) -> None:
    """Its code counts: a version that cannot be activated is no matter of roles."""
    run = Run(account, wait=LIMIT)
    given = packages(tmp_path)[0]
    arm = account.arm()
    arm.make_application(given.name)
    arm.open_version(given.name, given.version)

    with pytest.raises(HttpResponseError) as refused:
        run.publisher()._activate(given)  # noqa: SLF001 - the step alone, without its upload

    assert refused.value.status_code == 409
    assert (run.clock.now, run.shown) == (0, "")
