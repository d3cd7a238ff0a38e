"""`recur doctor --before-deploy`: look at what a deployment needs before there is one."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final

from recur.arm_reader import PUBLIC, ArmReader, ClosedError, UnreadError
from recur.azure_hosts import Service
from recur.checks.examination import Check, examine_all
from recur.checks.findings import Finding, problem, unchecked
from recur.checks.planned_deployment import Choice, PlannedDeployment, read_planned_deployment
from recur.checks.regions import check_accounts, check_batch_region, check_flex, check_providers
from recur.checks.rights import check_rights
from recur.checks.vm_size import check_batch_size, check_machine
from recur.context import Context
from recur.errors import CliError, Exit

BEFORE: Final[
    tuple[tuple[str, Callable[[ArmReader, PlannedDeployment], Iterator[Finding]]], ...]
] = (
    ("resource providers", check_providers),
    ("rights", check_rights),
    ("Flex Consumption", check_flex),
    ("Batch", check_batch_region),
    ("Batch accounts", check_accounts),
    ("VM size in Batch", check_batch_size),
    ("VM size", check_machine),
)


def examine_before(given: Context, choice: Choice, wait: timedelta) -> Exit:
    """
    Run every check that needs no deployment; 1 if there is a problem, 6 if nothing was readable.

    Args:
        given: Where to work and where to speak.
        choice: What the command line says of the deployment.
        wait: How long Resource Manager may take for all of its answers together.

    Raises:
        CliError: What is to be deployed is not known.
    """
    target = given.target()
    planned = read_planned_deployment(target.values, target.source, choice)
    endpoint = target.values.get("ARM_ENDPOINT", "").strip() or PUBLIC
    if not endpoint.startswith(("https://", "http://")):
        message = f"ARM_ENDPOINT in {target.source} is not an address: {endpoint}"
        raise CliError(Exit.REFUSED, message, f"correct it, or remove it to use {PUBLIC}")
    if endpoint != PUBLIC and endpoint.startswith("https://"):
        target.check_address("ARM_ENDPOINT", Service.RESOURCE_MANAGER)
    given.output.say(
        f"before a deployment to {planned.location} in subscription {planned.subscription}, "
        f"with nodes of {planned.vm_size} (settings of {target.origin})"
    )
    reader = ArmReader(endpoint, planned.subscription, target.credential(), limit=wait)
    shut: list[str] = []
    checks: list[Check] = [
        (name, partial(_run_or_unchecked, name, partial(check, reader, planned), shut))
        for name, check in BEFORE
    ]
    try:
        return examine_all(given.output, target.source, checks)
    finally:
        reader.close()


def _run_or_unchecked(
    name: str, check: Callable[[], Iterator[Finding]], shut: list[str]
) -> Iterator[Finding]:
    """
    Run one check; what it cannot read is unchecked, with the reason, and the others go on.

    Args:
        name: Of the check.
        check: What is run.
        shut: Why nothing can be read at all, once that is known.
    """
    if shut:
        yield unchecked(name, shut[0])
        return
    try:
        yield from check()
    except ClosedError as error:
        shut.append("the subscription cannot be read")
        yield problem("subscription", str(error), "nothing can be checked", error.next_step)
        yield unchecked(name, shut[0])
    except UnreadError as error:
        yield unchecked(name, str(error))
