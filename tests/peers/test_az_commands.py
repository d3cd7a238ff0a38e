"""`az batch` with flags and with files, command by command, as an operator types them."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import pytest

from local.azurite import Azurite
from tests.peers.emulated_account import NAME, EmulatedAccount
from tests.peers.steps import Steps
from tests.recordings.stage import package

type Az = Callable[..., Any]

_SESSION = Path(__file__).with_name("az_session.py")
_TABLE = Path(__file__).with_name("az_command_table.py")

IMAGE = "canonical:ubuntu-24_04-lts:server"
AGENT = "batch.node.ubuntu 24.04"
POOL = ("--pool-id", "pool")
JOB = ("--job-id", "job")
TASK = (*JOB, "--task-id", "one")
SCHEDULE = ("--job-schedule-id", "old")
OUT = ("--file-path", "stdout.txt")
ON_NODE = ("--file-path", "workitems/job/job-1/one/stdout.txt")

COMMANDS: dict[str, tuple[str, ...]] = {
    "pool supported-images list": (),
    "pool create, flags": (
        "--id", "pool", "--vm-size", "Standard_D2s_v3", "--image", IMAGE,
        "--node-agent-sku-id", AGENT, "--target-dedicated-nodes", "1",
        "--task-slots-per-node", "4", "--metadata", "a=b",
        "--start-task-command-line", "/bin/true", "--start-task-wait-for-success",
    ),
    "pool create, file": ("--json-file", "pool.json"),
    "pool list": (),
    "pool list, filter": ("--filter", "startswith(id,'po')", "--select", "id,state"),
    "pool show": POOL,
    "pool set, flags": (*POOL, "--metadata", "c=d"),
    "pool set, file": (*POOL, "--json-file", "pool-change.json"),
    "pool reset": (*POOL, "--application-package-references", "application_id#v1.0", "--metadata", "e=f"),
    "pool resize": (*POOL, "--target-dedicated-nodes", "2", "--resize-timeout", "PT20M"),
    "pool resize, abort": (*POOL, "--abort"),
    "pool resize, again": (*POOL, "--target-dedicated-nodes", "2"),
    "pool node-counts list": (),
    "pool autoscale enable": (
        "--pool-id", "scaled", "--auto-scale-formula", "$TargetDedicatedNodes=0",
    ),
    "pool autoscale evaluate": (
        "--pool-id", "scaled", "--auto-scale-formula", "$TargetDedicatedNodes=3",
    ),
    "pool autoscale disable": ("--pool-id", "scaled"),
    "application summary list": (),
    "application summary show": ("--application-id", "application_id"),
    "node list": POOL,
    "node show": (*POOL, "--node-id", "NODE"),
    "node scheduling disable": (*POOL, "--node-id", "NODE"),
    "node scheduling enable": (*POOL, "--node-id", "NODE"),
    "node remote-login-settings show": (*POOL, "--node-id", "NODE"),
    "node service-logs upload": (
        *POOL, "--node-id", "NODE", "--start-time", "2026-11-22T10:00:00Z",
        "--container-url", "http://127.0.0.1:9/account/container?sig=none",
    ),
    "node user create": (
        *POOL, "--node-id", "NODE", "--name", "ann", "--password", "secret", "--is-admin",
    ),
    "node user reset": (*POOL, "--node-id", "NODE", "--user-name", "ann", "--password", "other"),
    "node user delete": (*POOL, "--node-id", "NODE", "--user-name", "ann", "--yes"),
    "job create, flags": (
        "--id", "job", "--pool-id", "pool", "--priority", "7", "--metadata", "a=b",
        "--job-max-task-retry-count", "1", "--job-max-wall-clock-time", "PT1H",
        "--uses-task-dependencies",
    ),
    "job create, file": ("--json-file", "job.json"),
    "job prep-release-status list": ("--job-id", "job2"),
    "job list": (),
    "job show": JOB,
    "job set": (*JOB, "--priority", "9"),
    "job reset": (*JOB, "--pool-id", "pool", "--priority", "3"),
    "job disable": (*JOB, "--disable-tasks", "requeue"),
    "job enable": JOB,
    "task create, flags": (
        *TASK, "--command-line", "/bin/sh -c 'echo $WORD'", "--environment-settings", "WORD=hello",
        "--max-task-retry-count", "1", "--max-wall-clock-time", "PT5M", "--retention-time", "PT1H",
    ),
    "task create, file": (*JOB, "--json-file", "task.json"),
    "task create, collection": (*JOB, "--json-file", "tasks.json"),
    "task list": JOB,
    "task list, filter": (*JOB, "--filter", "state eq 'completed'"),
    "task show": TASK,
    "task reset": (*JOB, "--task-id", "waits", "--max-task-retry-count", "3"),
    "task stop": (*JOB, "--task-id", "waits"),
    "task reactivate": (*JOB, "--task-id", "fails"),
    "job task-counts show": JOB,
    "task file list": TASK,
    "task file download": (*TASK, *OUT, "--destination", "./copy.txt"),
    "task file delete": (*TASK, "--file-path", "stderr.txt", "--yes"),
    "task subtask list": TASK,
    "node file list": (*POOL, "--node-id", "NODE", "--recursive"),
    "node file download": (*POOL, "--node-id", "NODE", *ON_NODE, "--destination", "./copy-of-node.txt"),
    "node file delete": (*POOL, "--node-id", "NODE", *ON_NODE, "--yes"),
    "task delete": (*JOB, "--task-id", "many-1", "--yes"),
    "job-schedule create, flags": (
        "--id", "old", "--pool-id", "pool", "--recurrence-interval", "PT30M",
        "--start-window", "PT10M", "--do-not-run-after", "2100-01-01T00:00:00Z",
        "--job-manager-task-id", "main", "--job-manager-task-command-line", "/bin/true",
        "--job-manager-task-environment-settings", "WORD=hello", "--metadata", "a=b",
        "--job-max-wall-clock-time", "PT1H", "--priority", "3",
    ),
    "job-schedule create, file": ("--json-file", "job-schedule.json"),
    "job-schedule list": (),
    "job-schedule list, filter": ("--filter", "state eq 'active'", "--select", "id,state"),
    "job list, of a job schedule": ("--job-schedule-id", "old"),
    "job-schedule set, flags": (*SCHEDULE, "--recurrence-interval", "PT1H", "--start-window", "PT5M"),
    "job-schedule set, file": (*SCHEDULE, "--json-file", "job-schedule-change.json"),
    "job-schedule show": SCHEDULE,
    "job-schedule disable": SCHEDULE,
    "job-schedule enable": SCHEDULE,
    "job-schedule reset": (*SCHEDULE, "--pool-id", "pool", "--recurrence-interval", "P1D"),
    "job-schedule stop": SCHEDULE,
    "job-schedule delete": (*SCHEDULE, "--yes"),
    "job stop": (*JOB, "--terminate-reason", "enough"),
    "job delete": (*JOB, "--yes"),
    "node reboot": (*POOL, "--node-id", "NODE"),
    "node delete": (*POOL, "--node-list", "NODE"),
    "pool delete": ("--pool-id", "scaled", "--yes"),
}  # fmt: skip
"""Each command with its arguments; ``NODE`` stands for the node that ran the task ``one``."""

_AT_ANY_REPLY = "azure-cli 2.91 looks for `items` in the reply, whatever it is, and fails"
LEFT_OUT: dict[str, str] = {
    "node file show": _AT_ANY_REPLY,
    "task file show": _AT_ANY_REPLY,
    "pool usage-metrics list": "the emulator keeps no account of what its pools have used",
}  # fmt: skip
"""The commands of the data plane that are not typed, each with the reason."""

_OF_RESOURCE_MANAGER = (
    "account ",
    "application create",
    "application delete",
    "application list",
    "application package ",
    "application set",
    "application show",
    "location ",
    "private-endpoint-connection ",
    "private-link-resource ",
)
"""How commands begin that ask Azure Resource Manager."""

FILES: dict[str, object] = {
    "pool.json": {
        "id": "scaled",
        "vmSize": "Standard_D2s_v3",
        "virtualMachineConfiguration": {
            "imageReference": {
                "publisher": "canonical",
                "offer": "ubuntu-24_04-lts",
                "sku": "server",
            },
            "nodeAgentSKUId": AGENT,
        },
        "targetDedicatedNodes": 0,
    },
    "pool-change.json": {"metadata": [{"name": "c", "value": "d"}]},
    "job.json": {
        "id": "job2",
        "poolInfo": {"poolId": "pool"},
        "jobPreparationTask": {"commandLine": "/bin/true"},
    },
    "job-schedule.json": {
        "id": "later",
        "schedule": {"doNotRunUntil": "2099-01-01T00:00:00Z", "recurrenceInterval": "P1D"},
        "jobSpecification": {"poolInfo": {"poolId": "pool"}},
    },
    "job-schedule-change.json": {"metadata": [{"name": "c", "value": "d"}]},
    "task.json": {
        "id": "fails",
        "commandLine": "/bin/sh -c 'exit 3'",
        "dependsOn": {"taskIds": ["one"]},
    },
    "tasks.json": [
        {"id": "many-1", "commandLine": "/bin/true"},
        {"id": "waits", "commandLine": "/bin/sleep 600"},
    ],
}


class Operator:
    """Types commands of ``az batch``."""

    def __init__(self, peers: Path, environment: dict[str, str], folder: Path) -> None:
        self._session = subprocess.Popen(
            [str(peers / "python"), str(_SESSION)],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.said: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Be ready."""
        return self

    def __exit__(self, *_: object) -> None:
        """Go away."""
        self._session.communicate(timeout=60)

    def type(self, name: str, words: tuple[str, ...]) -> None:
        """
        Type a command, and keep the JSON that it prints.

        Raises:
            RuntimeError: It ends with an error.
        """
        self.said[name] = self._run(name, words)

    def _run(self, name: str, words: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON
        """
        Type a command, and return the JSON that it prints.

        Raises:
            RuntimeError: It ends with an error.
        """
        command = ["batch", *name.partition(",")[0].split(), *words, "--output", "json"]
        assert self._session.stdin
        assert self._session.stdout
        self._session.stdin.write(json.dumps(command) + "\n")
        self._session.stdin.flush()
        done = json.loads(self._session.stdout.readline())
        if done["code"] != 0:
            raise RuntimeError(done["err"])
        return json.loads(done["out"]) if done["out"].strip() else None

    def wait(self, name: str, words: tuple[str, ...], wanted: Callable[[Any], bool]) -> None:
        """Type a command again and again until it prints what is wanted, or for 20 s."""
        limit = time.monotonic() + 20
        while time.monotonic() < limit:
            try:
                if wanted(self._run(name, words)):
                    return
            except RuntimeError:
                return


def _between(operator: Operator, name: str) -> None:
    """Wait as an operator would before a command."""
    if name in {"pool resize", "pool resize, again", "node list"}:
        operator.wait("pool show", POOL, lambda pool: pool["allocationState"] == "steady")
    if name == "node show":
        operator.wait("node list", POOL, lambda nodes: all(one["state"] == "idle" for one in nodes))
    if name == "pool autoscale disable":
        scaled = ("--pool-id", "scaled")
        operator.wait("pool show", scaled, lambda pool: pool["allocationState"] == "steady")
    if name == "job enable":
        operator.wait("job show", JOB, lambda job: job["state"] == "disabled")
    if name == "task list, filter":
        for task in ("one", "fails"):
            words = (*JOB, "--task-id", task)
            operator.wait("task show", words, lambda task: task["state"] == "completed")
    if name == "task stop":
        words = (*JOB, "--task-id", "waits")
        operator.wait("task show", words, lambda task: task["state"] == "running")
    if name == "node delete":
        operator.wait("node list", POOL, lambda nodes: all(one["state"] == "idle" for one in nodes))


def _node(operator: Operator) -> str:
    """Return the node that ran the task ``one``, or any one."""
    task = operator.said.get("task show") or {}
    nodes = operator.said.get("node list") or [{}]
    return str((task.get("nodeInfo") or {}).get("nodeId") or nodes[0].get("id", "none"))


@pytest.fixture(scope="module")
def operator(
    peers: Path,
    quiet_for_all: dict[str, str],
    storage_for_all: Azurite,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Operator, Steps]]:
    """Type all commands, each once, on an account of their own."""
    folder = tmp_path_factory.mktemp("az")
    for file, content in FILES.items():
        (folder / file).write_text(json.dumps(content))
    packages = (package(folder),)
    nodes, storage = folder / "nodes", storage_for_all.connection_string
    with EmulatedAccount(nodes, storage, packages) as account, ExitStack() as stack:
        environment = {
            **quiet_for_all,
            "AZURE_BATCH_ACCOUNT": NAME,
            "AZURE_BATCH_ACCESS_KEY": account.key,
            "AZURE_BATCH_ENDPOINT": account.url,
        }
        operator = stack.enter_context(Operator(peers, environment, folder))
        steps = Steps()
        for name, words in COMMANDS.items():
            _between(operator, name)
            node = _node(operator)
            given = tuple(node if word == "NODE" else word for word in words)
            steps.take(name, partial(operator.type, name, given))
        print(steps.total("az batch", list(COMMANDS)))  # noqa: T201 - a number that people ask for
        yield operator, steps


