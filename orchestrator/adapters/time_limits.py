"""How long a tick may work, a call may take and a lease holds: three numbers that fit together."""

from typing import Final

LEASE_SECONDS: Final = 60
"""A tick's lease; blob storage gives none that is longer and ends by itself."""

WORK_SECONDS: Final = 45
"""From the lease on; a tick starts nothing later."""

CALL_SECONDS: Final = 10
"""One call to a service, with its retries."""


def check_limits(*, lease: float, work: float, call: float) -> None:
    """
    Refuse numbers with which a call may outlast the lease.

    Args:
        lease: How long a lease holds, in seconds.
        work: How long after the lease the last call may start, in seconds.
        call: How long a call may take, in seconds.

    Raises:
        ValueError: The last call may end when the lease has ended, or later.
    """
    if work + call >= lease:
        raise ValueError(
            f"work of {work} s and a call of {call} s do not end within a lease of {lease} s: "
            "shorten one of the two"
        )


check_limits(lease=LEASE_SECONDS, work=WORK_SECONDS, call=CALL_SECONDS)
