"""`recur calendar`: a table that a document can hold, of the place and the years that were asked for."""

import json
import tomllib
from datetime import date

import pytest
from typer.testing import CliRunner

from orchestrator.document.calendars import read_calendars
from recur.app import app
from recur.commands.calendar import show_calendar
from recur.context import Context
from recur.errors import CliError, Exit
from recur.output import Printer


def printed(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["calendar", *arguments])
    assert result.exit_code == Exit.DONE, result.output
    return result.output


@pytest.mark.parametrize(
    "place", ["FR", "CA-QC", "de-by", "SA", "JP", "US", "IL", "DE-Augsburg", "GB-ENG"]
)
def test_what_is_printed_is_a_calendar(place: str) -> None:
    """Whatever its holidays are called, and whatever script that is in."""
    tables = tomllib.loads(printed(place, "--years", "2026-2028"))
    found = read_calendars(tables["calendars"])
    assert found.problems == ()
    (calendar,) = found.valid.values()
    assert len(calendar.ranges) >= 15
    assert {first.year for first, _ in calendar.ranges} == {2026, 2027, 2028}


def test_it_is_that_of_the_place() -> None:
    """Quebec has its own day and shares Canada's; the calendar is named as it is asked for."""
    tables = tomllib.loads(printed("CA-QC", "--years", "2026", "--name", "bank"))
    assert {date(2026, 6, 24), date(2026, 7, 1)} <= set(tables["calendars"]["bank"]["dates"])
    ontario = tomllib.loads(printed("CA-ON", "--years", "2026"))
    assert date(2026, 6, 24) not in ontario["calendars"]["ca-on"]["dates"]


def test_programs_get_names_as_well() -> None:
    """And learn which version of the library knew them."""
    result = CliRunner().invoke(app, ["--json", "calendar", "FR", "--years", "2026"])
    told = json.loads(result.output)
    assert (told["name"], told["place"]) == ("fr", "FR")
    assert told["library"].startswith("holidays 0.")
    assert {"date": "2026-12-25", "holiday": "Noël"} in told["dates"]


@pytest.mark.parametrize(
    ("place", "years", "name", "code", "says"),
    [
        ("FRX", "2026", None, Exit.USAGE, "did you mean FR"),
        ("ZZ", "2026", None, Exit.USAGE, "'ZZ'"),
        ("CA-XX", "2026", None, Exit.USAGE, "CA has AB, BC"),
        ("SG-XX", "2026", None, Exit.USAGE, "write SG: it has no parts"),
        ("FR", "2030-2026", None, Exit.USAGE, "write 2026-2030, or 2026"),
        ("FR", "2026-2076", None, Exit.USAGE, "at most 50 years"),
        ("FR", "next", None, Exit.USAGE, "write 2026-2030, or 2026"),
        ("FR", "2026", "my bank", Exit.USAGE, "1 to 40 letters"),
        ("FR", "0001", None, Exit.REFUSED, "knows no holiday of FR in 0001"),
    ],
)
def test_what_it_does_not_know_it_says(
    place: str, years: str, name: str | None, code: Exit, says: str
) -> None:
    """With what would be right."""
    with pytest.raises(CliError) as refused:
        show_calendar(Context(settings=None, output=Printer(as_json=False)), place, years, name)
    assert refused.value.code == code
    assert says in f"{refused.value.message}; {refused.value.next_step}"
