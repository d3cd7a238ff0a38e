"""The commands about a deployment: doctor and publish."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from recur.app import Context, run
from recur.errors import Exit

_WORKLOAD = Path(__file__).resolve().parents[2] / "workload"
_WAIT_SECONDS = 60


def register(app: typer.Typer) -> None:
    """Register them."""
    app.command()(doctor)
    app.command()(publish)


def doctor(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    before_deploy: Annotated[
        bool,
        typer.Option("--before-deploy", help="Check what a deployment needs, before there is one."),
    ] = False,
    subscription: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Of --before-deploy.", show_default="AZURE_SUBSCRIPTION_ID"
        ),
    ] = None,
    location: Annotated[
        str | None,
        typer.Option(metavar="REGION", help="Of --before-deploy.", show_default="AZURE_LOCATION"),
    ] = None,
    vm_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Of --before-deploy.", show_default="VM_SIZE, or that of the pool"
        ),
    ] = None,
    wait: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of --before-deploy: seconds that its answers may take altogether.",
            show_default="60",
        ),
    ] = None,
) -> None:
    """
    Check a deployment, and say of each thing found what it is and what mends it.

    With --before-deploy: check subscription, region and VM size. It reads only, and needs no
    deployment.

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
                raise typer.BadParameter(f"{name} goes with --before-deploy alone")
        from recur.doctor import examine  # noqa: PLC0415 - each command loads its own

        run(context, examine)
        return

    from recur.before import examine_before  # noqa: PLC0415 - the same
    from recur.wanted import Choice  # noqa: PLC0415 - the same

    choice = Choice(subscription=subscription, location=location, vm_size=vm_size)
    limit = timedelta(seconds=wait or _WAIT_SECONDS)
    run(context, lambda given: examine_before(given, choice, limit))


def publish(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    workload: Annotated[
        Path,
        typer.Option(
            help="The folder whose folders are the applications.",
            show_default="workload of this checkout",
        ),
    ] = _WORKLOAD,
    keep: Annotated[
        int,
        typer.Option(
            min=1, max=39, help="So many of the newest versions stay, referred to or not."
        ),
    ] = 5,
    wait: Annotated[
        int, typer.Option(min=0, help="Seconds to wait for a role that was given just now.")
    ] = 1800,
    write: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write PACKAGE_VERSIONS, which infra/pool reads."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be published; change nothing.")
    ] = False,
) -> None:
    """
    Build the application packages of the workload, upload and activate those that are new.

    Versions are made of the content: a second run has nothing to do. Old versions go, except the
    newest ones and those that a pool refers to.

    Example: recur publish --write packages.env
    """
    from recur.publish import Wishes, publish_workload  # noqa: PLC0415 - each command loads its own

    def command(given: Context) -> Exit:
        limit = timedelta(seconds=wait)
        wishes = Wishes(source=workload, keep=keep, wait=limit, dry_run=dry_run, write=write)
        return publish_workload(given, wishes)

    run(context, command)
