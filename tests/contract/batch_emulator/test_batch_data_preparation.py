"""The data folder: preparations, releases and pools of jobs go on after SIGKILL."""

from pathlib import Path

from tests.contract.conftest import Batch
from tests.support.kept_account import account, kill
from tests.support.plain_jobs import plain_job, settled, task_body, until_job, until_task
from tests.support.prepared_jobs import own_pool, pool_of, pools, prepared, statuses

COUNT = "/bin/sh -c 'echo >> $AZ_BATCH_NODE_SHARED_DIR/{name}; {then}'"
GATE = "until [ -e $AZ_BATCH_NODE_SHARED_DIR/go ]; do sleep 0.02; done"


def counted(batch: Batch, name: str) -> int:
    """Return how often a command of ``COUNT`` has run on any node."""
    return sum(len(file.read_text()) for file in batch.root.glob(f"*/*/shared/{name}"))


async def test_they_go_on_where_they_were(tmp_path: Path) -> None:
    """What had ended is not done again; what was under way is; the job's pool ends with it."""
    prepare = prepared(COUNT.format(name="prep", then=GATE))
    release = {"jobReleaseTask": {"commandLine": COUNT.format(name="release", then="sleep 600")}}
    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_job(plain_job(**own_pool(), **prepare, **release))
        await batch.client.create_task("job", task_body("one"))
        await until_task(batch, "one", "preparing")
        name = pool_of(await batch.client.get_job("job"))

        async def begun() -> int:
            return counted(batch, "prep")

        await batch.until(begun, lambda seen: seen == 1)
        kill(emulator)

    async with account(tmp_path) as (batch, emulator):
        await until_task(batch, "one", "preparing")
        await batch.until(begun, lambda seen: seen == 2)
        for shared in batch.root.glob("*/*/shared"):
            (shared / "go").touch()
        await settled(batch, "one")
        kill(emulator)

    async with account(tmp_path) as (batch, emulator):
        await batch.client.create_task("job", task_body("two"))
        await settled(batch, "two")
        assert counted(batch, "prep") == 2
        assert pool_of(await batch.client.get_job("job")) == name
        await batch.terminate("job", "enough")

        async def releasing() -> int:
            return counted(batch, "release")

        await batch.until(releasing, lambda seen: seen == 1)
        kill(emulator)

    async with account(tmp_path) as (batch, _):
        await batch.until(releasing, lambda seen: seen == 2)
        assert (await batch.client.get_job("job")).state == "terminating"
        await batch.send("DELETE", f"/pools/{name}")
        await until_job(batch, "completed")
        await batch.until(lambda: pools(batch), lambda seen: seen == [])
        (status,) = await statuses(batch)
        assert status.job_preparation_task_execution_info is not None
        assert status.job_preparation_task_execution_info.result == "success"
