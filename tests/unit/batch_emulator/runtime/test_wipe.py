"""Removing folders that tasks have left."""

import stat
from pathlib import Path

from batch_emulator.runtime.nodes import wipe


def test_what_a_link_leads_to_keeps_its_mode(tmp_path: Path) -> None:
    """Also where the link is in a folder that is locked, which is unlocked to remove it."""
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.write_text("kept")
    outside.chmod(0o444)
    (folder / "locked").mkdir(parents=True)
    (folder / "locked/link").symlink_to(outside)
    (folder / "locked").chmod(0o555)
    wipe(folder)

    assert not folder.exists()
    assert stat.S_IMODE(outside.stat().st_mode) == 0o444
