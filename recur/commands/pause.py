"""`recur pause`: skip the occurrences of schedules, until a time or for a duration."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from orchestrator.document.types import Every
from orchestrator.ledger.request import RequestKind
from recur.arguments import TIME_TO_COME, All, By, Note, NoWait, Schedules, Tag, Wait
from recur.context import Context, run
from recur.errors import CliError, Exit
from recur.formats import local
from recur.ledger_reader.snapshot import zone_of
from recur.requests.new_request import make_request, make_requests, new_request, open_ledger
from recur.requests.options import WAIT_SECONDS, RequestOptions
from recur.requests.selection import Selection
from recur.times import parse_time

_LENGTH: Final[TypeAdapter[timedelta]] = TypeAdapter(Every)
_MEANT_AS_LENGTH: Final = re.compile(r"P.*|.*[smhd]")
_HOW: Final = "30m, 2h, 1d or PT2H (counted from now)"


def command(  # noqa: PLR0913, PLR0917 - one argument for each option
    context: typer.Context,
    schedules: Schedules = None,
    everything: All = False,
    tag: Tag = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help=f"{TIME_TO_COME} 30m, 2h, 1d and PT2H are counted from now.",
            show_default="until someone resumes it",
        ),
    ] = None,
    note: Note = None,
    by: By = None,
    wait: Wait = WAIT_SECONDS,
    no_wait: NoWait = False,
) -> None:
    """
    Pause schedules: skip their occurrences from now on; each is recorded as skipped (paused).

    Open runs go on. Skipped occurrences are not caught up; `recur backfill` can run them.

    Example: recur pause nightly-report --until 2h

    Example: recur pause --tag finance --until 06:00 --note "database moves"
    """

    def ask(given: Context) -> Exit:
        request_options = RequestOptions.of(by, note, seconds=None if no_wait else wait)
        selection = Selection(named=schedules or (), everything=everything, tags=tag or ())
        return request_pause(given, selection, request_options, until=until)

    run(context, ask)


def parse_until(text: str, zone: tzinfo | None, now: datetime) -> datetime:
    """
    Return the instant that ``text`` names, in UTC.

    Args:
        text: A time as in ``recur.times``, or a duration as in the schedule document.
        zone: Of wall times; None if it is not known.
        now: From when on a duration counts.

    Raises:
        CliError: It is neither, or has passed.
    """
    end = (
        now.replace(microsecond=0) + length
        if (length := _length(text))
        else _parse_until(text, zone, now)
    )
    if end <= now:
        raise CliError(
            Exit.USAGE,
            f"--until {text} is in the past: it is {local(now.replace(microsecond=0), zone)}",
            "give a time in the future, or leave out --until for a pause without an end",
        )
    return end


def _length(text: str) -> timedelta | None:
    """Return a duration; None for what is not meant as one."""
    if not _MEANT_AS_LENGTH.fullmatch(text):
        return None
    try:
        return _LENGTH.validate_python(text)
    except ValidationError as error:
        why = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise CliError(Exit.USAGE, f"--until {text!r} {why}", f"write {_HOW}, or a time") from error


def _parse_until(text: str, zone: tzinfo | None, now: datetime) -> datetime:
    try:
        return parse_time(text, zone, name="--until", now=now, ahead=True)
    except CliError as error:
        raise CliError(error.code, error.message, f"{error.next_step}; or {_HOW}") from error


def request_pause(
    given: Context, selection: Selection, request_options: RequestOptions, *, until: str | None
) -> Exit:
    """
    Ask for pauses: occurrences from now on are skipped, and recorded as such.

    Raises:
        CliError: No schedule is chosen, or in more than one way; or ``until`` is not in the future.
    """
    selection.check()
    ledger, snapshot = open_ledger(given)
    asked = []
    for id_ in selection.schedules(snapshot):
        zone = zone_of(snapshot, id_)
        end = parse_until(until, zone, snapshot.now) if until is not None else None
        request = replace(new_request(RequestKind.PAUSE, id_, request_options), until=end)
        length = f"until {local(end, given.zone or zone)}" if end else "until somebody resumes it"
        asked.append((request, f"a pause of {id_} {length}"))
    if selection.is_one:
        request, what = asked[0]
        return make_request(given, ledger, request, request_options, what)
    if not asked:
        given.output.say("there is no schedule to pause")
    return make_requests(given, ledger, asked, request_options)
