"""What the table of a schedule says for people: how commands show it, and tell it to programs."""

from typing import Any

from orchestrator.model import About


def about_lines(about: About | None) -> list[tuple[str, str]]:
    """Return each thing that is said, with its name, as the table has them."""
    if about is None:
        return []
    said = (
        ("description", about.description),
        ("owner", about.owner),
        ("tags", ", ".join(about.tags)),
        ("runbook", about.runbook),
    )
    return [(name, value) for name, value in said if value]


def about_sentence(about: About | None) -> str:
    """Return the same in one line; empty where nothing is said."""
    return "; ".join(f"{name}: {value}" for name, value in about_lines(about))


def about_json(about: About | None) -> dict[str, Any]:
    """Return the same for programs, with every key."""
    about = about or About()
    return {
        "description": about.description,
        "owner": about.owner,
        "runbook": about.runbook,
        "tags": list(about.tags),
    }
