"""`recur publish` on an emulated account and real storage."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.core.exceptions import HttpResponseError

from local.azurite import Azurite
from recur.errors import CliError, Exit
from recur.publishing.publisher import MOST_VERSIONS
from recur.publishing.uploads import Uploads
from recur.role_waiting import LIMIT
from tests.contract.conftest import pool_body
from tests.support.arm_account import ArmAccount
from tests.support.operator import Told, operator
from tests.support.publishing import (
    NAMES,
    Run,
    fill,
    is_published,
    packages,
    refer,
    versions,
    workload,
)

_ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def account(azurite: Azurite, tmp_path: Path) -> Iterator[ArmAccount]:
    with ArmAccount(azurite, tmp_path / "nodes") as running:
        yield running


def _recur(account: ArmAccount, folder: Path, *options: str) -> Told:
    return operator(folder, **account.settings).recur(*options)


def test_the_second_time_there_is_nothing_to_do(account: ArmAccount, tmp_path: Path) -> None:
    """Both end with 0; the first says what it published, the second that nothing was to be done."""
    source = str(workload(tmp_path / "workload"))
    given = packages(tmp_path)

    first = _recur(account, tmp_path, "publish", "--workload", source)
    second = _recur(account, tmp_path, "publish", "--workload", source)

    parameter = json.dumps({one.name: one.version for one in given}, separators=(",", ":"))
    for told in (first, second):
        assert told.code == 0
        assert f"PACKAGE_VERSIONS='{parameter}'" in told.out
    for package in given:
        assert f"publishing {package.name} {package.version}" in first.err
    assert first.out.count("published") == 2
    assert "nothing to do" not in first.out
    assert "nothing to do" in second.out
    assert second.err == ""
    assert is_published(account, given)
    applications = account.arm().client.application.list("recur", "recurlocal")
    assert {
        app.name: app.properties and app.properties.allow_updates for app in applications
    } == dict.fromkeys(NAMES, False)


def test_programs_get_one_json_document_and_the_parameter_in_a_file(
    account: ArmAccount, tmp_path: Path
) -> None:
    """The file can be sourced by a shell, and keeps what else is in it."""
    source = str(workload(tmp_path / "workload"))
    file = tmp_path / "packages.env"
    file.write_text("VM_SIZE='Standard_D2ds_v5'\nPACKAGE_VERSIONS='{}'\n")

    dry = _recur(account, tmp_path, "--json", "publish", "--workload", source, "--dry-run")
    assert account.arm().versions("pythonsetup") is None
    done = _recur(
        account, tmp_path, "--json", "publish", "--workload", source, "--write", str(file)
    )

    expected = {one.name: one.version for one in packages(tmp_path)}
    told, planned = done.json, dry.json
    assert (told["versions"], told["published"], told["missing"]) == (expected, [*NAMES], [])
    assert (planned["versions"], planned["published"], planned["missing"]) == (
        expected,
        [],
        [*NAMES],
    )
    command = ["/bin/sh", "-c", f'. {file}; printf "%s\\n" "$PACKAGE_VERSIONS" "$VM_SIZE"']
    sourced = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    text, size = sourced.splitlines()
    assert json.loads(text) == expected
    assert size == "Standard_D2ds_v5"


def test_what_is_left_out_and_what_is_suspicious_is_told(
    account: ArmAccount, tmp_path: Path
) -> None:
    """On stderr, where the hook of azd passes it on, and to programs."""
    source = workload(tmp_path / "workload")
    (source / NAMES[0] / ".env").write_text("A=1")
    (source / NAMES[0] / "id_\x1b[2Jrsa.pfx").write_text("")

    told = _recur(account, tmp_path, "--json", "publish", "--workload", str(source), "--dry-run")

    assert told.json["left_out"] == {NAMES[0]: [".env"], NAMES[1]: []}
    (warning,) = told.json["warnings"]
    assert (warning["application"], warning["path"]) == (NAMES[0], "id_\x1b[2Jrsa.pfx")
    first, second = told.err.splitlines()
    assert first == f"{NAMES[0]}: left out .env"
    assert second.startswith(rf"warning: {NAMES[0]}/id_\x1b[2Jrsa.pfx: its name suggests keys")


def test_two_commands_at_once_both_succeed(account: ArmAccount, tmp_path: Path) -> None:
    """One version is active at the end, whole, and both say which."""
    source = str(workload(tmp_path / "workload"))
    settings = operator(tmp_path, **account.settings).settings
    command = [
        sys.executable,
        "-m",
        "recur",
        "--settings",
        str(settings),
        "publish",
        "--workload",
        source,
    ]

    both = [subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.DEVNULL) for _ in range(2)]

    assert [process.wait(timeout=60) for process in both] == [0, 0]
    given = packages(tmp_path)
    assert is_published(account, given)
    assert [versions(account, package.name) for package in given] == [
        {package.version} for package in given
    ]


def test_two_runs_at_once_meet_at_every_step(account: ArmAccount, tmp_path: Path) -> None:
    """Again and again, with new content each time, from the same moment on."""
    for number in range(6):
        given = packages(tmp_path / str(number), pythonscript=f"print({number})")
        start = threading.Barrier(2)

        def publish() -> dict[str, str]:
            start.wait()  # noqa: B023 - the threads end before the next round
            return Run(account).publish(given).versions  # noqa: B023

        with ThreadPoolExecutor(2) as pool:
            first, second = [pool.submit(publish) for _ in range(2)]
        assert first.result() == second.result() == {one.name: one.version for one in given}
        assert is_published(account, given)
    assert len(versions(account, "pythonscript")) == 5


def test_old_versions_go_except_those_a_pool_refers_to(account: ArmAccount, tmp_path: Path) -> None:
    """Pools of either plane count, of this application and no other; the newest few stay."""
    old = fill(account, "pythonscript", 9)
    fill(account, "other", 9)
    refer(account, "one", "pythonscript", old[0])
    refer(account, "three", "other", old[1])
    references = [{"applicationId": "pythonscript", "version": old[2]}]
    account.batch().create_pool(pool_body("two", applicationPackageReferences=references))
    given = packages(tmp_path)

    done = Run(account, keep=3).publish(given)

    left = {old[0], old[2], old[7], old[8], given[0].version}
    assert versions(account, "pythonscript") == left
    assert [name for _, name in done.removed] == [old[1], *old[3:7]]
    assert set(account.blobs("pythonscript")) == left
    assert len(versions(account, "other")) == 9
    again = Run(account, keep=3).publish(given)
    assert not again.changed


def test_the_limit_of_versions_is_made_room_in(account: ArmAccount, tmp_path: Path) -> None:
    """At forty versions the oldest that may go makes room, and the pruning does the rest."""
    old = fill(account, "pythonscript", MOST_VERSIONS)
    refer(account, "one", "pythonscript", old[0])
    given = packages(tmp_path)

    done = Run(account).publish(given)

    assert is_published(account, given)
    assert versions(account, "pythonscript") == {old[0], *old[-4:], given[0].version}
    assert done.removed[0] == ("pythonscript", old[1])


def test_a_version_that_was_never_activated_makes_room_first(
    account: ArmAccount, tmp_path: Path
) -> None:
    """It is left alone until then, since it may be somebody's who is just uploading it."""
    (pending,) = fill(account, "pythonscript", 1, active=False)
    fill(account, "pythonscript", 3)
    Run(account).publish(packages(tmp_path))
    assert pending in versions(account, "pythonscript")
    fill(account, "pythonscript", MOST_VERSIONS - 5)

    done = Run(account, keep=39).publish(packages(tmp_path, pythonscript="print(2)"))

    assert done.removed[0] == ("pythonscript", pending)


