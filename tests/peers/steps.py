"""What a peer's scenario has come to, step by step: each step is a test."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self


@dataclass(slots=True)
class Steps:
    """
    The steps of a scenario, in their order.

    Attributes:
        failures: What went wrong, by the step's name; empty text for a step that went well.
    """

    failures: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_process(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """
        Return the steps that a process tells of: a line of JSON for each, on its stdout.

        Args:
            command: Of the process.
            environment: Beside the variables of this one.
        """
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        assert done.returncode == 0, done.stderr[-2000:]
        return cls({one["step"]: one["failure"] for one in told})

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
