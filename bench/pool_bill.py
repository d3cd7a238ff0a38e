"""
The pool's bill of a month, rehearsed under our formula, the article's and Microsoft's.

``python -m bench.pool_bill`` prints it, and with ``--write`` puts it into docs/costs.md. It needs no
server: the emulator's own pools live in virtual time, and the same seed gives the same nodes each time.
"""

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from rich.console import Console
from rich.table import Table

from batch_emulator.rehearsal.rehearse import rehearse
from batch_emulator.rehearsal.values import End, PlannedPool
from bench.bill_tables import PAGE, Bill, Bills, rows_of, with_tables
from bench.pool_formulas import OURS, Compared, other_formulas, our_formulas
from bench.pool_scenarios import BEGIN, END, IDLE, MOST_NODES, QUIET, SCENARIOS, Scenario

_MINUTE_SECONDS: Final = 60
_HEAD: Final = (
    *("formula", "per useful minute", "grace apart", "node minutes", "cold starts", "for nothing"),
    *("without a task", "cut", "not served", "waiting minutes"),
)


def bill(formula: Compared, scenario: Scenario) -> Bill:
    """Rehearse a month under a formula."""
    done = rehearse(
        scenario.runs(),
        PlannedPool(formula=formula.on_spot() if scenario.spot else formula.text),
        start=BEGIN,
        until=END + QUIET,
        chance=scenario.chance(),
    )
    runs, nodes = done.runs.values(), done.nodes
    stays = [stay for run in runs for stay in run.stays]
    waits = [run.waiting_seconds for run in runs if run.waiting_seconds is not None]
    return Bill(
        node_minutes=sum(node.billed_seconds for node in nodes) / _MINUTE_SECONDS,
        kept_minutes=sum(node.kept_seconds for node in nodes) / _MINUTE_SECONDS,
        useful_minutes=sum(run.stays[-1].seconds for run in runs if run.completed)
        / _MINUTE_SECONDS,
        cold_starts=sum(node.runs > 0 for node in nodes),
        idle_starts=sum(not node.pending for node in nodes),
        for_nothing=sum(node.ready is not None and not node.runs for node in nodes),
        cut=sum(stay.how is End.CUT for stay in stays),
        runs=len(runs),
        unserved=sum(not run.completed for run in runs),
        waiting_minutes=sum(waits) / len(waits) / _MINUTE_SECONDS if waits else 0.0,
    )


def _one(work: tuple[Compared, Scenario]) -> Bill:
    return bill(*work)


def bills(formulas: Sequence[Compared]) -> Mapping[str, Bills]:
    """Return the bills of all scenarios, by the formula's name; two at a time where there is room."""
    work = [(formula, scenario) for formula in formulas for scenario in (*SCENARIOS, IDLE)]
    found: dict[str, dict[str, Bill]] = {formula.name: {} for formula in formulas}
    with ProcessPoolExecutor() as workers:
        for (formula, scenario), one in zip(work, workers.map(_one, work), strict=True):
            found[formula.name][scenario.name] = one
    return found


def show(found: Mapping[str, Bills]) -> None:
    """Print a table for each scenario."""
    console = Console(width=140)
    for scenario in (*SCENARIOS, IDLE):
        table = Table(*_HEAD, title=f"{scenario.name}: {scenario.text}", title_justify="left")
        for name, mine in found.items():
            one = mine[scenario.name]
            table.add_row(
                name,
                _number(one.ratio),
                _number(one.ratio_without_grace),
                f"{one.node_minutes:.0f}",
                str(one.cold_starts),
                str(one.for_nothing),
                str(one.idle_starts),
                str(one.cut),
                f"{one.unserved} of {one.runs}",
                f"{one.waiting_minutes:.1f}",
            )
        console.print(table)


def _number(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def broken_claims(found: Mapping[str, Bills]) -> list[str]:
    """
    Return what of our claims does not hold: none where all is well.

    Ours starts no node while no task is pending, cuts no task, and needs the fewest node minutes of
    the formulas that do neither and leave no more runs unserved. Its grace is counted apart.
    """
    broken = []
    ours = found[OURS]
    for name, mine in found.items():
        starts, cut = (
            sum(getattr(one, of) for one in mine.values()) for of in ("idle_starts", "cut")
        )
        if name.startswith(OURS):
            if starts or cut:
                broken.append(f"{name}: {starts} nodes without a task, {cut} tasks cut")
            continue
        served = all(one.unserved <= ours[month].unserved for month, one in mine.items())
        if starts or cut or not served:
            continue
        for month, one in mine.items():
            theirs, without_grace = one.ratio, ours[month].ratio_without_grace
            if theirs is not None and without_grace is not None and without_grace > theirs:
                broken.append(f"{month}: {without_grace:.3f} is more than {theirs:.3f} of {name}")
    return broken


def verdict(found: Mapping[str, Bills]) -> tuple[str, bool]:
    """Return what the bills say of our claims, and whether one of them is broken."""
    if OURS not in found:
        return "no claim was checked: our formula was left out", False
    broken = broken_claims(found)
    if broken:
        return "\n".join(broken), True
    others = sum(not name.startswith(OURS) for name in found)
    if not others:
        return "nothing to compare with: RECUR_ORACLES and --only give no other formula", False
    return f"the claims hold; other formulas: {others}", False


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the bills, or write them; return the exit code of the process: 1 if a claim is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", default="", help="formulas whose names begin so; others keep their rows"
    )
    parser.add_argument("--write", action="store_true", help="write the tables of docs/costs.md")
    given = parser.parse_args(arguments)
    every = (*our_formulas(MOST_NODES), *other_formulas())
    found = bills([one for one in every if one.name.startswith(given.only)])
    show(found)
    if given.write:
        PAGE.write_text(with_tables(PAGE.read_text(), rows_of(found)))
    text, broken = verdict(found)
    print(text)  # noqa: T201 - for the reader
    return int(broken)


if __name__ == "__main__":
    raise SystemExit(main())
