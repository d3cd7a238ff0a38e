"""What an emulator is started with."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from batch_emulator.clock import Clock, RealClock
from batch_emulator.package import Package
from batch_emulator.secret_file import new_token
from batch_emulator.simulation import Simulation
from batch_emulator.virtual_clock import VirtualClock

DEFAULT_PORT = 10100
"""Where ``batch-emulator`` listens; Azurite takes 10000 to 10002."""

DEFAULT_ACCOUNT = "devbatch"

BOOT_SECONDS = 140.0
"""From allocation to the start task; the service's median, as measured in recorded traffic."""

KILL_GRACE_SECONDS = 2.0
"""The time from SIGTERM to SIGKILL for the processes of a task."""

_SHELL_BASE: Final = 128


class SignalExitCode(StrEnum):
    """
    The exit code of a task that a signal ended: users report both.

    ``negative`` is what Azure/Batch#101 shows (-9); ``shell`` is the code that shells give (137).
    """

    NEGATIVE = "negative"
    SHELL = "shell"

    def of(self, code: int) -> int:
        """Return the exit code to show for ``code``, where a signal is a negative number."""
        return _SHELL_BASE - code if code < 0 and self is SignalExitCode.SHELL else code


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """
    What an emulator is started with.

    Attributes:
        account: The account's name.
        key: The account's key, in base64.
        token: The bearer token for Azure Resource Manager and the paths under ``/emulator``; by
            default a random one.
        storage: The connection string that every identity reference stands for.
        root: The folder of the nodes' folders; made if it is missing.
        port: 0 takes a free one.
        pool_speed: Divides everything that a pool waits for.
        applications: The application packages that exist, all active.
        boot_seconds: How long a node takes from its allocation to its start task, at speed 1.
        kill_grace_seconds: How long a task's processes have to end when they are asked to.
        package_sas: Whether the address for an upload holds a signature, as where the account
            reaches its storage by key.
        lower_case_status: Whether the status of each task of a collection is spelled ``success``,
            as the API is described and as azure-batch 15.1 compares it, or ``Success``, as recorded.
        counts_delay_seconds: How old task counts may be.
        data: The folder that keeps the account; without it everything is in memory.
        env_file: Where the variables of ``az batch`` are written when the emulator listens.
        faults: Whether faults can be asked for, by the paths under ``/emulator``.
        signal_exit_code: How to show the exit code of a task that a signal ended.
        any_vm_size: Whether a pool can have a VM size that is not in the emulator's table.
        clock: The time of the account's resources. A virtual one needs a simulation.
        simulation: How tasks and nodes turn out; with it no program is run.
    """

    account: str
    key: str = field(repr=False)
    storage: str = field(repr=False)
    root: Path
    token: str = field(default_factory=new_token, repr=False)
    port: int = 0
    pool_speed: float = 1.0
    applications: tuple[Package, ...] = ()
    boot_seconds: float = BOOT_SECONDS
    kill_grace_seconds: float = KILL_GRACE_SECONDS
    package_sas: bool = False
    lower_case_status: bool = False
    counts_delay_seconds: float = 0.0
    data: Path | None = None
    env_file: Path | None = None
    faults: bool = False
    signal_exit_code: SignalExitCode = SignalExitCode.NEGATIVE
    any_vm_size: bool = False
    clock: Clock = field(default_factory=RealClock)
    simulation: Simulation | None = None

    @property
    def controlled(self) -> bool:
        """Whether the emulator itself answers requests besides its readiness probe."""
        return self.faults or not (isinstance(self.clock, RealClock) and self.clock.exact)

    def __post_init__(self) -> None:
        """
        Refuse options that contradict each other.

        Raises:
            ValueError: One version of a package is given twice, one application's id is spelled in
                two ways, or the clock contradicts other options.
        """
        if isinstance(self.clock, VirtualClock) and self.simulation is None:
            raise ValueError("with virtual time, tasks are simulated: add --simulation FILE")
        if self.data is not None and not (isinstance(self.clock, RealClock) and self.clock.exact):
            raise ValueError("an account can be kept in a folder only with the machine's own time")
        versions = [(item.application.lower(), item.version.lower()) for item in self.applications]
        for application, version in versions:
            if versions.count((application, version)) > 1:
                raise ValueError(f"two packages of application {application}, version {version}")
        spellings = {item.application for item in self.applications}
        if len({spelling.lower() for spelling in spellings}) < len(spellings):
            raise ValueError(f"one application in two spellings: {', '.join(sorted(spellings))}")
