"""What a record says of an output: what it vouches for, and what only lies there."""

from dataclasses import dataclass
from typing import Final

from orchestrator.decisions.last_words import escape_controls
from orchestrator.ledger.record import How, Output, Record

VERIFIED_BYTES: Final = 8 * 1024 * 1024
"""An output up to this size is compared with its hash before anything of it is shown."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """
    What a record says of the bytes of one output.

    Attributes:
        sha256: What they come to; None where the record has no hash.
        bytes: How many they are, if the record says so.
        warning: Why the record does not vouch for them; None where it does.
    """

    sha256: str | None = None
    bytes: int | None = None
    warning: str | None = None


def voucher(record: Record, number: int, path: str, *, is_open: bool) -> Voucher:
    """Return what the record says of an output of an attempt, by its number."""
    shown = escape_controls(path)
    if number != record.attempt.number:
        return Voucher(warning=f"the record vouches for the last attempt, and not for {number}")
    if is_open:
        return Voucher(warning=f"the run is not final yet: nothing vouches for {shown}")
    noted = next((one for one in record.outputs if one.path == path), None)
    if noted is None:
        cut = f", which lists {len(record.outputs)} of {record.outputs_total}"
        more = cut if _is_cut(record) else ""
        return Voucher(warning=f"{shown} is not in the record{more}: nothing vouches for it")
    if noted.undeclared:
        return Voucher(warning=f"{shown} is undeclared: it matches no pattern of the schedule")
    if noted.sha256 is None:
        why = noted.why or "the record has no hash of it"
        return Voucher(bytes=noted.bytes, warning=f"{shown} was not verified byte by byte: {why}")
    return Voucher(sha256=noted.sha256, bytes=noted.bytes)


def output_lines(record: Record) -> list[str]:
    """Return a line for each output of a record, and for what it lacks."""
    lines = [_line(one) for one in record.outputs]
    if _is_cut(record):
        lines.append(f"the record lists {len(record.outputs)} of {record.outputs_total}")
    return lines


def unmatched_lines(record: Record) -> list[str]:
    """Return a line for each declared pattern that matched no file."""
    return [f"{escape_controls(pattern)} matched no file" for pattern in record.unmatched]


def last_lines_of(record: Record, most: int) -> tuple[str, tuple[str, ...]] | None:
    """
    Return the stream in which a run that did not succeed last said something, and its last lines.

    Args:
        record: Of the run.
        most: So many lines at most; empty ones at the end are left out.
    """
    words = record.last_words
    if words is None:
        return None
    for stream, text in (("stderr", words.stderr), ("stdout", words.stdout)):
        if text and text.strip():
            lines = text.strip("\n").rstrip().split("\n")[-most:]
            return stream, tuple(escape_controls(line, keep="\t") for line in lines)
    return None


def note(output: Output) -> str:
    """Return what is to be said of an output beside its size; empty where it is as it should be."""
    if output.undeclared:
        return "undeclared: it matches no pattern of the schedule"
    why = output.why or ""
    if output.how is How.FETCHED:
        return f"fetched from the node: {why}" if why else "fetched from the node"
    if output.how is How.UNVERIFIED:
        return f"unverified: {why}"
    return why


def _line(output: Output) -> str:
    path = escape_controls(output.path)
    if output.how is How.MISSING:
        return f"{path}, missing: {output.why}"
    size = f", {output.bytes} bytes" if output.bytes is not None else ""
    said = note(output)
    return f"{path}{size}" + (f", {said}" if said else "")


def _is_cut(record: Record) -> bool:
    return record.outputs_total is not None and record.outputs_total > len(record.outputs)
