"""Which outputs a schedule declares."""

import pytest

from orchestrator.decisions.declared_outputs import (
    blob_path,
    declares,
    is_safe,
    node_path,
    unmatched,
)


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("report.csv", "report.csv", True),
        ("report.csv", "report.csv.1", False),
        ("*.csv", "a.csv", True),
        ("*.csv", ".a.csv", False),
        (".*.csv", ".a.csv", True),
        ("*.csv", "sub/a.csv", False),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "sub/deep/a.csv", True),
        ("sub/**", "sub/deep/a b.csv", True),
        ("a?.csv", "ab.csv", True),
        ("a[b-d].csv", "ac.csv", True),
        ("a[!b].csv", "ab.csv", False),
        ("a[*].csv", "a*.csv", True),
        ("*.csv", "a\n.csv", True),
        ("*.csv", "a.csv\n", False),
    ],
)
def test_a_pattern_matches_as_batch_describes_it(pattern: str, path: str, matches: bool) -> None:
    """A star stays within a folder, two do not, and neither matches a leading dot."""
    assert declares([pattern])(path) is matches


def test_nothing_is_declared_without_patterns() -> None:
    """Whatever lies among the files then was put there by the task itself."""
    assert not declares(())("anything")


def test_patterns_that_matched_nothing_are_told_in_their_order() -> None:
    """One match is enough for a pattern, and one file may match several."""
    patterns = ("z*.csv", "*.csv", "none/*", "*.txt")

    assert unmatched(patterns, ["b.csv", "a.txt"]) == ("z*.csv", "none/*")
    assert unmatched(patterns, []) == patterns


@pytest.mark.parametrize("path", ["stdout.txt", "stderr.txt", "files/a.csv", "files/x/y z.csv"])
def test_an_output_has_one_place_on_the_node(path: str) -> None:
    """From the blob to the file and back is the same blob."""
    assert blob_path(node_path(path)) == path


@pytest.mark.parametrize("path", ["fileuploadout.txt", "certs/key", "wd"])
def test_what_is_no_output_has_no_place_in_storage(path: str) -> None:
    """Only stdout, stderr and the working directory are the task's own."""
    assert blob_path(path) is None


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("files/a b/ü.csv", True),
        ("files/a%2Fb", True),
        ("files/..a/b..", True),
        ("files/../b", False),
        ("files/./b", False),
        ("files//b", False),
        ("../b", False),
        ("files/\udcff", False),
        ("files/" + "a" * 1018, True),
        ("files/" + "a" * 1019, False),
    ],
)
def test_a_path_that_leads_elsewhere_is_not_asked_for(path: str, safe: bool) -> None:
    """Clients take dots between slashes as steps out of the folder."""
    assert is_safe(path) is safe
