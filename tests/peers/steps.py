"""What a peer's scenario has come to, step by step: each step is a test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Steps:
    """
    The steps of a scenario, in their order.

    Attributes:
        failures: What went wrong, by the step's name; empty text for a step that went well.
    """

    failures: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, step: Callable[[], object]) -> None:
        """Take a step; a failure is kept, and does not keep the next one from being taken."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - of any client
            self.failures[name] = f"{type(error).__name__}: {error}"[:600]
        else:
            self.failures[name] = ""

    def check(self, name: str) -> None:
        """
        Fail if a step has failed.

        Raises:
            AssertionError: It has failed, or was never taken.
        """
        if failure := self.failures.get(name, "never taken"):
            raise AssertionError(f"{name}: {failure}")

    def total(self, peer: str, names: Sequence[str]) -> str:
        """Return how many steps went well, as a sentence."""
        well = sum(self.failures.get(name) == "" for name in names)
        return f"{peer}: {well} of {len(names)} steps"
