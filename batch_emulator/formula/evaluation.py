"""What one evaluation of a formula gives."""

from collections.abc import Mapping
from dataclasses import dataclass

from batch_emulator.formula.errors import MESSAGES, EvaluationError, FaultError
from batch_emulator.formula.value_types import NodeDeallocationOption, Value, show

DEDICATED = "$TargetDedicatedNodes"
LOW_PRIORITY = "$TargetLowPriorityNodes"
OPTION = "$NodeDeallocationOption"
# The old names of the targets; where both are assigned, the full name wins.
SHORT = {DEDICATED: "$TargetDedicated", LOW_PRIORITY: "$TargetLowPriority"}
FULL = {short: full for full, short in SHORT.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """
    The outcome of one evaluation.

    Attributes:
        target_dedicated: The target of dedicated nodes; after an error the current target.
        target_low_priority: The same for Spot nodes.
        node_deallocation_option: What happens to tasks on nodes that are removed.
        results: The variables as the service prints them.
        error: Why there is no new target.
    """

    target_dedicated: int
    target_low_priority: int
    node_deallocation_option: str
    results: str
    error: EvaluationError | None = None


def succeeded(
    targets: Mapping[str, Value],
    option: NodeDeallocationOption,
    variables: Mapping[str, Value],
    whole: Mapping[str, int],
) -> Evaluation:
    """
    Describe an evaluation that went through.

    Args:
        targets: The two targets in the order and under the names in which they are printed.
        option: What happens to tasks on nodes that are removed.
        variables: The formula's own variables.
        whole: The two targets under their full names, truncated.
    """
    shown = {**targets, OPTION: option, **dict(sorted(variables.items()))}
    return Evaluation(
        target_dedicated=whole[DEDICATED],
        target_low_priority=whole[LOW_PRIORITY],
        node_deallocation_option=str(option.value),
        results=";".join(f"{name}={show(value)}" for name, value in shown.items()),
    )


def failed(fault: FaultError, *, dedicated: int, low_priority: int) -> Evaluation:
    """Describe an evaluation that failed: the targets are the current ones."""
    option = NodeDeallocationOption.REQUEUE.value
    place = f"{fault.at}: " if fault.at is not None else ""
    return Evaluation(
        target_dedicated=dedicated,
        target_low_priority=low_priority,
        node_deallocation_option=option,
        results=f"{DEDICATED}={dedicated};{LOW_PRIORITY}={low_priority};{OPTION}={option}",
        error=EvaluationError(fault.code, MESSAGES[fault.code], (f"{place}{fault.message}",)),
    )
