"""`recur doctor`: look at everything a run needs, and say what mends what is wrong."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Annotated, Final

import typer
from azure.core.exceptions import AzureError

from recur.checks.account import check_account
from recur.checks.batch import check_batch, check_job_schedules
from recur.checks.before_deploy import examine_before
from recur.checks.examination import Check, examine_all
from recur.checks.findings import Finding, problem, unchecked
from recur.checks.orphans import check_orphans
from recur.checks.planned_deployment import Choice
from recur.checks.roles import check_roles
from recur.checks.settings import check_settings
from recur.checks.storage import check_heartbeats, check_storage
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.service_errors import in_our_words
from recur.target import Target

_WAIT_SECONDS: Final = 60

CHECKS: Final[tuple[tuple[str, Callable[[Target], Iterator[Finding]]], ...]] = (
    ("settings", check_settings),
    ("data storage", check_storage),
    ("heartbeats", check_heartbeats),
    ("Batch account", check_batch),
    ("job schedules", check_job_schedules),
    ("orphans", check_orphans),
    ("quotas and packages", check_account),
    ("roles", check_roles),
)


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    before_deploy: Annotated[
        bool,
        typer.Option("--before-deploy", help="Check what a new deployment needs."),
    ] = False,
    subscription: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="With --before-deploy: the subscription.",
            show_default="AZURE_SUBSCRIPTION_ID",
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(
            metavar="REGION",
            help="With --before-deploy: the region.",
            show_default="AZURE_LOCATION",
        ),
    ] = None,
    vm_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="With --before-deploy: the VM size of the nodes.",
            show_default="VM_SIZE, else the pool's",
        ),
    ] = None,
    wait: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With --before-deploy: the longest time for all checks, in seconds.",
            show_default="60",
        ),
    ] = None,
) -> None:
    """
    Check a deployment; report each problem with its effect and its fix.

    With --before-deploy, check the subscription, the region and the VM size. This only reads, and
    needs no deployment.

    Example: recur doctor --before-deploy --location westeurope
    """
    if not before_deploy:
        given = {
            "--subscription": subscription,
            "--location": location,
            "--vm-size": vm_size,
            "--wait": wait,
        }
        for name, value in given.items():
            if value is not None:
                raise typer.BadParameter(f"{name} works only with --before-deploy")
        run(context, examine)
        return

    choice = Choice(subscription=subscription, location=location, vm_size=vm_size)
    limit = timedelta(seconds=wait or _WAIT_SECONDS)
    run(context, lambda given: examine_before(given, choice, limit))


def examine(given: Context) -> Exit:
    """Run every check, tell what each one finds as it ends; 1 if there is a problem."""
    target = given.target()
    given.output.say(f"the deployment of {target.origin}")
    silent: dict[str, str] = {}
    checks: list[Check] = [
        (name, partial(_run_or_problem, name, check, target, silent)) for name, check in CHECKS
    ]
    return examine_all(given.output, target.source, checks)


def _run_or_problem(
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
        told = in_our_words(error, target)
        first = silent.setdefault(told.message, name) if told.code is Exit.UNAVAILABLE else name
        if first != name:
            yield unchecked(name, f"{first} has the same address and does not answer")
            return
        yield problem(name, told.message, "it cannot be examined", told.next_step or "")
    except ValueError as error:  # from the Azure clients, for a wrong key or address
        what = f"a setting is invalid: {error}"
        yield problem(name, what, "it cannot be examined", f"correct it in {target.source}")