def test_without_any_room_it_says_what_to_do(account: ArmAccount, tmp_path: Path) -> None:
    """Nothing that a pool refers to is removed, even then."""
    old = fill(account, "pythonscript", MOST_VERSIONS)
    for start in range(0, MOST_VERSIONS, 10):
        refer(account, f"pool-{start}", "pythonscript", *old[start : start + 10])

    with pytest.raises(CliError, match="has 40 versions, the most that Batch allows") as refused:
        Run(account).publish(packages(tmp_path))

    assert refused.value.code is Exit.REFUSED
    assert "az batch application package list" in str(refused.value.next_step)
    assert versions(account, "pythonscript") == set(old)


def test_what_cannot_be_removed_is_told_and_stays(account: ArmAccount, tmp_path: Path) -> None:
    """A refusal to delete an old version does not undo the publication."""
    old = fill(account, "pythonscript", 2)
    account.deny(whose="caller", operation="application_package.delete")
    given = packages(tmp_path)

    done = Run(account, keep=1).publish(given)

    assert is_published(account, given)
    assert [(owner, name) for owner, name, _ in done.kept] == [
        ("pythonscript", name) for name in old
    ]
    assert "does not have authorization" in done.kept[0][2]


@pytest.mark.parametrize("left", [b"", b"PK\x03\x04 but no more"])
def test_a_damaged_upload_of_an_earlier_run_is_replaced(
    account: ArmAccount, tmp_path: Path, left: bytes
) -> None:
    """A version that is pending is uploaded again, whatever lies there."""
    given = packages(tmp_path)
    arm = account.arm()
    arm.make_application(given[0].name)
    url = arm.open_version(given[0].name, given[0].version)
    container, blob = url.rsplit("/", 2)[1:]
    account.storage.get_blob_client(container, blob).upload_blob(left)

    Run(account).publish(given)

    assert is_published(account, given)


def _overwrite(account: ArmAccount, name: str, content: bytes) -> None:
    (container,) = account.storage.list_containers(name_starts_with=f"app-{name}-")
    client = account.storage.get_container_client(container.name)
    for blob in client.list_blob_names():
        client.upload_blob(blob, content, overwrite=True)


