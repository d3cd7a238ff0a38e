"""What is said of the difference between two documents."""

from orchestrator.document.parse import parse
from recur.schedules.document_changes import changes


def test_a_command_with_a_secret_is_compared_and_not_shown() -> None:
    """`recur apply` prints the changes, and logs of pipelines keep what it prints."""
    before, after = (
        parse(f"[schedules.one]\ncron = \"0 2 * * *\"\ncommand = '{command}'\n")
        for command in ("PGPASSWORD=hunter1 psql", "PGPASSWORD=hunter2 psql")
    )

    (change,) = changes(before, after)

    assert change.keys == (("command", '"(hidden)"', '"(hidden, another value)"'),)
