"""`recur calendar`: the public holidays of a country, as a table of the schedule document."""

import re
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from importlib.metadata import version as library_version
from typing import Annotated, Final

import typer

from orchestrator.document.types import is_calendar_name
from recur.context import Context, run
from recur.errors import CliError, Exit

_YEARS: Final = re.compile(r"(?P<first>[0-9]{4})(?:-(?P<last>[0-9]{4}))?")
_ODD: Final = re.compile(r"[^a-z0-9_-]")
_MOST_YEARS: Final = 50
_MOST_SHOWN: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A country, and a part of it whose holidays are others."""

    country: str
    part: str | None = None

    def __str__(self) -> str:
        """Return it as it is typed."""
        return f"{self.country}-{self.part}" if self.part else self.country


def command(
    context: typer.Context,
    place: Annotated[
        str,
        typer.Argument(
            metavar="COUNTRY[-SUBDIVISION]",
            help="A country, or a part of one, as ISO codes: FR, CA-QC, DE-BY.",
        ),
    ],
    years: Annotated[
        str, typer.Option(metavar="FIRST-LAST", help="The years, such as 2026-2030, or 2026.")
    ],
    name: Annotated[
        str | None, typer.Option(help="The calendar's name. Default: the place, in lower case.")
    ] = None,
) -> None:
    """
    Print the public holidays of a country as a calendar of the document.

    They come from the Python library `holidays`. Laws change, and some dates are estimates:
    check them before you apply them.

    Example: recur calendar CA-QC --years 2026-2030
    """
    run(context, lambda given: show_calendar(given, place, years, name))


def show_calendar(given: Context, place: str, years: str, name: str | None) -> Exit:
    """
    Print a calendar.

    Raises:
        CliError: There is no such place, its holidays are not known, or years or name are none.
    """
    if name is not None and not is_calendar_name(name):
        raise CliError(
            Exit.USAGE,
            f"--name {name!r} is not a valid calendar name",
            "write 1 to 40 letters, digits, - or _",
        )
    where, wanted = _find_place(place), _parse_years(years)
    found, version = _holidays_of(where, wanted), library_version("holidays")
    if not found:
        raise CliError(
            Exit.REFUSED,
            f"the library holidays {version} knows no holiday of {where} in {years}",
            "choose other years, or write the dates yourself",
        )
    title = name or _ODD.sub("-", str(where).lower())
    span = f"{wanted[0]} to {wanted[-1]}" if len(wanted) > 1 else f"{wanted[0]}"
    lines = [
        f"# Public holidays of {where}, {span}, by the library holidays",
        f"[calendars.{title}]",
        "dates = [",
        *(f"    {day}, # {_on_one_line(what)}" for day, what in found),
        "]",
    ]
    for line in lines:
        given.output.say(line)
    given.output.result(
        {
            "name": title,
            "place": str(where),
            "library": f"holidays {version}",
            "dates": [{"date": day, "holiday": _on_one_line(what)} for day, what in found],
        }
    )
    return Exit.DONE


def _holidays_of(place: Place, years: range) -> list[tuple[date, str]]:
    from holidays import country_holidays  # noqa: PLC0415 - large, and no other command needs it

    return sorted(country_holidays(place.country, subdiv=place.part, years=years).items())


def _find_place(text: str) -> Place:
    """Return the place of a text such as ``CA-QC``; raises CliError if there is none."""
    from holidays import list_supported_countries  # noqa: PLC0415 - as below

    country, _, part = text.upper().partition("-")
    known = list_supported_countries(include_aliases=True)
    if country not in known:
        close = get_close_matches(country, known, n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else "write an ISO code, such as FR"
        raise CliError(Exit.USAGE, f"the library holidays knows no country {country!r}", hint)
    if not part:
        return Place(country=country)
    parts = {one.upper(): one for one in known[country]}
    if part not in parts:
        shown = ", ".join(sorted(known[country])[:_MOST_SHOWN])
        hint = f"{country} has {shown}" if parts else f"write {country}: it has no parts"
        raise CliError(Exit.USAGE, f"the library holidays knows no {part!r} in {country}", hint)
    return Place(country=country, part=parts[part])


def _parse_years(text: str) -> range:
    """Return the years of a text such as ``2026-2030``; raises CliError if it is none."""
    found = _YEARS.fullmatch(text)
    first = int(found["first"]) if found else 0
    years = range(first, int(found["last"] or first) + 1) if found else range(0)
    if not 0 < len(years) <= _MOST_YEARS:
        raise CliError(
            Exit.USAGE,
            f"--years {text!r} is not a year or a span of at most {_MOST_YEARS} years",
            "write 2026-2030, or 2026",
        )
    return years


def _on_one_line(text: str) -> str:
    """Return a name without what would end a comment of TOML."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
