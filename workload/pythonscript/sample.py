"""Say which run this is, when it should have started, and where it runs."""

import os
import platform
import sys
from datetime import UTC, datetime

import recur_run


def main() -> None:
    """Print one fact a line; the run's stdout.txt keeps them."""
    run = recur_run.current()
    started = datetime.now(UTC)
    node, pool = os.environ.get("AZ_BATCH_NODE_ID"), os.environ.get("AZ_BATCH_POOL_ID")
    facts = {
        "schedule": run.schedule,
        "run id": f"{run.run_id} (attempt {run.attempt})",
        "nominal time": run.nominal_time.isoformat(timespec="seconds"),
        "started": f"{started.isoformat(timespec='seconds')}, "
        f"{run.lateness(started).total_seconds():.0f} s after the nominal time",
        "node": f"{node} of pool {pool}" if node else "none of Azure Batch",
        "python": f"{platform.python_version()} in {sys.prefix}",
    }
    for name, fact in facts.items():
        print(f"{name + ':':<14}{fact}")


if __name__ == "__main__":
    try:
        main()
    except recur_run.NotARunError as error:
        sys.exit(f"sample.py: {error}")
