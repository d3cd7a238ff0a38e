"""The schedule documents that README and docs show, in blocks, in shown output and in prose."""

import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator.document.parse import parse
from orchestrator.model import Schedule

ROOT = Path(__file__).parents[2]
FILES = ("schedules.sample.toml", "local/schedules.toml")
_BLOCK = re.compile(r"^```(toml|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"`(command = [^`]+)`")


def pages() -> list[Path]:
    """Return README and every page of docs and workload."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "workload/README.md"]


def shown_schedules() -> Iterator[tuple[str, Schedule]]:
    """
    Yield each schedule with a name for it: page, number of the document there, id.

    A command in prose counts as a document with one schedule.
    """
    for page in pages():
        text = page.read_text()
        place = page.relative_to(ROOT).as_posix()
        shown = [*_documents(text)]
        shown += [f"[schedules.in-prose]\nevery = '1d'\n{line}" for line in _LINE.findall(text)]
        for number, one in enumerate(shown, start=1):
            for id_, schedule in parse(one).schedules.items():
                yield f"{place}: {number} {id_}", schedule
    for file in FILES:
        for id_, schedule in parse((ROOT / file).read_text()).schedules.items():
            yield f"{file}: {id_}", schedule


def _documents(text: str) -> Iterator[str]:
    """Yield blocks of TOML, and what a shown command printed as TOML."""
    for kind, block in _BLOCK.findall(text):
        if kind == "toml":
            yield block
        else:
            for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                printed = command.partition("\n")[2]
                if printed.startswith("# Imported"):
                    yield printed
                elif "\ndefinition\n" in printed:  # `recur describe` ends with it
                    yield printed.partition("\ndefinition\n")[2]
