"""A formula as a value: parsed once, evaluated any number of times."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from batch_emulator.formula.evaluation import DEDICATED, LOW_PRIORITY, Evaluation
from batch_emulator.formula.evaluator import Evaluator
from batch_emulator.formula.parser import parse_statements
from batch_emulator.formula.samples import SampleStore
from batch_emulator.formula.syntax import Statement


@dataclass(frozen=True, slots=True)
class Formula:
    """
    A parsed autoscale formula.

    Attributes:
        text: The text as it was given.
        statements: The parsed statements.
    """

    text: str
    statements: tuple[Statement, ...]

    def evaluate(  # noqa: PLR0913  # each is a fact of the pool
        self,
        *,
        now: datetime,
        samples: SampleStore,
        speed: float = 1.0,
        target_dedicated: int = 0,
        target_low_priority: int = 0,
        task_slots_per_node: int = 1,
        random: Random | None = None,
    ) -> Evaluation:
        """
        Compute the targets of a pool.

        Args:
            now: What time() returns, and the end of the windows that formulas look back on.
            samples: The pool's samples, their times already divided by the speed.
            speed: Divides the TimeInterval_* constants, and nothing else.
            target_dedicated: The target in force: what an unassigned one keeps, and what reading
                it before an assignment gives.
            target_low_priority: The same for Spot nodes.
            task_slots_per_node: The pool's, for $TaskSlotsPerNode.
            random: Where rand() draws from; without it, from a generator seeded with ``now``.

        Returns:
            The new targets, or the current ones with the error. It never raises for what the
            formula says.

        Raises:
            ValueError: ``now`` has no zone, or the speed is not positive.
        """
        if now.tzinfo is None or speed <= 0:
            raise ValueError("an aware time and a positive speed are needed")
        return Evaluator(
            now=now,
            samples=samples,
            speed=speed,
            current={DEDICATED: target_dedicated, LOW_PRIORITY: target_low_priority},
            task_slots_per_node=task_slots_per_node,
            random=random or Random(now.timestamp()),  # noqa: S311  # no secret comes of it
        ).run(self.statements)


def parse_formula(text: str) -> Formula:
    """
    Parse the text of a formula.

    Raises:
        FormulaSyntaxError: The text is too long or is not a formula.
    """
    return Formula(text, parse_statements(text))
