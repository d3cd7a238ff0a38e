"""Where settings come from, and which hosts may get the operator's token."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recur.app_settings import app_settings
from recur.azure_hosts import Service, is_azures
from recur.checks.storage import check_heartbeats
from recur.errors import CliError, Exit
from recur.publishing.uploads import Uploads
from recur.schedules.put_in_force import open_ledger
from recur.target import Target, find_target

ZEROS = "00000000-0000-0000-0000-000000000000"
SETTINGS = {
    "BATCH_ACCOUNT_URL": "https://recur.westeurope.batch.azure.com",
    "BATCH_POOL_ID": "recur",
    "DATA_STORAGE_URL": "https://stdata.blob.core.windows.net/",
    "HOST_STORAGE_URL": "https://sthost.blob.core.windows.net/",
    "LEDGER_CONTAINER": "ledger",
    "OUTPUTS_CONTAINER": "outputs",
    "NODE_IDENTITY_ID": f"/subscriptions/{ZEROS}/resourceGroups/recur/providers/"
    "Microsoft.ManagedIdentity/userAssignedIdentities/id-node",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what makes an environment of azd in the current folder, as somebody else may."""
    monkeypatch.chdir(tmp_path)

    def make(name: str = "dev", **values: str) -> Path:
        (tmp_path / ".azure" / name).mkdir(parents=True)
        (tmp_path / ".azure/config.json").write_text(json.dumps({"defaultEnvironment": name}))
        lines = [f'{key}="{value}"' for key, value in values.items()]
        (tmp_path / ".azure" / name / ".env").write_text("\n".join(lines))
        return tmp_path / ".azure" / name / ".env"

    return make


@pytest.mark.parametrize(
    ("service", "url"),
    [
        (Service.BATCH, "https://recur.westeurope.batch.azure.com"),
        (Service.BATCH, "https://recur.usgovvirginia.batch.usgovcloudapi.net/"),
        (Service.BATCH, "https://recur.chinaeast2.batch.chinacloudapi.cn"),
        (Service.STORAGE, "https://st.blob.core.windows.net:443/"),
        (Service.STORAGE, "https://ST.Blob.Core.Windows.Net"),
        (Service.STORAGE, "https://st.z01.blob.storage.azure.net"),
        (Service.STORAGE, "https://st.blob.core.usgovcloudapi.net"),
        (Service.STORAGE, "https://st.blob.core.chinacloudapi.cn"),
        (Service.RESOURCE_MANAGER, "https://management.azure.com"),
        (Service.RESOURCE_MANAGER, "https://westeurope.management.azure.com"),
        (Service.RESOURCE_MANAGER, "https://management.usgovcloudapi.net"),
        (Service.RESOURCE_MANAGER, "https://management.chinacloudapi.cn/"),
    ],
)
def test_the_hosts_of_azure_are_known(service: Service, url: str) -> None:
    """Of the public cloud, and of the sovereign ones."""
    assert is_azures(url, service)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "http://st.blob.core.windows.net",
        "https://blob.core.windows.net",
        "https://evilblob.core.windows.net",
        "https://st.blob.core.windows.net.evil.example",
        "https://st.blob.core.windows.net@evil.example",
        "https://evil.example/.blob.core.windows.net",
        "https://evil.example#.blob.core.windows.net",
        "https://evil.example?.blob.core.windows.net",
        "https://evil.example\\.blob.core.windows.net",
        "https://evil.example:443\\@st.blob.core.windows.net",
        "https://evil.example:8443.blob.core.windows.net",
        "https://evil.example\n.blob.core.windows.net",
        "https://st.blob.core.windows.net:8443",
        "https://st.blob.core.windows.net\n",
        "https://st.blob.core.windows.net./",
        "https://recur.westeurope.batch.azure.com",
        "https://127.0.0.1:10000",
        "",
    ],
)
def test_what_only_looks_like_storage_of_azure_is_not(url: str) -> None:
    """Also where one program would read another host out of it than the next."""
    assert not is_azures(url, Service.STORAGE)


