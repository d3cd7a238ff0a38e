"""`recur doctor`: look at everything a run needs, and say what mends what is wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from azure.core.exceptions import AzureError
from rich.markup import escape

from recur.app import Context, in_our_words
from recur.checks.account import check_account
from recur.checks.batch import check_batch, check_job_schedules
from recur.checks.roles import check_roles
from recur.checks.settings import check_settings
from recur.checks.storage import check_heartbeats, check_storage
from recur.errors import CliError, Exit
from recur.findings import Finding, Grade, problem, unchecked
from recur.output import Output
from recur.progress import progress
from recur.target import Target

CHECKS: Final[tuple[tuple[str, Callable[[Target], Iterator[Finding]]], ...]] = (
    ("settings", check_settings),
    ("data storage", check_storage),
    ("heartbeats", check_heartbeats),
    ("Batch account", check_batch),
    ("job schedules", check_job_schedules),
    ("quotas and packages", check_account),
    ("roles", check_roles),
)

type Check = tuple[str, Callable[[], Iterator[Finding]]]

_SHOWN_AFTER_SECONDS: Final = 0.5

_MARK: Final = {
    Grade.GOOD: "[green]good     [/]",
    Grade.NOTE: "[yellow]note     [/]",
    Grade.PROBLEM: "[red]problem  [/]",
    Grade.UNCHECKED: "[dim]unchecked[/]",
}


def examine(given: Context) -> Exit:
    """Run every check, tell what each one finds as it ends; 1 if there is a problem."""
    target = given.target()
    given.output.say(f"the deployment of {target.source}")
    silent: dict[str, str] = {}
    checks: list[Check] = [
        (name, partial(_careful, name, check, target, silent)) for name, check in CHECKS
    ]
    return examine_all(given.output, target.source, checks)


def examine_all(output: Output, source: str, checks: Sequence[Check]) -> Exit:
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
            _tell(output, finding)
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
    return f"no problem was found; {left}" if left else "all is well"


def _careful(
    name: str,
    check: Callable[[Target], Iterator[Finding]],
    target: Target,
    silent: dict[str, str],
) -> Iterator[Finding]:
    """
    Run one check; that it cannot be run is a finding, and the others go on.

    Args:
        name: Of the check.
        check: What is run.
        target: The deployment.
        silent: The check that told first of an address without an answer, by its message. What
            stands at the same address is no other problem.
    """
    try:
        yield from check(target)
    except CliError as error:
        yield problem(name, error.message, "it cannot be examined", error.next_step or "")
    except AzureError as error:
        told = in_our_words(error)
        first = silent.setdefault(told.message, name) if told.code is Exit.UNAVAILABLE else name
        if first != name:
            yield unchecked(name, f"{first}, at the same address, does not answer")
            return
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
