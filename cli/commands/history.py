"""The commands about what happened."""

import typer


def register(app: typer.Typer) -> None:
    """Register them."""