@pytest.mark.parametrize(
    ("name", "value", "opens"),
    [
        ("DATA_STORAGE_URL", "https://evil.example/", Target.storage),
        ("DATA_STORAGE_URL", "https://evil.example/", Target.ledger),
        ("DATA_STORAGE_URL", "https://evil.example/", Uploads),
        ("DATA_STORAGE_URL", "https://127.0.0.1:10000/account", Target.storage),
        ("DATA_STORAGE_URL", "https://evil.example", app_settings),
        ("BATCH_ACCOUNT_URL", "https://evil.example", app_settings),
        ("BATCH_ACCOUNT_URL", "https://evil.example", Target.batch),
        ("BATCH_ACCOUNT_URL", "http://127.0.0.1:10100", Target.batch),
        ("HOST_STORAGE_URL", "https://evil.example/", lambda found: [*check_heartbeats(found)]),
    ],
)
def test_no_token_goes_to_a_host_that_the_current_folder_names(
    folder: Callable[..., Path], name: str, value: str, opens: Callable[[Target], object]
) -> None:
    """The refusal names the setting, the address and the file in which it stands."""
    source = folder(**{**SETTINGS, name: value})

    with pytest.raises(CliError) as refused:
        opens(find_target(None, {}))

    assert refused.value.code is Exit.REFUSED
    assert refused.value.message.startswith(f"{name} is {value}, which is not a host of Azure")
    assert f"{source}, found in the current folder" in refused.value.message
    assert "--settings FILE" in str(refused.value.next_step)


async def test_a_document_is_not_applied_through_such_a_host(folder: Callable[..., Path]) -> None:
    """Its client is another one than that of the other commands."""
    folder(**{**SETTINGS, "DATA_STORAGE_URL": "https://evil.example"})

    with pytest.raises(
        CliError, match=r"DATA_STORAGE_URL is https://evil\.example, which is not a host"
    ):
        async with open_ledger(find_target(None, {})):
            pass


def test_hosts_of_azure_are_spoken_to_from_any_folder(folder: Callable[..., Path]) -> None:
    """The settings that azd keeps in the folder go on working."""
    folder(**SETTINGS)
    target = find_target(None, {})

    assert target.storage().account_name == "stdata"
    assert target.open_host_storage("HOST_STORAGE_URL").account_name == "sthost"
    assert app_settings(target).batch_account_url == SETTINGS["BATCH_ACCOUNT_URL"]
    target.batch().close()


def test_an_address_that_is_named_is_used_as_it_is(tmp_path: Path) -> None:
    """By --settings or in the environment: whoever does that knows it."""
    odd = {**SETTINGS, "DATA_STORAGE_URL": "https://storage.corp.example/"}
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"Values": odd}))

    for target in (find_target(file, {}), find_target(None, odd)):
        assert target.named
        assert target.storage().primary_hostname == "storage.corp.example"


def test_keys_of_the_folder_go_to_a_host_of_the_folder(folder: Callable[..., Path]) -> None:
    """They are whoever wrote them's own; no token goes with them."""
    folder(
        **{
            **SETTINGS,
            "BATCH_ACCOUNT_URL": "http://127.0.0.1:10100",
            "DATA_STORAGE_URL": "http://127.0.0.1:10000/a",
        },
        BATCH_ACCOUNT_NAME="recurlocal",
        BATCH_ACCOUNT_KEY="a2V5",
        DATA_STORAGE_CONNECTION_STRING="BlobEndpoint=http://127.0.0.1:10000/a;AccountName=a;AccountKey=a2V5",
    )
    target = find_target(None, {})

    target.batch().close()
    assert target.storage().account_name == "a"
    assert app_settings(target).batch_account_key == "a2V5"


@pytest.mark.parametrize("name", ["..", "../dev", "a/b", "", "."])
def test_an_environment_of_azd_lies_in_its_folder(
    folder: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    """A name that leads elsewhere is no environment."""
    folder(**SETTINGS)
    (tmp_path / ".azure/config.json").write_text(json.dumps({"defaultEnvironment": name}))
    for other in (tmp_path, tmp_path / ".azure"):
        (other / ".env").write_text('BATCH_ACCOUNT_URL="https://evil.example"')

    assert find_target(None, {}).source == "the environment"


def test_an_environment_of_azd_that_cannot_be_read_is_named(folder: Callable[..., Path]) -> None:
    """Instead of a stack."""
    source = folder()
    source.write_bytes(b"A=\xff")

    with pytest.raises(CliError, match="is not UTF-8") as refused:
        find_target(None, {})

    assert str(source) in refused.value.message
