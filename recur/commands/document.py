"""`recur document`: the document in force, and its versions."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from azure.storage.blob import ContainerClient

from orchestrator import ids
from orchestrator.document.parse import Document, parse
from orchestrator.errors import DocumentError
from orchestrator.ledger.versions import Version
from recur.context import Context, run
from recur.errors import Exit
from recur.formats import NOTHING, local
from recur.schedules.document_changes import changes, price_changes
from recur.schedules.version_blobs import (
    Entry,
    log_of,
    read_in_force,
    read_version,
    read_versions,
)
from recur.tables import Column, show_table
from recur.terminal_text import write_bytes

_NONE = (0, 0)
_COLUMNS: Final = (
    Column(name="VERSION", rank=0),
    Column(name="IN FORCE SINCE", rank=1),
    Column(name="BY", rank=4, prose=True),
    Column(name="NOTE", rank=2, prose=True, optional=True),
    Column(name="CHANGED", rank=3, prose=True),
)
_FIELDS: Final = ("version", "at", "by", "note", "in_force_since", "changed")


def command(
    context: typer.Context,
    log: Annotated[
        bool,
        typer.Option(
            "--log",
            help="List the versions: when and by whom each was applied, why, and what changed.",
        ),
    ] = False,
    last: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --log: show the newest N versions.")
    ] = 20,
    version: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Print version N.")
    ] = None,
    diff: Annotated[
        tuple[int, int],
        typer.Option(metavar="N M", help="Print the differences from version N to version M."),
    ] = _NONE,
) -> None:
    """
    Print the document in force, an earlier version, or the list of versions.

    A pipe or a file gets the document byte for byte; on a terminal, control characters are escaped.

    Each `recur apply` makes a version. A document that was uploaded without recur becomes a version
    with the next tick. `recur apply --revert N` applies version N again.

    Example: recur document --log
    """
    if sum((log, version is not None, diff != _NONE)) > 1:
        raise typer.BadParameter("--log, --version and --diff exclude each other")

    def show(given: Context) -> Exit:
        ledger = given.target().ledger()
        if log:
            return show_log(given, ledger, last)
        given.output.refuse_lists()
        return (
            show_difference(given, ledger, diff)
            if diff != _NONE
            else _print(given, ledger, version)
        )

    run(context, show)


def _print(given: Context, ledger: ContainerClient, number: int | None) -> Exit:
    """Write a version to stdout as it is; by default the one in force."""
    versions = read_versions(ledger)
    if number is None:
        now = read_in_force(ledger, versions)
        data, version = now.data, now.version
    else:
        data, version = read_version(ledger, number), versions.get(number)
    if given.output.as_json:
        told = _facts(version) if version else dict.fromkeys(("version", "at", "by", "note"))
        given.output.result({**told, "text": _text(data)})
    else:
        write_bytes(data)
    return Exit.DONE


def show_difference(given: Context, ledger: ContainerClient, numbers: tuple[int, int]) -> Exit:
    """
    Print what differs between two versions, as a unified diff.

    Raises:
        CliError: There is no such version.
    """
    before, after = (_text(read_version(ledger, number)).splitlines() for number in numbers)
    first, second = (ids.version_blob(number) for number in numbers)
    lines = list(difflib.unified_diff(before, after, first, second, lineterm=""))
    for line in lines:
        given.output.say(line)
    given.output.result({"from": numbers[0], "to": numbers[1], "diff": lines})
    return Exit.DONE


@dataclass(frozen=True, slots=True)
class _Changes:
    """Reads documents to say what changed from one version to another."""

    ledger: ContainerClient

    def of(self, entry: Entry, versions: Mapping[int, Version]) -> list[str]:
        """Return a line for each schedule that changed."""
        document = self._document(entry.version.number)
        if document is None:
            return ["this version is invalid and changed nothing"]
        there = entry.before is not None and entry.before in versions
        before = self._document(entry.before or 0) if there else None
        found = [
            f"{one.schedule}: {', '.join(key for key, _, _ in one.keys) or one.kind}"
            for one in changes(before, document)
            if one.kind != "unchanged" and one.schedule not in document.invalid
        ]
        found += [f"prices.{key}" for key in price_changes(before, document)]
        return found + [f"{id_}: invalid" for id_ in sorted(document.invalid)]

    def _document(self, number: int) -> Document | None:
        try:
            return parse(read_version(self.ledger, number).decode("utf-8-sig"))
        except (UnicodeDecodeError, DocumentError):
            return None


def show_log(given: Context, ledger: ContainerClient, last: int) -> Exit:
    """
    Print the newest versions, one to a line.

    Raises:
        CliError: No document is in force.
    """
    versions = read_versions(ledger)
    now = read_in_force(ledger, versions)
    entries = log_of(now, versions)[:last]
    differences = _Changes(ledger)
    rows: list[Sequence[str]] = []
    told: list[dict[str, Any]] = []
    if now.version is None:
        rows.append(
            (
                NOTHING,
                local(now.since, given.zone),
                "by hand",
                "the next tick makes it a version",
                "",
            )
        )
    for entry in entries:
        changed = differences.of(entry, versions)
        version = entry.version
        rows.append(
            (
                str(version.number),
                local(entry.since, given.zone)
                if entry.since
                else "never"
                if now.version
                else "not known yet",
                "by hand" if version.by is None else version.by,
                version.note or NOTHING,
                "; ".join(changed) or "no schedule",
            )
        )
        told.append({**_facts(version), "in_force_since": entry.since, "changed": changed})
    show_table(given.output, _COLUMNS, rows)
    number = now.version.number if now.version else None
    given.output.listing({"in_force": number, "versions": told}, told, _FIELDS)
    return Exit.DONE


def _facts(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "at": version.at,
        "by": version.by,
        "note": version.note,
    }


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", errors="replace")
