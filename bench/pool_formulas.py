"""The formulas whose bills are compared: ours, the article's and Microsoft's documented ones."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from batch_emulator.formula import FormulaSyntaxError, parse_formula

SHIPPED: Final = Path(__file__).parents[1] / "infra" / "pool" / "autoscale.formula"
OURS: Final = "Recur"
"""What the names of our formulas begin with; the one that is deployed by default has no other."""

_SPOT: Final = {
    "$TargetDedicatedNodes": "$TargetLowPriorityNodes",
    "$CurrentDedicatedNodes": "$CurrentLowPriorityNodes",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """
    A formula of the table.

    Attributes:
        name: As the table has it.
        text: Of the formula.
        ours: Whether it is the one that is deployed.
    """

    name: str
    text: str
    ours: bool = False

    def on_spot(self) -> str:
        """Return the formula with Spot nodes in place of dedicated ones."""
        if self.ours:
            return re.sub(r"^spot = 0;$", "spot = 1;", self.text, flags=re.MULTILINE)
        if "$TargetLowPriorityNodes" in self.text:
            return self.text
        text = self.text
        for dedicated, spot in _SPOT.items():
            text = text.replace(dedicated, spot)
        return text


def our_formulas(most: int) -> tuple[Compared, ...]:
    """Return ours as it is deployed by default, and with more nodes."""
    text = SHIPPED.read_text()
    many = re.sub(r"^maxNodes = \d+;$", f"maxNodes = {most};", text, flags=re.MULTILINE)
    if many == text:
        raise ValueError(f"{SHIPPED} has no line maxNodes")
    return (
        Compared(OURS, text, ours=True),
        Compared(f"{OURS}, {most} nodes", many, ours=True),
    )


def other_formulas() -> tuple[Compared, ...]:
    """
    Return the article's versions and Microsoft's, from the folder that RECUR_ORACLES names.

    Those that are no formulas are left out.
    """
    if "RECUR_ORACLES" not in os.environ:
        return ()
    folder = Path(os.environ["RECUR_ORACLES"]) / "formulas"
    found = []
    for pattern, whose in (("vplauzon_*.txt", "article"), ("docs_*.txt", "Microsoft")):
        for file in sorted(folder.glob(pattern)):
            text = file.read_text()
            try:
                parse_formula(text)
            except FormulaSyntaxError:
                continue
            name = file.stem.removeprefix("vplauzon_").removeprefix("docs_").replace("_", " ")
            found.append(
                Compared(f"{whose}: {name.split()[0] if whose == 'article' else name}", text)
            )
    return tuple(found)
