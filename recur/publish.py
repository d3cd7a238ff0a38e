"""`recur publish`: build the packages of the workload, publish them, say what changed."""

import json
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.table import Table
from rich.text import Text

from recur.app import Context
from recur.arm import BatchArm
from recur.errors import CliError, Exit
from recur.packages import PackageError, build_all
from recur.parameter import PARAMETER, write_parameter
from recur.publisher import Published, Publisher
from recur.role_waiting import RoleWait
from recur.uploads import Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """
    What is asked for.

    Attributes:
        source: The folder of the workload; each folder in it is an application.
        keep: How many of the newest versions stay.
        wait: How long to wait for roles.
        dry_run: Only say what would be published.
        write: The file into which the parameter of infra/pool goes.
    """

    source: Path
    keep: int
    wait: timedelta
    dry_run: bool
    write: Path | None


def publish_workload(given: Context, wishes: Wishes) -> Exit:
    """
    Publish the workload.

    Raises:
        CliError: The workload cannot be packaged, or see `Publisher.publish`.
    """
    done = _publish(given, wishes)
    if wishes.write is not None and not wishes.dry_run:
        write_parameter(wishes.write, done.versions)
    _show(given, done, dry_run=wishes.dry_run)
    _result(given, done, dry_run=wishes.dry_run)
    return Exit.DONE


def _publish(given: Context, wishes: Wishes) -> Published:
    target, progress = given.target(), given.output.progress
    with tempfile.TemporaryDirectory(prefix="recur-publish-") as folder:
        try:
            packages = build_all(wishes.source, Path(folder))
        except PackageError as error:
            raise CliError(Exit.REFUSED, str(error), "correct it, publish again") from error
        publisher = Publisher(
            BatchArm.of(target),
            Uploads(target),
            RoleWait(progress, wishes.wait),
            tell=lambda text: progress.print(text, markup=False),
            keep=wishes.keep,
        )
        if not wishes.dry_run:
            return publisher.publish(packages)
        missing = [package.name for package in publisher.missing(packages)]
        return Published({package.name: package.version for package in packages}, missing)


def _show(given: Context, done: Published, *, dry_run: bool) -> None:
    output = given.output
    new = "to be published" if dry_run else "published"
    table = Table("application", "version", "", box=None, pad_edge=False)
    for name, version in done.versions.items():
        table.add_row(name, version, new if name in done.new else "active")
    for name, version in done.removed:
        table.add_row(name, version, "removed: old, and no pool refers to it")
    for name, version, reason in done.kept:
        table.add_row(name, version, Text(f"old, and could not be removed: {reason}"))
    output.people.print(table)
    for name in done.unverified:
        output.say(f"{name}: what lies in storage could not be looked at")
    if dry_run:
        output.say("a dry run: nothing was published")
    elif not done.changed:
        output.say("nothing to do")
    output.say(f"{PARAMETER}='{json.dumps(done.versions, separators=(',', ':'))}'")


def _result(given: Context, done: Published, *, dry_run: bool) -> None:
    removed = [{"application": name, "version": version} for name, version in done.removed]
    given.output.result(
        {
            "versions": done.versions,
            "published": [] if dry_run else done.new,
            "missing": done.new if dry_run else [],
            "removed": removed,
            "kept": [
                {"application": name, "version": version, "reason": reason}
                for name, version, reason in done.kept
            ],
            "unverified": done.unverified,
        }
    )
