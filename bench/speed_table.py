"""How fast the product is beside a bare loop of the same calls."""

from collections.abc import Sequence
from typing import Final, Protocol

from rich.console import Console
from rich.table import Table

_WANTED: Final = 0.8


class Timed(Protocol):
    """One round of the product or of the bare loop."""

    @property
    def seconds(self) -> float:
        """How long it took."""

    @property
    def busy_seconds(self) -> float:
        """How much time of the processor it took."""


def show_speed(
    title: str, pairs: Sequence[tuple[Timed, Timed]], ticks: Sequence[int], console: Console
) -> None:
    """
    Print the rounds, and the ratio of the two rates.

    Args:
        title: Of the table.
        pairs: A round of the product, and one of the bare loop.
        ticks: How many ticks each round of the product took.
        console: Where to print.
    """
    table = Table(title=title)
    for name in ("round", "product", "of it busy", "bare loop", "of it busy", "ticks"):
        table.add_column(name, justify="right")
    for number, ((product, loop), count) in enumerate(zip(pairs, ticks, strict=True), 1):
        table.add_row(
            str(number),
            f"{product.seconds:.1f} s",
            f"{product.busy_seconds:.1f} s",
            f"{loop.seconds:.1f} s",
            f"{loop.busy_seconds:.1f} s",
            str(count),
        )
    console.print(table)
    products, loops = zip(*pairs, strict=True)
    # The best of each: whatever else this machine does only ever makes them slower.
    ratio = min(one.seconds for one in loops) / min(one.seconds for one in products)
    busy = min(one.busy_seconds for one in loops) / min(one.busy_seconds for one in products)
    verdict = "reached" if ratio >= _WANTED else "missed"
    console.print(
        f"The product reaches {ratio:.2f} of the bare loop's rate, by the best round of each; "
        f"{_WANTED} is wanted: {verdict}. By the time that the processor was busy: {busy:.2f}.\n"
    )
