"""`recur publish`: build the packages of the workload, publish them, say what changed."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from recur.arm import BatchArm
from recur.checkout import find_checkout
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.output import Printer
from recur.publishing.packaging import Package, PackageError, build_all
from recur.publishing.publisher import Published, Publisher
from recur.publishing.uploads import Uploads
from recur.role_waiting import RoleWait
from recur.tables import Column, show_table

PARAMETER: Final = "PACKAGE_VERSIONS"

_COLUMNS: Final = (
    Column(name="APPLICATION", rank=0),
    Column(name="VERSION", rank=1),
    Column(name="STATE", rank=2, prose=True),
)
_MOST_SHOWN: Final = 10
"""So many paths that a package leaves out are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOptions:
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


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    workload: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The folder that contains a folder for each application.",
            show_default="the folder workload of the checkout",
        ),
    ] = None,
    keep: Annotated[
        int,
        typer.Option(
            min=1,
            max=39,
            help="How many of the newest versions to keep, even if no pool uses them.",
        ),
    ] = 5,
    wait: Annotated[
        int, typer.Option(min=0, help="How many seconds to wait for a newly assigned role.")
    ] = 1800,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write PACKAGE_VERSIONS for infra/pool into this file."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be published; change nothing.")
    ] = False,
) -> None:
    """
    Build the application packages of the workload; upload and activate the new ones.

    A version is named after its content, so publishing again changes nothing. Old versions are
    removed, except the newest ones and those that a pool uses.

    Packages leave out .git, .env*, .venv, node_modules, caches, and what .recurignore in the
    application's folder names, with the patterns of a .gitignore.

    Example: recur publish --write packages.env
    """

    def bring(given: Context) -> Exit:
        root = find_checkout()
        source = workload or (root / "workload" if root else None)
        if source is None:
            raise CliError(
                Exit.USAGE,
                "--workload is missing: this is not a checkout with a folder workload",
                "recur publish --workload FOLDER",
            )
        limit = timedelta(seconds=wait)
        options = PublishOptions(source=source, keep=keep, wait=limit, dry_run=dry_run, write=write)
        return publish_workload(given, options)

    run(context, bring)


def publish_workload(given: Context, options: PublishOptions) -> Exit:
    """
    Publish the workload.

    Raises:
        CliError: The workload cannot be packaged, or see `Publisher.publish`.
    """
    packages, done = _publish(given, options)
    if options.write is not None and not options.dry_run:
        write_parameter(options.write, done.versions)
    _show_packages(given, done, dry_run=options.dry_run)
    _result_json(given, packages, done, dry_run=options.dry_run)
    return Exit.DONE


def write_parameter(file: Path, versions: Mapping[str, str]) -> None:
    """
    Write ``PACKAGE_VERSIONS='{...}'`` into a file of such lines, and leave its other lines alone.

    A shell can source the file, and azd can read it.

    Raises:
        CliError: It cannot be written.
    """
    line = f"{PARAMETER}='{json.dumps(dict(versions), separators=(',', ':'))}'"
    try:
        before = file.read_text().splitlines() if file.exists() else []
        kept = [text for text in before if not text.startswith(f"{PARAMETER}=")]
        # Written aside, so that whoever reads the file never finds half of it.
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        partial.write_text("\n".join([*kept, line]) + "\n")
        if file.exists():
            partial.chmod(file.stat().st_mode)
        partial.replace(file)
    except OSError as error:
        raise CliError(Exit.REFUSED, f"{file} cannot be written: {error.strerror}") from error


def _publish(given: Context, options: PublishOptions) -> tuple[Sequence[Package], Published]:
    target, progress = given.target(), given.output.progress
    with tempfile.TemporaryDirectory(prefix="recur-publish-") as folder:
        try:
            packages = build_all(options.source, Path(folder))
        except PackageError as error:
            raise CliError(
                Exit.REFUSED, str(error), "correct it, then run `recur publish` again"
            ) from error
        for package in packages:
            _show_contents(given.output, package)
        publisher = Publisher(
            BatchArm.of(target),
            Uploads(target),
            RoleWait(progress, options.wait),
            tell=lambda text: progress.print(text, markup=False),
            keep=options.keep,
        )
        if not options.dry_run:
            return packages, publisher.publish(packages)
        missing = [package.name for package in publisher.missing(packages)]
        planned = {package.name: package.version for package in packages}
        return packages, Published(planned, missing)


def _show_contents(output: Printer, package: Package) -> None:
    """Tell on stderr what a package does not hold, and what in it is suspicious."""
    if package.left_out:
        shown = ", ".join(package.left_out[:_MOST_SHOWN])
        more = len(package.left_out) - _MOST_SHOWN
        rest = f" and {more} more; --json has them all" if more > 0 else ""
        output.progress.print(f"{package.name}: left out {shown}{rest}", markup=False)
    for path, text in package.warnings:
        output.progress.print(f"warning: {package.name}/{path}: {text}", markup=False)


def _show_packages(given: Context, done: Published, *, dry_run: bool) -> None:
    output = given.output
    new = "to be published" if dry_run else "published"
    rows = [
        *(
            (name, version, new if name in done.new else "active")
            for name, version in done.versions.items()
        ),
        *((*one, "removed: old, and no pool uses it") for one in done.removed),
        *(
            (name, version, f"old, and could not be removed: {reason}")
            for name, version, reason in done.kept
        ),
    ]
    show_table(output, _COLUMNS, rows)
    for name in done.unverified:
        output.say(f"{name}: the package in storage could not be checked")
    if dry_run:
        output.say("dry run: nothing was published")
    elif not done.changed:
        output.say("nothing to do")
    output.say(f"{PARAMETER}='{json.dumps(done.versions, separators=(',', ':'))}'")


def _result_json(
    given: Context, packages: Sequence[Package], done: Published, *, dry_run: bool
) -> None:
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
            "left_out": {package.name: package.left_out for package in packages},
            "warnings": [
                {"application": package.name, "path": path, "message": text}
                for package in packages
                for path, text in package.warnings
            ],
        }
    )
