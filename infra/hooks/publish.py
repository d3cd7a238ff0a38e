"""
After infra/core: publish the application packages, and tell infra/pool their versions.

A pool cannot be deployed before the packages that it refers to.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from infra.hooks.running import ready, recur, remember


def main() -> None:
    """Publish, and keep ``PACKAGE_VERSIONS``."""
    ready()
    versions = json.loads(recur("--json", "publish"))["versions"]
    remember("PACKAGE_VERSIONS", json.dumps(versions, separators=(",", ":")))
    for name, version in versions.items():
        sys.stdout.write(f"{name} {version} is active\n")


if __name__ == "__main__":
    main()
