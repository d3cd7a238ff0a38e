"""What happens on the node between the start of a task and its end."""

from batch_emulator.runtime.account import Account
from batch_emulator.runtime.command_line import ENDED, Ending, run_command, task_environment
from batch_emulator.runtime.enums import TaskStop
from batch_emulator.runtime.execution import Failure
from batch_emulator.runtime.output_files import upload_all
from batch_emulator.runtime.state import Run
from batch_emulator.wire import now, parse_duration


async def execute(account: Account, run: Run) -> tuple[Ending, Failure | None, TaskStop | None]:
    """Run a task's command, again where it may, then upload its outputs; return how it went."""
    task, node = run.task, run.node
    constraints = task.body["constraints"]
    root = node.root / task.root
    environment = task_environment(account, node, task)
    while True:
        ending = await run_command(
            account,
            task.body["commandLine"],
            root=root,
            environment=environment,
            limit=parse_duration(constraints["maxWallClockTime"]),
            stopping=run.stopping,
        )
        exhausted = task.execution.retries == constraints["maxTaskRetryCount"]
        if run.stop or not ending.exit_code or exhausted:
            break
        task.execution.retries += 1
        task.execution.last_retry = task.execution.started = now()
    stopped = run.stop  # a wish to stop that comes while the outputs are uploaded is too late
    failure = ENDED if stopped is TaskStop.TERMINATE else ending.failure
    outputs = task.body.get("outputFiles", ())
    if not outputs or (stopped and stopped.runs_again) or ending.exit_code is None:
        return ending, failure, stopped
    upload_failure = await upload_all(
        account.storage,
        outputs,
        success=failure is None,
        directory=root / "wd",
        variables=environment,
    )
    return ending, failure or upload_failure, stopped
