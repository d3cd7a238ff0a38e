"""
The data folder: what the account holds outlives the emulator, however it ends.

One SQLite file has a row for each thing. Changes are written before the response that reports them
is sent, and otherwise in the same turn of the event loop. They survive the end of the process by
any signal, but perhaps not a crash of the whole system.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiohttp import web

from batch_emulator.journal import tell, tell_failure
from batch_emulator.runtime.account import Account
from batch_emulator.runtime.applications import Application, Applications
from batch_emulator.runtime.enums import TaskState
from batch_emulator.runtime.exit_conditions import exit_options
from batch_emulator.runtime.state.job import Job
from batch_emulator.runtime.state.job_schedule import JobSchedule
from batch_emulator.runtime.state.node import Node
from batch_emulator.runtime.state.pool import Pool
from batch_emulator.runtime.state.task import Task
from batch_emulator.runtime.stored_form import KINDS, StoredFormError, Thing, fill, write
from batch_emulator.runtime.watch import Watch

SCHEMA: Final = 1
"""Increase it when a field is removed, renamed or changes its meaning; new fields need no increase."""

FILE: Final = "account.sqlite"
KEYS: Final = "keys.json"
NODES: Final = "nodes"
_LOCK: Final = "lock"
_TABLES: Final = """
CREATE TABLE thing (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, parent INTEGER, gone INTEGER NOT NULL, value TEXT NOT NULL
);
CREATE INDEX thing_parent ON thing (parent) WHERE parent IS NOT NULL;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_PUT: Final = "INSERT OR REPLACE INTO thing (id, kind, parent, gone, value) VALUES (?, ?, ?, ?, ?)"


class Store:
    """
    The data folder of one emulator.

    Raises:
        ValueError: The folder is in use, or belongs to another account or a newer emulator.
        OSError: It cannot be made or written.
    """

    def __init__(self, folder: Path, *, account: str, root: Path) -> None:
        """
        Open the folder, or make it.

        Args:
            folder: The data folder.
            account: The account's name.
            root: The folder of the nodes' folders.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._lock = _lock(folder)
        self._ids: dict[Thing, int] = {}
        self._next = 1
        self._account: Account | None = None
        self._watch = Watch(self._schedule)
        try:
            self._base = _open(folder / FILE, account=account, root=root)
        except BaseException:
            os.close(self._lock)
            raise

    def load(self, account: Account) -> None:
        """
        Load what is stored into an empty account, and watch it from now on.

        Raises:
            ValueError: Something that is stored cannot be read.
        """
        rows = self._base.execute("SELECT id, kind, gone, value FROM thing ORDER BY id").fetchall()
        things = {id_: KINDS[kind].__new__(KINDS[kind]) for id_, kind, _, _ in rows}
        _set_clock(account, things.values())
        for id_, kind, _, value in rows:
            try:
                fill(things[id_], value, things)
            except StoredFormError:
                raise
            except Exception as error:
                raise ValueError(f"{self._folder / FILE}: {kind} {id_}: {error!r}") from error
        given = account.applications
        account.applications = Applications()
        here = [things[id_] for id_, _, gone, _ in rows if not gone]
        for thing in here:
            _attach(account, thing)
        _add_tasks(here)
        _add_given(account, given)
        self._account = account
        self._ids = {thing: id_ for id_, thing in things.items()}
        self._next = max(things, default=0) + 1
        self._drop_unused()
        for thing in self._ids:
            self._watch.adopt(thing)
        for collection in _collections(account):
            self._watch.adopt(collection)
        self._watch.install()
        for application in account.applications:
            self._watch.note(application)
        if things:
            tell("data.loaded", folder=str(self._folder), things=len(self._ids))

    def _drop_unused(self) -> None:
        """Forget nodes and pools that are gone and that no task refers to."""
        account = self._account
        assert account is not None  # noqa: S101 - `load` has set it
        named: set[object] = set()
        for job in account.jobs:
            nodes = {task.node for task in job.tasks if task.node is not None}
            for node in nodes | {visit.node for visit in job.visits.values()}:
                named |= {node, node.pool}
        unused = [
            thing for thing in self._ids if not _attached(account, thing) and thing not in named
        ]
        with self._base:
            self._base.executemany(
                "DELETE FROM thing WHERE id = ?", [(self._ids.pop(thing),) for thing in unused]
            )

    def _schedule(self) -> None:
        asyncio.get_running_loop().call_soon(self._flush_later)

    def _flush_later(self) -> None:
        try:
            self.flush()
        except sqlite3.Error as error:  # the next response fails by it, and says so
            tell_failure("data.not_written", error, folder=str(self._folder))

    def flush(self) -> None:
        """
        Write every change.

        Raises:
            sqlite3.Error: It could not be written; the changes are kept for the next time.
        """
        account = self._account
        if account is None:
            return
        while changed := self._watch.take():
            puts, drops = [], []
            for thing in changed:
                if _attached(account, thing) or (
                    isinstance(thing, Pool | Node) and thing in self._ids
                ):
                    puts.append(self._row(account, thing))
                elif thing in self._ids:
                    drops.append(thing)
            with self._base:
                self._base.executemany(_PUT, puts)
                ids = [(self._ids[thing],) for thing in drops]
                self._base.executemany("DELETE FROM thing WHERE id = ?", ids)
                self._base.executemany("DELETE FROM thing WHERE parent = ?", ids)
            self._watch.stored(changed)
            for thing in drops:
                self._forget(thing)

    def _row(self, account: Account, thing: Thing) -> tuple[int, str, int | None, bool, str]:
        parent = _parent(thing)
        return (
            self._reference(thing),
            type(thing).__name__,
            None if parent is None else self._reference(parent),
            not _attached(account, thing),
            write(thing, self._reference),
        )

    def _reference(self, thing: Thing) -> int:
        """Return the number of a thing's row; a thing without one is written as well."""
        if (id_ := self._ids.get(thing)) is None:
            id_ = self._ids[thing] = self._next
            self._next += 1
            self._watch.note(thing)
        return id_

    def _forget(self, thing: Thing) -> None:
        self._ids.pop(thing, None)
        self._watch.forget(thing)
        if isinstance(thing, Job):
            for task in thing.tasks:
                self._forget(task)

    async def before_response(self, request: web.Request, _: web.StreamResponse) -> None:
        """Write what a request has changed before its response is sent."""
        if request.method not in {"GET", "HEAD"} and self._account is not None:
            for thing in _named(self._account, request):
                self._watch.note(thing)
        self.flush()

    def close(self) -> None:
        """Write what is left and release the folder."""
        try:
            self.flush()
        finally:
            self._watch.remove()
            self._base.close()
            os.close(self._lock)


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ValueError(
            f"{folder} is in use by another emulator: end that one, or give another --data folder"
        ) from None
    return descriptor