def test_an_active_package_that_is_another_is_noticed(account: ArmAccount, tmp_path: Path) -> None:
    """Uploaded by hand, and no zip at all, or the zip of another version: exit code 1 says so."""
    given = packages(tmp_path)
    Run(account).publish(given)
    other = packages(tmp_path / "other", pythonscript="print('other')")[0].zip_path.read_bytes()

    for content in (b"/the/path/to/a.zip", other):
        _overwrite(account, "pythonscript", content)
        with pytest.raises(CliError, match="storage has another") as found:
            Run(account).publish(given)
        assert found.value.code is Exit.FOUND
        assert f"--version-name {given[0].version}" in str(found.value.next_step)

    account.arm().delete_version("pythonscript", given[0].version)
    Run(account).publish(given)
    assert is_published(account, given)


def test_a_package_zipped_by_another_program_is_the_same(
    account: ArmAccount, tmp_path: Path
) -> None:
    """What counts is the content: names, modes and bytes of the files."""
    given = packages(tmp_path)
    Run(account).publish(given)
    original = given[0].zip_path
    copy = tmp_path / "copy.zip"
    script = (
        "import sys, zipfile\n"
        "a, b = zipfile.ZipFile(sys.argv[1]), zipfile.ZipFile(sys.argv[2], 'w')\n"
        "for i in a.infolist():\n"
        "    data = a.read(i); i.compress_type = zipfile.ZIP_DEFLATED; b.writestr(i, data)\n"
        "b.close()\n"
    )
    subprocess.run([sys.executable, "-c", script, original, copy], check=True)
    assert copy.read_bytes() != original.read_bytes()
    _overwrite(account, "pythonscript", copy.read_bytes())

    done = Run(account).publish(given)

    assert not done.changed
    assert done.unverified == []


def test_a_package_that_cannot_be_found_again_is_told(account: ArmAccount, tmp_path: Path) -> None:
    """In which container Batch keeps it is no promise of Batch."""
    given = packages(tmp_path)
    Run(account).publish(given)
    for container in account.storage.list_containers(name_starts_with="app-pythonsetup"):
        account.storage.delete_container(container.name)

    done = Run(account).publish(given)

    assert done.unverified == ["pythonsetup"]
    assert not done.changed


def test_an_account_with_storage_keys_is_published_to_by_its_signature(
    azurite: Azurite, tmp_path: Path
) -> None:
    """The address that the PUT gives is used as it is."""
    with ArmAccount(azurite, tmp_path / "nodes", package_sas=True) as account:
        given = packages(tmp_path)

        Run(account).publish(given)

        assert is_published(account, given)


def test_a_wrong_signature_is_not_waited_for(account: ArmAccount, tmp_path: Path) -> None:
    """A role would not help it."""
    run = Run(account, wait=LIMIT)
    uploads = Uploads(account.target)
    given = packages(tmp_path)[0].zip_path
    account.storage.create_container("app-wrong")
    url = f"{account.storage.url}app-wrong/v1?sv=2025-11-05&sr=b&sp=rw&sig=AAAA"

    with pytest.raises(HttpResponseError) as refused:
        uploads.upload(url, given, run.role_wait)

    assert refused.value.status_code == 403
    assert run.shown == ""


def test_packages_in_another_storage_account_are_refused(
    account: ArmAccount, tmp_path: Path
) -> None:
    """The settings name one account, and Batch is linked to another."""
    run = Run(account)
    given = packages(tmp_path)[0].zip_path

    with pytest.raises(CliError, match="Batch keeps packages at") as refused:
        Uploads(account.target).upload(
            "https://another.blob.core.windows.net/app-x/v1",
            given,
            run.role_wait,
        )

    assert refused.value.code is Exit.REFUSED
    assert "DATA_STORAGE_URL" in str(refused.value.next_step)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda path: (path / "pythonsetup" / "link").symlink_to("nowhere"), "pythonsetup/link"),
        (lambda path: os.mkfifo(path / "pythonsetup" / "pipe"), "pythonsetup/pipe"),
        (
            lambda path: (path / "pythonsetup" / "main.py").unlink(),
            "pythonsetup: the folder has no file",
        ),
        (lambda path: (path / "My Tool").mkdir(), "My Tool"),
        (
            lambda path: Path(os.fsdecode(bytes(path / "pythonsetup") + b"/\xff.py")).touch(),
            "\\udcff.py",
        ),
    ],
    ids=["link", "pipe", "empty", "name", "not UTF-8"],
)
def test_a_workload_that_cannot_be_packaged_is_refused(
    account: ArmAccount, tmp_path: Path, spoil: Callable[[Path], None], named: str
) -> None:
    """Exit code 3 with the file's name, before anything is asked of Azure."""
    folder = workload(tmp_path / "workload")
    spoil(folder)

    told = _recur(account, tmp_path, "publish", "--workload", str(folder))

    assert (told.code, told.out) == (3, "")
    assert named in told.err
    assert account.arm().versions("pythonscript") is None


def test_a_workload_without_applications_is_refused(account: ArmAccount, tmp_path: Path) -> None:
    """Also one that is not there."""
    for folder in (tmp_path / "empty", tmp_path / "absent"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        told = _recur(account, tmp_path, "publish", "--workload", str(folder))
        assert told.code == 3
        assert f"{folder}: the folder has no application folder" in told.err
