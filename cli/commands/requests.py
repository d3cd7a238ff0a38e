"""The commands about what an operator asks for."""

import typer


def register(app: typer.Typer) -> None:
    """Register them."""
