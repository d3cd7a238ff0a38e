"""What has left submit.json: old timings and pauses, and schedules that were removed long ago."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.adapters.calls import first_line
from orchestrator.decisions.moving import is_older, join, reaches
from orchestrator.errors import RecordUnreadable
from orchestrator.ids import ScheduleId
from orchestrator.ledger.moved import load_moved, load_removed
from orchestrator.ledger.state import ScheduleState, SubmitState
from recur.errors import CliError, Exit
from recur.ledger_reader.records import OLDER
from recur.ledger_reader.snapshot import Snapshot


def with_moved(
    ledger: ContainerClient,
    snapshot: Snapshot,
    *,
    after: datetime,
    schedule: ScheduleId | None = None,
) -> Snapshot:
    """
    Return a snapshot with all timings from ``after`` on.

    Args:
        ledger: Where they are.
        snapshot: What submit.json says.
        after: The begin of the time that is looked at.
        schedule: Whose timings; None: of all that are in submit.json.

    Raises:
        CliError: A blob of them cannot be read.
    """
    state = snapshot.state
    if state is None:
        return snapshot
    if schedule is not None:
        state = _with_removed(ledger, state, schedule)
    wanted = {id_: one for id_, one in state.schedules.items() if schedule in {None, id_}}
    wanted |= dict(_joined(ledger, wanted, after))
    return replace(snapshot, state=replace(state, schedules=state.schedules | wanted))


def _with_removed(ledger: ContainerClient, state: SubmitState, schedule: ScheduleId) -> SubmitState:
    """Return a state with a schedule that was removed long ago, if there was one."""
    if schedule in state.schedules or not state.departed:
        return state
    name = ids.removed_blob(schedule)
    try:
        removed = load_removed(ledger.download_blob(name).readall())
    except ResourceNotFoundError:
        return state
    except RecordUnreadable as error:
        raise _unreadable(name, error) from error
    return replace(state, schedules={**state.schedules, schedule: removed.state})


def _joined(
    ledger: ContainerClient, states: dict[ScheduleId, ScheduleState], after: datetime
) -> Iterator[tuple[ScheduleId, ScheduleState]]:
    """Yield the schedules of which something was moved, with it, newest blob first."""
    if all(reaches(one, after) for one in states.values()):
        return
    left = dict(states)
    names = sorted(map(str, ledger.list_blob_names(name_starts_with=ids.MOVED_PREFIX)))
    for name in reversed(names):
        left = {
            id_: one
            for id_, one in left.items()
            if not (reaches(one, after) and is_older(name, one))
        }
        if not left:
            return
        try:
            moved = load_moved(ledger.download_blob(name).readall())
        except RecordUnreadable as error:
            raise _unreadable(name, error) from error
        for id_ in left.keys() & moved.schedules.keys():
            left[id_] = join(left[id_], moved.schedules[id_])
            yield id_, left[id_]


def _unreadable(name: str, error: RecordUnreadable) -> CliError:
    return CliError(Exit.FOUND, f"{name} cannot be read: {first_line(error)}", OLDER)
