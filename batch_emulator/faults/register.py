"""The rules in force, how often each was hit, and the requests seen."""

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Final

from batch_emulator.faults.rules import BadRuleError, Denial, Fault, IncomingRequest, Latency, Rule
from batch_emulator.wire import Json

_MOST_SEEN: Final = 100_000


@dataclass(slots=True)
class Seen:
    """
    One request, in the order of arrival.

    Attributes:
        asked: The request.
        fault: The rule that hit it; latency does not count.
        status: The status of the answer; None before the answer, and if there was none.
        effect: Whether the account carried it out and did not refuse it.
    """

    asked: IncomingRequest
    fault: str | None = None
    status: int | None = None
    effect: bool = False


@dataclass(slots=True)
class _Live:
    rule: Rule
    matched: int = 0
    hits: int = 0

    def hit(self) -> bool:
        """Count a request that the rule concerns, and say whether it is hit."""
        self.matched += 1
        times = self.rule.times
        if self.matched <= self.rule.after or (times is not None and self.hits >= times):
            return False
        self.hits += 1
        return True


@dataclass(slots=True)
class Register:
    """The rules in the order in which they were added, and the last requests."""

    _rules: dict[str, _Live] = field(default_factory=dict)
    _seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=_MOST_SEEN))
    _added: int = 0

    def add(self, rule: Rule) -> str:
        """
        Put a rule in force and return its id.

        Raises:
            BadRuleError: Its id is taken.
        """
        self._added += 1
        id_ = rule.id or f"rule-{self._added}"
        if id_ in self._rules:
            raise BadRuleError((("id", f"there is a rule {id_}"),))
        self._rules[id_] = _Live(rule)
        return id_

    def remove(self, id_: str) -> bool:
        """Remove one rule; False if it does not exist."""
        return self._rules.pop(id_, None) is not None

    def clear(self) -> None:
        """Forget every rule and every request."""
        self._rules.clear()
        self._seen.clear()

    def choose(self, asked: IncomingRequest) -> tuple[Seen, int, Fault | None]:
        """
        Return a request's entry, how many milliseconds it waits, and the rule that hits it.

        Latencies add up; among the other rules only the first that hits counts.
        """
        seen = Seen(asked)
        self._seen.append(seen)
        milliseconds = 0
        for id_, live in self._rules.items():
            if isinstance(live.rule, Denial) or not live.rule.concerns(asked) or not live.hit():
                continue
            if isinstance(live.rule, Latency):
                milliseconds += live.rule.milliseconds
                continue
            seen.fault = id_
            return seen, milliseconds, live.rule
        return seen, milliseconds, None

    def choose_denial(self, asked: IncomingRequest) -> tuple[str, Denial] | None:
        """Return the first rule that denies a request to Azure Resource Manager, and its id."""
        for id_, live in self._rules.items():
            if isinstance(live.rule, Denial) and live.rule.concerns(asked) and live.hit():
                return id_, live.rule
        return None

    def show(self) -> Json:
        """Return the rules with their counters, and the requests."""
        return {
            "rules": [
                {
                    **live.rule.model_dump(mode="json", exclude_none=True),
                    "id": id_,
                    "matched": live.matched,
                    "hits": live.hits,
                }
                for id_, live in self._rules.items()
            ],
            "seen": [
                {
                    **asdict(seen.asked),
                    "fault": seen.fault,
                    "status": seen.status,
                    "effect": seen.effect,
                }
                for seen in self._seen
            ],
        }