def test_each_command_of_the_data_plane_is_typed_or_left_out(
    peers: Path, quiet_for_all: dict[str, str]
) -> None:
    """None is forgotten, and none is both; a new azure-cli with more commands fails this."""
    printed = subprocess.run(
        [str(peers / "python"), str(_TABLE)],
        env=quiet_for_all,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    typed = {name.partition(",")[0] for name in COMMANDS}
    there = [name for name in json.loads(printed) if not name.startswith(_OF_RESOURCE_MANAGER)]

    assert typed & LEFT_OUT.keys() == set()
    assert sorted(typed | LEFT_OUT.keys()) == there


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_understood(operator: tuple[Operator, Steps], name: str) -> None:
    """And ends without an error."""
    operator[1].check(name)


def test_what_the_commands_say(operator: tuple[Operator, Steps]) -> None:
    """The values that an operator has given come back."""
    said = operator[0].said

    assert said["pool show"]["taskSlotsPerNode"] == 4
    assert said["pool autoscale evaluate"]["results"].startswith("$TargetDedicatedNodes=3;")
    assert said["job show"]["id"] == "job"
    assert {task["id"] for task in said["task list"]} == {"one", "fails", "many-1", "waits"}
    assert {task["id"] for task in said["task list, filter"]} >= {"one", "fails"}
    assert said["job task-counts show"]["taskCounts"]["failed"] >= 1
    assert said["node list"] != []
    assert said["job prep-release-status list"] == []
    assert said["node service-logs upload"]["numberOfFilesUploaded"] == 1
    assert "127.0.0.1" in said["node remote-login-settings show"].values()
    assert {one["id"] for one in said["job-schedule list"]} == {"old", "later"}
    assert said["job-schedule show"]["schedule"]["recurrenceInterval"] == "PT1H"
    assert said["job-schedule show"]["executionInfo"]["recentJob"]["id"] == "old:job-1"
    assert [job["id"] for job in said["job list, of a job schedule"]] == ["old:job-1"]