def _open(file: Path, *, account: str, root: Path) -> sqlite3.Connection:
    base = sqlite3.connect(file)
    try:
        file.chmod(0o600)
        # The end of a process loses nothing that it has written; only a crash of the system could.
        base.execute("PRAGMA synchronous = OFF")
        base.execute("PRAGMA journal_mode = WAL")
        (schema,) = base.execute("PRAGMA user_version").fetchone()
        _check_schema(schema, file)
        if schema == 0:
            base.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")
            facts = [("account", account), ("root", str(root))]
            with base:
                base.executemany("INSERT INTO fact VALUES (?, ?)", facts)
        _check_facts(base, file, account=account, root=root)
    except sqlite3.DatabaseError as error:
        base.close()
        raise ValueError(f"{file} cannot be read: {error}") from error
    except BaseException:
        base.close()
        raise
    return base


def _check_schema(schema: int, file: Path) -> None:
    if schema > SCHEMA:
        raise ValueError(
            f"{file} is of a newer emulator (schema {schema}; this one reads up to {SCHEMA}): "
            "use that one, or give another --data folder"
        )


def _check_facts(base: sqlite3.Connection, file: Path, *, account: str, root: Path) -> None:
    facts = dict(base.execute("SELECT name, value FROM fact"))
    if facts["account"] != account:
        raise ValueError(
            f"{file} is of account {facts['account']}, not {account}: give --account "
            f"{facts['account']}, or another --data folder"
        )
    if facts["root"] != str(root):
        raise ValueError(
            f"the nodes of {file} are below {facts['root']}, not {root}: give --root "
            f"{facts['root']}, or another --data folder"
        )


def _set_clock(account: Account, things: Iterable[Thing]) -> None:
    for thing in things:
        if isinstance(thing, Pool | JobSchedule | Job):
            thing.clock = account.clock


def _collections(account: Account) -> tuple[object, ...]:
    return account.pools, account.job_schedules, account.jobs, account.applications


def _attach(account: Account, thing: Thing) -> None:
    match thing:
        case JobSchedule():
            account.job_schedules.add(thing.id, thing)
        case Pool():
            account.pools.add(thing.id, thing)
        case Node():
            thing.pool.nodes[thing.id] = thing
        case Job():
            thing.backlog = account.backlog(thing.pool_id)
            account.jobs.add(thing.id, thing)
        case Application():
            account.applications.add(thing.id, thing)
        case Task():
            pass  # added to its job when that knows which dependencies are satisfied


def _add_tasks(things: Iterable[Thing]) -> None:
    """Add tasks to their jobs, after satisfying the dependencies on completed ones."""
    tasks = [thing for thing in things if isinstance(thing, Task)]
    for job in (thing for thing in things if isinstance(thing, Job)):
        for name in job.remembered:
            job.satisfy(name)
    for task in tasks:
        if task.state is TaskState.COMPLETED:
            options = exit_options(task.body.get("exitConditions", {}), task.execution)
            if options["dependencyAction"] == "satisfy":
                task.job.satisfy(task.id)
    for task in tasks:
        task.job.add(task)


def _attached(account: Account, thing: Thing) -> bool:
    match thing:
        case JobSchedule():
            return account.job_schedules.find(thing.id) is thing
        case Pool():
            return account.pools.find(thing.id) is thing
        case Node():
            return thing.pool.nodes.get(thing.id) is thing and _attached(account, thing.pool)
        case Job():
            return account.jobs.find(thing.id) is thing
        case Task():
            return thing.job.tasks.find(thing.id) is thing and _attached(account, thing.job)
        case Application():
            return account.applications.find(thing.id) is thing


def _parent(thing: Thing) -> Thing | None:
    match thing:
        case Node():
            return thing.pool
        case Task():
            return thing.job
        case _:
            return None


def _add_given(account: Account, given: Applications) -> None:
    """Add the packages that the emulator was started with, over stored ones of the same version."""
    for application in given:
        there = account.applications.find(application.id)
        if there is None:
            account.applications.add(application.id, application)
            continue
        for version in application.versions:
            there.versions.add(version.id, version)


def _named(account: Account, request: web.Request) -> list[Thing]:
    """Return the things that a request's path names."""
    parts = request.match_info
    job = account.jobs.find(parts.get("jobId", ""))
    pool = account.pools.find(parts.get("poolId", ""))
    schedule = account.job_schedules.find(parts.get("jobScheduleId", ""))
    found: list[Thing | None] = [schedule, job, pool]
    if job is not None:
        found.append(job.tasks.find(parts.get("taskId", "")))
    if pool is not None:
        found.append(pool.nodes.get(parts.get("nodeId", "")))
    return [thing for thing in found if thing is not None]
