"""`recur trigger`: a run now, besides the occurrences of its schedule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Annotated
from uuid import uuid4

import typer

from orchestrator import ids
from orchestrator.document.types import wrong_environment
from orchestrator.ledger.request import RequestKind
from recur.arguments import TIME, By, Note, NoWait, Schedule, Wait
from recur.commands.logs import LogsOptions, show_outputs
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import check_schedule, zone_of
from recur.requests.new_request import make_request, new_request, open_ledger
from recur.requests.options import WAIT_SECONDS, RequestOptions, check_text
from recur.times import parse_time


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedule: Schedule,
    key: Annotated[
        str | None,
        typer.Option(
            help="A key makes at most one run, so the same command can be repeated safely.",
            show_default="a random one",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Ignore the overlap policy, and do not block later occurrences."
        ),
    ] = False,
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            metavar="NAME=VALUE",
            help="Set an environment variable for this run only. Repeat it for more.",
        ),
    ] = None,
    nominal: Annotated[
        str | None,
        typer.Option("--for", metavar="TIME", help=f"The nominal time of this run. {TIME}"),
    ] = None,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow",
            help="Show what the run writes until it ends; exit code 1 unless it succeeded.",
        ),
    ] = False,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Run a schedule once now, in addition to its occurrences.

    The schedule's overlap policy applies as for an occurrence. A paused schedule can be triggered.

    Example: recur trigger nightly-report --key ticket-4711 --note "figures were wrong"
    """

    def ask(given: Context) -> Exit:
        request_options = RequestOptions.of(by, note, seconds=None if no_wait else wait)
        values = TriggerOptions(key=key, force=force, variables=env or [], nominal=nominal)
        return request_trigger(given, schedule, request_options, values, follow=follow)

    run(context, ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerOptions:
    """
    What is special about a run.

    Attributes:
        key: The same one never makes a second run; None: a random one.
        force: Whether it starts whatever is in the way, and is in nobody's way.
        variables: As ``NAME=VALUE``.
        nominal: Its nominal time as it was typed; None: when it is claimed.
    """

    key: str | None = None
    force: bool = False
    variables: Sequence[str] = ()
    nominal: str | None = None


def request_trigger(
    given: Context,
    schedule: str,
    request_options: RequestOptions,
    values: TriggerOptions,
    *,
    follow: bool = False,
) -> Exit:
    """
    Ask for a run of a schedule now; the same key never makes a second run.

    Raises:
        CliError: It was refused, or not answered in time.
    """
    if follow and (given.output.as_json or request_options.wait is None):
        raise CliError(
            Exit.USAGE,
            "--follow goes with neither --json nor --no-wait",
            "leave it out; `recur logs RUN --follow` follows a run at any time",
        )
    key = check_text(values.key, "--key") if values.key is not None else uuid4().hex
    environment = _environment(values.variables)
    ledger, snapshot = open_ledger(given)
    id_ = check_schedule(snapshot, schedule)
    request = replace(
        new_request(RequestKind.TRIGGER, id_, request_options),
        key=key,
        force=values.force,
        environment=environment or None,
        nominal=_nominal(values.nominal, zone_of(snapshot, id_), snapshot.now),
    )
    run = ids.trigger_id(id_, key)
    code = make_request(given, ledger, request, request_options, f"a run of {id_}: {run}")
    return show_outputs(given, LogsOptions(run=run, follow=True)) if follow else code


def _environment(variables: Sequence[str]) -> dict[str, str]:
    """
    Return what ``NAME=VALUE`` says.

    Raises:
        CliError: One is none, or its name is reserved or given twice.
    """
    found: dict[str, str] = {}
    for one in variables:
        name, equals, value = one.partition("=")
        if not equals:
            raise CliError(
                Exit.USAGE, f"--env {one!r} is not NAME=VALUE", "write a name, = and a value"
            )
        if name in found:
            raise CliError(Exit.USAGE, f"--env {name} is given twice", "leave one of them out")
        found[name] = value
    if wrong := wrong_environment(found):
        raise CliError(Exit.USAGE, f"--env {wrong}", "correct it and try again")
    return found


def _nominal(text: str | None, zone: tzinfo | None, now: datetime) -> datetime | None:
    """
    Return the time for which a run is to be.

    Raises:
        CliError: It names no instant, or one that is to come.
    """
    if text is None:
        return None
    instant = parse_time(text, zone, name="--for", now=now).replace(microsecond=0)
    if instant > now:
        raise CliError(
            Exit.USAGE,
            f"--for {text!r} is to come",
            "let its schedule run it, or name a time before now",
        )
    return instant
