"""The product's passes on real parts: Azurite, an emulated Batch account, the official clients."""

import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.batch.aio import BatchClient
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from orchestrator import ids
from orchestrator.adapters.blobs import Cache
from orchestrator.adapters.settings import Settings, read_settings
from orchestrator.batch_state import Pool
from orchestrator.decisions.housekeeping import JOBS_KEPT
from orchestrator.decisions.job_body import job
from orchestrator.enums import AttemptState, Outcome
from orchestrator.ids import ScheduleId
from orchestrator.ledger.attempt import Attempt, FrozenTask
from orchestrator.ledger.record import Action, Decided, Record, Versions, load
from orchestrator.ledger.request import Answer, Request, RequestKind, dump_request, load_answer
from orchestrator.ledger.state import SubmitState, dump_submit, load_submit
from orchestrator.model import Retries
from orchestrator.passes import (
    Application,
    apply_version,
    collect_finished,
    open_services,
    submit_due,
)
from orchestrator.passes.services import STATE_BYTES
from tests.conftest import Containers
from tests.support.waiting import until

POOL = "recur"
NO_POOL = Pool(state="active", packages={}, image=None, target=0, current=0)


def settings(containers: Containers, batch_url: str, account: str, key: str) -> Settings:
    """Return the settings of a product that uses these containers and this account."""
    zeros = "00000000-0000-0000-0000-000000000000"
    return read_settings(
        {
            "SUBMIT_CRON": "0 * * * * *",
            "COLLECT_CRON": "30 * * * * *",
            "BATCH_ACCOUNT_URL": batch_url,
            "BATCH_ACCOUNT_NAME": account,
            "BATCH_ACCOUNT_KEY": key,
            "BATCH_POOL_ID": POOL,
            "DATA_STORAGE_URL": containers.account_url,
            "DATA_STORAGE_CONNECTION_STRING": containers.connection_string,
            "LEDGER_CONTAINER": containers.ledger,
            "OUTPUTS_CONTAINER": containers.outputs,
            "NODE_IDENTITY_ID": f"/subscriptions/{zeros}/resourceGroups/recur/providers/"
            "Microsoft.ManagedIdentity/userAssignedIdentities/id-node",
            "AZURE_CLIENT_ID": zeros,
        }
    )


def schedule(name: str, command: str, *, minutes: int = 2, **keys: str) -> str:
    """
    Return a table of the document, due in each of the last ``minutes`` minutes.

    Nothing else comes due for about a year, however long the test takes. Its cron names the minutes
    of the last hour at least, so that a test that puts the schedule back finds some.
    """
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    start = now - timedelta(minutes=minutes - 1)
    values = {
        "cron": json.dumps(_each_minute(min(start, now - timedelta(hours=1)), now)),
        "command": json.dumps(command),
        "start": start.isoformat(),
        **keys,
    }
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join([f"[schedules.{name}]", *lines, ""])


