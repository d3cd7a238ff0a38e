"""The check of the Bicep files finds the compiler, and what is wrong, and says what it skips."""

import shutil
from pathlib import Path

import pytest

from infra import check
from infra.compiler import CompilerError, find

PATH = find()
needs_compiler = pytest.mark.skipif(
    PATH is None, reason="no Bicep compiler: not in BICEP, not on the PATH, not the Azure CLI's"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of the folder ``infra``, in which to break things."""
    copy = tmp_path / "infra"
    shutil.copytree(check.ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", "hooks"))
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_compiler_is_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """BICEP before PATH before the Azure CLI's own; a wrong BICEP is not passed over."""
    named = program(tmp_path / "named", "")
    on_path = program(tmp_path / "bin/bicep", "")
    own = program(tmp_path / ".azure/bin/bicep", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("BICEP", str(named))

    assert find() == named
    monkeypatch.delenv("BICEP")
    assert find() == on_path
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find() == own
    own.unlink()
    assert find() is None
    monkeypatch.setenv("BICEP", str(tmp_path / "gone"))
    with pytest.raises(CompilerError, match="no such file"):
        find()


def test_without_a_compiler_what_is_committed_is_as_old_as_its_sources(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And it says that nothing was compiled, and why."""
    assert check.find_problems(None) == []
    assert "no Bicep compiler (BICEP, PATH, Azure CLI)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "source",
    [
        "names.bicep",
        "core/main.bicep",
        "core/main.bicepparam",
        "core/modules/alerts.bicep",
        "core/modules/role-assignments.json",
        "pool/pool.json",
        "pool/autoscale.formula",
        "alerts/run-failed.kql",
    ],
)
def test_without_a_compiler_a_changed_source_is_noticed(root: Path, source: str) -> None:
    """What is committed was compiled from something else."""
    with (root / source).open("a") as file:
        file.write("\n")

    assert check.find_problems(None, root) == [
        f"infra/{source} has changed since infra/compiled was written: run make infra-write"
    ]


def test_without_a_compiler_nothing_is_written(root: Path) -> None:
    """It says what is missing."""
    assert "no Bicep compiler" in check.write(None, root)[0]


@needs_compiler
def test_every_diagnostic_is_a_failure(root: Path) -> None:
    """Whatever its level, also where the compiler ends with exit code 0; and so is bad format."""
    # Types of Azure, of which the compiler only warns, in a file that is loaded and in one that is not.
    edit(root / "pool/pool.json", '"Pool"', '"pool"')
    edit(root / "core/modules/function-app.bicep", "httpsOnly:", "httpOnly:")
    edit(root / "core/modules/alerts.bicep", "var logRules ", "var unused = 1\nvar logRules ")
    edit(root / "core/main.bicepparam", "param alertEmail =", "param alertMail =")
    edit(root / "names.bicep", "var poolName = ", "var poolName   = ")

    problems = "\n".join(check.find_problems(PATH, root))

    for wrong in (
        "infra/pool/main.bicep(",
        "Warning BCP036",
        "infra/core/modules/function-app.bicep(",
        'Did you mean "httpsOnly"',
        "Error no-unused-vars",
        "infra/core/main.bicepparam(",
        "infra/names.bicep is not formatted: run make infra-write",
    ):
        assert wrong in problems


@needs_compiler
def test_another_version_is_not_compared(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lints and formats all the same, and says why no more; and it writes nothing."""
    (root / "bicep.version").write_text("0.1.2\n")
    edit(root / "snapshots/pool.spot.json", "spot = 1;", "spot = 0;")

    assert check.find_problems(PATH, root) == []
    assert "not compared, since what is committed is of Bicep 0.1.2" in capsys.readouterr().out
    assert "infra/bicep.version names 0.1.2" in check.write(PATH, root)[0]
