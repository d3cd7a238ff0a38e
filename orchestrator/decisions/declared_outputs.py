"""Which outputs a schedule declares: stdout, stderr and what matches its patterns."""

import glob
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from orchestrator.ids import FILES

STREAMS: Final = ("stdout.txt", "stderr.txt")
"""What every task writes: the names in its folder on the node and in that of its attempt."""

WORKING_DIRECTORY: Final = "wd/"
"""The working directory below the folder of a task on its node."""

_LONGEST_NAME: Final = 1024  # characters of a blob's name


def declares(patterns: Sequence[str]) -> Callable[[str], bool]:
    """
    Return a function that tells whether one of the patterns matches a path.

    A path is relative to the task's working directory. ``*`` and ``?`` stay within a folder, ``**``
    stands for any folders, and neither matches a name that begins with a dot.

    Source: the description of OutputFile.file_pattern in the Batch API.
    """
    found = [_compiled(pattern) for pattern in patterns]
    return lambda path: any(pattern.match(path) for pattern in found)


def unmatched(patterns: Sequence[str], paths: Iterable[str]) -> tuple[str, ...]:
    """Return the patterns that match none of the paths, in their order."""
    left = {pattern: _compiled(pattern) for pattern in patterns}
    for path in paths:
        for pattern in [one for one, compiled in left.items() if compiled.match(path)]:
            del left[pattern]
        if not left:
            break
    return tuple(left)


def blob_path(node_path: str) -> str | None:
    """
    Return where a file of a task belongs below the folder of its attempt; None if nowhere.

    Args:
        node_path: Its path below the folder of the task on the node.
    """
    if node_path in STREAMS:
        return node_path
    if not node_path.startswith(WORKING_DIRECTORY):
        return None
    return FILES + node_path.removeprefix(WORKING_DIRECTORY)


def node_path(blob_path: str) -> str:
    """Return the path of an output below the folder of its task on the node."""
    if blob_path in STREAMS:
        return blob_path
    return WORKING_DIRECTORY + blob_path.removeprefix(FILES)


def is_safe(path: str, *, prefix: str = "") -> bool:
    """
    Tell whether a path can be asked for as it is and stays in its folder.

    Clients take ``.`` and ``..`` between slashes as steps, and drop empty names. A name that is no
    text cannot be sent at all.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    names = path.split("/")
    return not {"", ".", ".."} & set(names) and len(prefix + path) <= _LONGEST_NAME


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(glob.translate(pattern, recursive=True, include_hidden=False, seps="/"))
