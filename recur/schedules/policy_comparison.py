"""Two policies for changes of the clock, side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from orchestrator.enums import Fold, Gap
from orchestrator.model import Recurrence, Schedule
from orchestrator.timing.placement import placements
from orchestrator.timing.zones import parse_zone
from recur.errors import CliError, Exit
from recur.schedules.upcoming import Upcoming

_LOOKED_AT = timedelta(days=731)
_PROBE = timedelta(hours=6)  # no zone changes its clock twice within this
_AROUND = timedelta(days=1)  # no clock is changed by more
_HOW = "write gap=auto|shift|skip, overlap=auto|first|second|both, or both, separated by a comma"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    What another ``dst`` would say.

    Attributes:
        text: As it was written.
        gap: None: as the schedule has it.
        fold: None: as the schedule has it.
    """

    text: str
    gap: Gap | None = None
    fold: Fold | None = None

    def on(self, recurrence: Recurrence) -> Recurrence:
        """Return the recurrence under this policy."""
        return replace(
            recurrence, gap=self.gap or recurrence.gap, fold=self.fold or recurrence.fold
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What one moment is under two policies; None where it is nothing at all."""

    here: Upcoming | None
    there: Upcoming | None

    @property
    def either(self) -> Upcoming:
        """The line of one of them."""
        sides = [one for one in (self.here, self.there) if one]
        return next((one for one in sides if one.nominal), sides[0])

    @property
    def differs(self) -> bool:
        """Whether one of them has an occurrence that the other has not."""
        return bool(self.here and self.here.nominal) != bool(self.there and self.there.nominal)


def parse_policy(text: str) -> Policy:
    """
    Return the policy of a text such as ``gap=skip,overlap=both``.

    Raises:
        CliError: It is none.
    """
    found = Policy(text=text)
    for part in text.replace(" ", "").split(","):
        key, _, value = part.partition("=")
        try:
            if key == "gap":
                found = replace(found, gap=Gap(value))
            elif key == "overlap":
                found = replace(found, fold=Fold(value))
            else:
                raise CliError(Exit.USAGE, f"--compare: {key!r} is not a key of dst", _HOW)
        except ValueError as error:
            raise CliError(Exit.USAGE, f"--compare: {key} cannot be {value!r}", _HOW) from error
    return found


def compared(here: Sequence[Upcoming], there: Sequence[Upcoming]) -> Iterator[Pair]:
    """Yield the lines of two policies, those of one moment together, in the order of time."""
    ours, theirs = _by_moment(here), _by_moment(there)
    for moment in sorted({*ours, *theirs}):
        yield Pair(here=ours.get(moment), there=theirs.get(moment))


def _by_moment(lines: Sequence[Upcoming]) -> dict[datetime, Upcoming]:
    """Return one line for each moment: with an occurrence, what does not exist is a note on it."""
    found: dict[datetime, Upcoming] = {}
    for line in lines:
        before = found.get(line.at)
        found[line.at] = replace(line, notes=(*before.notes, *line.notes)) if before else line
    return found


def next_difference(one: Schedule, other: Schedule, after: datetime) -> datetime | None:
    """
    Return the first instant within two years at which only one of two policies has an occurrence.

    Args:
        one: A schedule.
        other: The same with another policy for changes of the clock.
        after: Exclusive.
    """
    until = after + _LOOKED_AT
    for begin, end in _changes(one.recurrence.time_zone, after - _AROUND, until + _AROUND):
        since, last = max(after, begin - _AROUND), min(until, end + _AROUND)
        mine, theirs = (
            {found.nominal for found in placements(each.recurrence, after=since, until=last)}
            for each in (one, other)
        )
        if mine != theirs:
            return min(mine ^ theirs)
    return None


def _changes(zone: str, after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the hours within which the clock of a zone changes: only there policies differ."""
    clock, begin = parse_zone(zone), after
    while begin < until:
        end = begin + _PROBE
        if begin.astimezone(clock).utcoffset() != end.astimezone(clock).utcoffset():
            yield begin, end
        begin = end
