"""`recur doctor`: look at everything a run needs, and say what mends what is wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from azure.core.exceptions import AzureError
from rich.markup import escape

from cli.app import Context, in_our_words
from cli.checks.account import check_account
from cli.checks.batch import check_batch
from cli.checks.roles import check_roles
from cli.checks.settings import check_settings
from cli.checks.storage import check_heartbeats, check_storage
from cli.errors import CliError, Exit
from cli.findings import Finding, Grade, problem
from cli.output import Output
from cli.target import Target

CHECKS: Final[tuple[tuple[str, Callable[[Target], Iterator[Finding]]], ...]] = (
    ("settings", check_settings),
    ("data storage", check_storage),
    ("heartbeats", check_heartbeats),
    ("Batch account", check_batch),
    ("quotas and packages", check_account),
    ("roles", check_roles),
)

_MARK: Final = {
    Grade.GOOD: "[green]good     [/]",
    Grade.NOTE: "[yellow]note     [/]",
    Grade.PROBLEM: "[red]problem  [/]",
    Grade.UNCHECKED: "[dim]unchecked[/]",
}


def examine(given: Context) -> Exit:
    """Run every check, tell each finding as it is made; 1 if there is a problem."""
    target = given.target()
    given.output.say(f"the deployment of {target.source}")
    findings: list[Finding] = []
    for name, check in CHECKS:
        for finding in _careful(name, check, target):
            findings.append(finding)
            _tell(given.output, finding)
    given.output.say(_verdict(findings))
    given.output.result({"source": target.source, "findings": findings})
    return Exit.FOUND if any(one.grade is Grade.PROBLEM for one in findings) else Exit.DONE


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
    return f"no problem was found; {left}" if left else "all is well"


def _careful(
    name: str, check: Callable[[Target], Iterator[Finding]], target: Target
) -> Iterator[Finding]:
    """Run one check; that it cannot be run is a finding, and the others go on."""
    try:
        yield from check(target)
    except CliError as error:
        yield problem(name, error.message, "it cannot be examined", error.next_step or "")
    except AzureError as error:
        told = in_our_words(error)
        yield problem(name, told.message, "it cannot be examined", told.next_step or "")
    except ValueError as error:  # of the Azure clients, for a key or an address that is none
        what = f"a setting cannot be used: {error}"
        yield problem(name, what, "it cannot be examined", f"correct it in {target.source}")


def _tell(output: Output, finding: Finding) -> None:
    output.people.print(f"{_MARK[finding.grade]} {escape(finding.check)}: {escape(finding.what)}")
    if finding.why:
        output.people.print(f"          {escape(finding.why)}")
    if finding.fix:
        output.people.print(f"          fix: {escape(finding.fix)}")
