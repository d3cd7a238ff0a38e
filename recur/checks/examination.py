"""Run checks one after the other, and show what each one finds."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from rich.markup import escape

from recur.checks.findings import Finding, Grade
from recur.errors import Exit
from recur.output import Printer
from recur.progress import progress

type Check = tuple[str, Callable[[], Iterator[Finding]]]

_SHOWN_AFTER_SECONDS: Final = 0.5

_MARK: Final = {
    Grade.GOOD: "[green]good     [/]",
    Grade.NOTE: "[yellow]note     [/]",
    Grade.PROBLEM: "[red]problem  [/]",
    Grade.UNCHECKED: "[dim]unchecked[/]",
}


def examine_all(output: Printer, source: str, checks: Sequence[Check]) -> Exit:
    """
    Run checks one after the other, and print what each one finds as it ends.

    Args:
        output: Of the command.
        source: Where the settings come from, for programs.
        checks: Each with its name; none may raise.

    Returns:
        1 if there is a problem, 6 if nothing at all could be checked.
    """
    findings: list[Finding] = []
    for done, (name, check) in enumerate(checks):
        what, all_ = f"checking {name}", len(checks)
        with progress(output, what, all_, after_seconds=_SHOWN_AFTER_SECONDS) as advance:
            advance(done)
            found = list(check())
        findings += found
        for finding in found:
            _show_finding(output, finding)
    output.say(_verdict(findings))
    output.result({"source": source, "findings": findings})
    grades = {one.grade for one in findings}
    if Grade.PROBLEM in grades:
        return Exit.FOUND
    return Exit.UNAVAILABLE if grades == {Grade.UNCHECKED} else Exit.DONE


def _verdict(findings: Sequence[Finding]) -> str:
    """Sum up, and never call well what was not looked at or is worth a note."""
    number = Counter(finding.grade for finding in findings)
    told = (
        (number[Grade.PROBLEM], "problem(s)"),
        (number[Grade.NOTE], "note(s)"),
        (number[Grade.UNCHECKED], "not checked"),
    )
    left = ", ".join(f"{count} {what}" for count, what in told if count)
    if number[Grade.PROBLEM]:
        return left
    if number.keys() == {Grade.UNCHECKED}:
        return "nothing could be checked"
    return f"no problems found; {left}" if left else "no problems found"


def _show_finding(output: Printer, finding: Finding) -> None:
    output.people.print(f"{_MARK[finding.grade]} {escape(finding.check)}: {escape(finding.what)}")
    if finding.why:
        output.people.print(f"          {escape(finding.why)}")
    if finding.fix:
        output.people.print(f"          fix: {escape(finding.fix)}")
