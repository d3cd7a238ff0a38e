"""docs/workloads.md: the programs there, as packages on an emulated node, through both passes."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from azure.storage.blob.aio import BlobServiceClient

from batch_emulator.package import Package
from infra.compiler import Compiler, find
from orchestrator.document.parse import parse
from orchestrator.enums import Outcome, Reason
from orchestrator.ids import ScheduleId
from orchestrator.ledger.record import Record
from recur.publishing.packaging import build
from tests.conftest import Containers
from tests.contract.conftest import ACCOUNT, KEY, Start
from tests.support.world import World, schedule, settings

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs/workloads.md").read_text()
_README = (_ROOT / "README.md").read_text()
_BLOCK = re.compile(r"```toml\n(.*?)```", re.DOTALL)

type Run = Callable[[Path, str], Awaitable[tuple[Record, str]]]


@pytest.fixture
async def run(start_batch: Start, containers: Containers, tmp_path: Path) -> AsyncIterator[Run]:
    """Return what runs a command once, on a node that has one package, made of a folder."""
    async with AsyncExitStack() as stack:

        async def once(folder: Path, command: str) -> tuple[Record, str]:
            built = build(folder, tmp_path / "packages")
            package = Package(built.name, built.version, built.zip_path)
            batch = await start_batch(applications=(package,))
            storage = await stack.enter_async_context(
                BlobServiceClient.from_connection_string(containers.connection_string)
            )
            world = World(
                settings=settings(containers, batch.url, ACCOUNT, KEY),
                storage=storage,
                batch=batch.client,
            )
            reference = {"applicationId": built.name, "version": built.version}
            await world.pool(applicationPackageReferences=[reference])
            await world.apply(schedule("workload", command))
            await world.submit()
            (record,) = await world.collect_until_finished()
            return record, (await world.output(record) or b"").decode()

        yield once


def _documented(name: str) -> str:
    """Return the command of a schedule in the page."""
    for block in _BLOCK.findall(_PAGE):
        found = parse(block).schedules.get(ScheduleId(name))
        if found:
            return found.command
    raise AssertionError(name)


def test_every_schedule_of_the_page_is_valid() -> None:
    """A reader may copy it."""
    blocks = _BLOCK.findall(_PAGE)

    assert len(blocks) == 4
    assert [parse(block).problems for block in blocks] == [()] * 4


async def test_the_shell_script_runs(run: Run) -> None:
    """With its data, for the day of the nominal time."""
    record, out = await run(_ROOT / "docs/samples/reports", _documented("daily-report"))

    day = record.nominal.date()
    assert (record.outcome, record.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    first, second = out.splitlines()
    assert first == f"report of {day}, run {record.run_id}, attempt 1"
    orders = (_ROOT / "docs/samples/reports/orders.csv").read_text().splitlines()
    assert second == f"orders: {sum(line.startswith(str(day)) for line in orders)}"


async def test_the_program_of_the_readme_runs(run: Run, tmp_path: Path) -> None:
    """Made by the command that stands there, and started by its schedule."""
    folder = tmp_path / "workload/pythonscript"
    folder.mkdir(parents=True)
    (made,) = re.findall(r"^echo .*$", _README, re.MULTILINE)
    (document,) = _BLOCK.findall(_README)
    (schedule,) = parse(document).schedules.values()
    making = await asyncio.create_subprocess_exec("/bin/sh", "-c", made, cwd=tmp_path)
    assert await making.wait() == 0

    record, out = await run(folder, schedule.command)

    assert (record.outcome, record.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert out == f"Hello from run {record.run_id}\n"
    assert re.search(r"^Hello from run \S+$", _README, re.MULTILINE)


async def test_a_script_that_fails_is_a_run_that_failed(run: Run, tmp_path: Path) -> None:
    """Its exit code is the outcome, and what it had said is kept."""
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "report.sh").write_text("set -eu\necho before\ncat missing\necho after\n")

    record, out = await run(folder, _documented("daily-report"))

    assert (record.outcome, record.reason) == (Outcome.FAILED, Reason.EXIT_CODE)
    assert out == "before\n"


async def test_a_program_without_an_executable_bit_is_started(run: Run, tmp_path: Path) -> None:
    """By the command for .NET; a program of this system stands for a published one."""
    folder = tmp_path / "nightly"
    folder.mkdir()
    found = shutil.which("echo")
    assert found is not None
    shutil.copyfile(found, folder / "Nightly")
    assert not (folder / "Nightly").stat().st_mode & 0o111

    record, out = await run(folder, _documented("nightly"))

    assert (record.outcome, record.reason) == (Outcome.SUCCEEDED, Reason.EXIT_ZERO)
    assert out == f"--day {record.nominal.date()}\n"


def _with(block: str, folder: Path) -> Compiler:
    """Put a changed ``pool.json`` into a copy of the Bicep files; return who judges it."""
    found = find()
    if found is None:
        pytest.skip("there is no Bicep compiler: BICEP is not set, and none is on the PATH")
    shutil.copytree(_ROOT / "infra", folder, ignore=shutil.ignore_patterns("*_env", "*.py"))
    pool = json.loads((folder / "pool/pool.json").read_text())
    pool["deploymentConfiguration"] |= json.loads(f"{{{block}}}")
    pool["applicationPackages"].append({"id": "reports"})
    (folder / "pool/pool.json").write_text(json.dumps(pool))
    return Compiler(found)


def test_the_pool_for_containers_compiles(tmp_path: Path) -> None:
    """With one more application; the compiler knows the properties, and finds a wrong one."""
    (block,) = re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL)

    right, wrong = tmp_path / "right", tmp_path / "wrong"
    misspelt = block.replace("containerImageNames", "containerImagesNames")

    assert _with(block, right).lint(right) == []
    assert "containerImagesNames" in str(_with(misspelt, wrong).lint(wrong))
