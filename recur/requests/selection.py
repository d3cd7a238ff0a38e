"""Which schedules a request is for: named ones, all of them, or those with a tag."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.ids import ScheduleId
from recur.errors import CliError, Exit
from recur.ledger_reader.snapshot import Snapshot, check_schedule, schedule_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    What was typed.

    Attributes:
        named: Ids of schedules.
        everything: Whether all schedules are meant.
        tags: Schedules with any of these are meant.
    """

    named: Sequence[str] = ()
    everything: bool = False
    tags: Sequence[str] = ()

    @property
    def is_one(self) -> bool:
        """Whether one schedule is named, so that programs get one answer and no list."""
        return len(self.named) == 1

    def check(self) -> None:
        """
        Refuse what names nothing, or names it twice.

        Raises:
            CliError: It does.
        """
        ways = sum((bool(self.named), self.everything, bool(self.tags)))
        if ways == 0:
            raise CliError(Exit.USAGE, "no schedule is chosen", "give ids, --all or --tag")
        if ways > 1:
            raise CliError(
                Exit.USAGE,
                "ids, --all and --tag exclude each other",
                "choose the schedules in one way",
            )

    def schedules(self, snapshot: Snapshot) -> list[ScheduleId]:
        """
        Return the schedules that are meant, each once.

        Raises:
            CliError: One that is named is not there, or none has the tag.
        """
        if self.named:
            return [*dict.fromkeys(check_schedule(snapshot, one) for one in self.named)]
        there = schedule_ids(snapshot)
        if self.everything:
            return there
        tables = snapshot.document.schedules if snapshot.document else {}
        found = [
            id_
            for id_ in there
            if id_ in tables
            and (about := tables[id_].about)
            and {*about.tags}.intersection(self.tags)
        ]
        if not found:
            tags = sorted({tag for one in tables.values() if one.about for tag in one.about.tags})
            listed = f"there are: {', '.join(tags)}" if tags else "no schedule has a tag"
            raise CliError(Exit.REFUSED, f"no schedule is tagged {' or '.join(self.tags)}", listed)
        return found


def paused(snapshot: Snapshot, schedules: Sequence[ScheduleId]) -> list[ScheduleId]:
    """Return those of some schedules that an operator or failures have paused, as far as is known."""
    states = {id_: snapshot.schedule(id_) for id_ in schedules}
    return [
        id_
        for id_, state in states.items()
        if state is None or any(one.holds(snapshot.now) for one in state.pauses)
    ]
