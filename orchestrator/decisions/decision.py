"""What may become of occurrences: a run, or none, with the reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.enums import After, MissReason, SkipReason
from orchestrator.ids import RunId
from orchestrator.model import Occurrence


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Claim a run for this occurrence; ``after``: its job waits until earlier runs have ended."""

    occurrence: Occurrence
    after: After | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    The occurrences that one decision stands for, where they are several.

    Attributes:
        last: Nominal time of the last of them.
        count: How many they are, the first and the last among them.
        also: How many of them have a reason of their own, which their timing tells.
    """

    last: datetime
    count: int
    also: Mapping[SkipReason, int] = field(default_factory=dict[SkipReason, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """
    Do not run these occurrences, whenever they are decided.

    Attributes:
        occurrence: The first of them.
        reason: Why.
        because: The run that was in the way.
        span: All of them; None where it is one.
    """

    occurrence: Occurrence
    reason: SkipReason
    because: RunId | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """
    Do not run these occurrences, which came due while nothing ticked.

    Attributes:
        occurrence: The first of them.
        reason: Why.
        because: The run that stands for them, when it is known.
        span: All of them; None where it is one.
    """

    occurrence: Occurrence
    reason: MissReason
    because: RunId | None = None
    span: Span | None = None


type Decision = Submit | Skip | Missed