def _each_minute(first: datetime, last: datetime) -> list[str]:
    """Return cron lines of the minutes from ``first`` to ``last``, one for each hour of a year."""
    lines = []
    hour = first.replace(minute=0)
    while hour <= last:
        begin = first.minute if hour <= first else 0
        end = min(59, (last - hour) // timedelta(minutes=1))
        lines.append(f"{begin}-{end} {hour.hour} {hour.day} {hour.month} *")
        hour += timedelta(hours=1)
    return lines


@dataclass
class World:
    """
    A product under test, its storage and its Batch account.

    Attributes:
        arm_token: Of the account's side in Azure Resource Manager; empty where no test asks that.
    """

    settings: Settings
    storage: BlobServiceClient
    batch: BatchClient
    arm_token: str = field(default="", repr=False)
    cache: Cache = field(default_factory=Cache)
    state_bytes: int = STATE_BYTES
    jobs_kept: timedelta = JOBS_KEPT

    @property
    def ledger(self) -> ContainerClient:
        return self.storage.get_container_client(self.settings.ledger_container)

    @property
    def outputs(self) -> ContainerClient:
        return self.storage.get_container_client(self.settings.outputs_container)

    async def apply(self, text: str) -> None:
        """Put a document in force, as an operator does."""
        async with open_services(self.settings, Cache()) as services:
            compared = await services.ledger.read(ids.DOCUMENT)
            given = Application(data=text.encode(), by="someone")
            await apply_version(services.ledger, given, etag=compared.etag)

    async def pool(self, **keys: Any) -> None:  # noqa: ANN401 - REST spelling
        """Create a pool of one node that is there at once."""
        body = {
            "id": POOL,
            "vmSize": "standard_d2ds_v5",
            "virtualMachineConfiguration": {
                "imageReference": {
                    "publisher": "canonical",
                    "offer": "ubuntu-24_04-lts",
                    "sku": "server",
                    "version": "latest",
                },
                "nodeAgentSKUId": "batch.node.ubuntu 24.04",
            },
            "targetDedicatedNodes": 1,
            **keys,
        }
        await self.batch.create_pool(body)  # type: ignore[arg-type] # REST spelling is accepted

    async def submit(self, cache: Cache | None = None) -> dict[str, int | str]:
        async with open_services(self.settings, cache or self.cache) as services:
            return await submit_due(replace(services, state_bytes=self.state_bytes))

    async def collect(self) -> dict[str, int | str]:
        async with open_services(self.settings, self.cache) as services:
            return await collect_finished(replace(services, jobs_kept=self.jobs_kept))

    async def collect_until_finished(self, runs: int = 1, *, within: float = 60) -> list[Record]:
        """Tick the collector until so many runs have a final record; return those."""

        async def ended() -> list[Record]:
            await self.collect()
            return [record for record in await self.final() if record.outcome]

        return await until(ended, lambda found: len(found) >= runs, within=within)

    async def blobs(self, prefix: str) -> dict[str, bytes]:
        found = {}
        async for name in self.ledger.list_blob_names(name_starts_with=prefix):
            found[name] = await (await self.ledger.download_blob(name)).readall()
        return found

    async def waiting(self) -> dict[str, bytes]:
        """Return the runs and requests that wait, by the names of their blobs."""
        blobs = await self.blobs(ids.OPEN_PREFIX)
        return {name: data for name, data in blobs.items() if name != ids.HOUSEKEEPING}

    async def open(self) -> list[Record]:
        blobs = await self.blobs(ids.OPEN_PREFIX)
        return [load(data) for name, data in blobs.items() if ids.open_run_id(name)]

    async def final(self) -> list[Record]:
        return [load(data) for data in (await self.blobs("runs/")).values()]

    async def jobs(self) -> list[str]:
        return sorted([job.id async for job in self.batch.list_jobs()])

    async def output(self, record: Record, name: str = "stdout.txt") -> bytes | None:
        try:
            stream = await self.outputs.download_blob(f"{record.output_prefix}{name}")
        except ResourceNotFoundError:
            return None
        return await stream.readall()

    async def create_job(self, record: Record) -> None:
        """Create the job of a record, as a tick does whose answer is lost."""
        async with open_services(self.settings, Cache()) as services:
            pool = await services.batch.pool() or NO_POOL
            await services.batch.create_job(job(record, services.place, pool))

    async def end_job(self, record: Record) -> None:
        async with open_services(self.settings, Cache()) as services:
            await services.batch.terminate_job(record.attempt.job_id, "test")
        await self.job_is(record.attempt.job_id, "completed")

    async def begin(self) -> None:
        """Begin the ledger, as a first tick does: records are written after submit.json."""
        state = SubmitState(ledger="test", owner=self.settings.place.account)
        with contextlib.suppress(ResourceExistsError):
            await self.ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(state))

    async def claim(self, record: Record) -> None:
        await self.begin()
        async with open_services(self.settings, Cache()) as services:
            assert await services.ledger.claim(record)

    async def put_open(self, record: Record) -> None:
        async with open_services(self.settings, Cache()) as services:
            opened = await services.ledger.read_open(record.run_id)
            assert opened is not None
            await services.ledger.write_open(record, opened[1])

    async def running(
        self,
        name: str,
        command: str,
        *,
        start_timeout: timedelta = timedelta(minutes=30),
        retries: tuple[int, Outcome] | None = None,
    ) -> Record:
        """Put a submitted run of ten minutes ago in place, with its job."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        nominal = now - timedelta(minutes=10)
        id_ = ScheduleId(name)
        run_id = ids.run_id(id_, nominal)
        task = FrozenTask(
            command=command,
            environment={},
            start_timeout=start_timeout,
            run_timeout=timedelta(hours=1),
            catch_up_window=timedelta(days=1),
            retries=Retries(max=retries[0], on=(retries[1],)) if retries else Retries(),
        )
        attempt = Attempt(
            number=1,
            job_id=run_id,
            state=AttemptState.SUBMITTED,
            claimed=now,
            submitted=datetime.now(UTC),
        )
        record = Record(
            run_id=run_id,
            schedule=id_,
            nominal=nominal,
            decision=Decided(action=Action.SUBMIT, at=now),
            task=task,
            attempts=(attempt,),
            versions=Versions(product="test", tzdata="test"),
        )
        await self.create_job(record)
        await self.claim(record)
        return record

    async def age(self, record: Record, *, minutes: float) -> None:
        """Make an open record look as if it were so much older."""
        async with open_services(self.settings, Cache()) as services:
            opened = await services.ledger.read_open(record.run_id)
            assert opened is not None
            older, by = opened[0], timedelta(minutes=minutes)
            attempt = older.attempt
            attempt = replace(
                attempt,
                claimed=attempt.claimed - by,
                submitted=attempt.submitted - by if attempt.submitted else None,
                ready=attempt.ready - by if attempt.ready else None,
                not_before=attempt.not_before - by if attempt.not_before else None,
            )
            stop = replace(older.stop, at=older.stop.at - by) if older.stop else None
            changed = replace(older.with_attempt(attempt), stop=stop)
            await services.ledger.write_open(changed, opened[1])

    async def state(self) -> SubmitState:
        blob = await self.ledger.download_blob(ids.SUBMIT_STATE)
        return load_submit(await blob.readall())

    async def set_state(self, state: SubmitState) -> None:
        await self.ledger.upload_blob(ids.SUBMIT_STATE, dump_submit(state), overwrite=True)

    async def set_plan(self, records: list[Record]) -> None:
        """Put ``submit.json`` back to the moment after the plan was written."""
        await self.set_state(replace(await self.state(), plan=tuple(records)))

    async def undecide(self, name: str, *, minutes: float) -> None:
        """Put a schedule back by some minutes: what lay before its begin is due now."""
        state = await self.state()
        one = state.schedules[ScheduleId(name)]
        by = timedelta(minutes=minutes)
        first = one.timings[0].since
        timings = tuple(replace(t, since=t.since - by) for t in one.timings)
        back = replace(one, timings=timings, decided_until=first - by)
        await self.set_state(replace(state, schedules={**state.schedules, ScheduleId(name): back}))

    async def ask(self, kind: str, name: str, **values: Any) -> Answer:  # noqa: ANN401 - any field
        """Make a request, tick, and return its answer."""
        id_ = uuid.uuid4().hex
        request = Request(
            id=id_, kind=RequestKind(kind), by="test", schedule=ScheduleId(name), **values
        )
        await self.ledger.upload_blob(ids.request_blob(id_), dump_request(request))
        await self.submit()
        blob = await self.ledger.download_blob(ids.answer_blob(id_))
        return load_answer(await blob.readall())

    async def until[T](self, look: Callable[[], Awaitable[T]]) -> T:
        """Look again and again until something is seen."""
        return await until(look)

    async def decide_again(self, name: str) -> None:
        """Put a schedule back by five minutes, with what was decided of them forgotten."""
        state = await self.state()
        one = state.schedules[ScheduleId(name)]
        by = timedelta(minutes=5)
        timings = tuple(replace(t, since=t.since - by) for t in one.timings)
        back = replace(one, timings=timings, decided_until=one.decided_until - by)
        await self.set_state(replace(state, schedules={**state.schedules, ScheduleId(name): back}))
        for blob in await self.blobs(f"runs/{name}/"):
            await self.ledger.delete_blob(blob)

    async def delete_job(self, job_id: str) -> None:
        request = HttpRequest("DELETE", f"/jobs/{job_id}", params={"api-version": "2025-06-01"})
        (await self.batch.send_request(request)).raise_for_status()
        await until(self.jobs, lambda jobs: job_id not in jobs)

    async def job_is(self, job_id: str, state: str) -> None:
        async def look() -> str:
            return str((await self.batch.get_job(job_id))["state"])

        await until(look, lambda seen: seen == state)

    async def task_is(self, job_id: str, state: str) -> None:
        async def look() -> str:
            return str((await self.batch.get_task(job_id, "main"))["state"])

        await until(look, lambda seen: seen == state)

    def elsewhere(self, **urls: str) -> "World":
        """Return this product with some of its services at another address."""
        there = replace(self.settings, **urls)  # type: ignore[arg-type] # only addresses are given
        return replace(self, settings=there, cache=Cache())
