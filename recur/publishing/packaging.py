"""
Make an application package of a folder: the same content gives the same version and the same bytes.

The version follows from a manifest of paths, modes and contents, not from the bytes of the zip file,
so that it does not depend on how a zip file is written.
"""

import hashlib
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from recur.publishing.content_warnings import content_warnings
from recur.publishing.left_out import IGNORE_FILE, LeftOut, is_leftover

# Azure Batch spells other characters differently in the names of environment variables.
_ID = re.compile(r"[a-z0-9_]{1,64}")
# The oldest time that a zip file can hold.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


class PackageError(Exception):
    """A folder cannot be made into an application package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """
    An application package, ready to be uploaded.

    Attributes:
        name: Id of the application: the folder's name.
        version: ``v`` and 12 hexadecimal digits.
        zip_path: The zip file.
        left_out: Paths below the folder that it does not hold, sorted; a folder ends with ``/``.
        warnings: Path, and what is suspicious about the file; sorted.
    """

    name: str
    version: str
    zip_path: Path
    left_out: tuple[str, ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    path: str
    mode: int
    content: bytes

    @property
    def row(self) -> tuple[str, str, str]:
        return self.path, f"{self.mode:o}", hashlib.sha256(self.content).hexdigest()


def build(folder: Path, target: Path) -> Package:
    """
    Zip a folder into ``<target>/<id>-<version>.zip``; what ``target`` lacks is created.

    Modes are 755 for what its owner may execute and 644 for everything else. Empty folders are left
    out, and what ``left_out`` says: so a version does not depend on what git or a tool keeps there.

    Raises:
        PackageError: The folder's name is no id, it holds no file, or something that cannot be
            read or is neither a file nor a folder, such as a symbolic link.
    """
    name = folder.resolve().name
    if not _ID.fullmatch(name):
        raise PackageError(
            f"{name}: the name of an application has at most 64 characters from a-z, 0-9 and _"
        )
    try:
        entries, left_out = _package_entries(folder)
    except OSError as error:
        raise PackageError(f"{error.filename}: {error.strerror}") from error
    if not entries:
        raise PackageError(f"{folder}: the folder has no file to package")
    version = _content_version(entries)
    target.mkdir(parents=True, exist_ok=True)
    zip_path = target / f"{name}-{version}.zip"
    _write(entries, zip_path)
    return Package(
        name=name,
        version=version,
        zip_path=zip_path,
        left_out=tuple(sorted(left_out)),
        warnings=tuple(_warnings(entries)),
    )


def build_all(source: Path, target: Path) -> tuple[Package, ...]:
    """
    Zip every folder of ``source`` into ``target``, except hidden ones and those of tools.

    Raises:
        PackageError: One of them cannot be packaged, or there is none.
    """
    folders = source.iterdir() if source.is_dir() else ()
    names = sorted(
        folder.name for folder in folders if folder.is_dir() and not is_leftover(folder.name)
    )
    if not names:
        raise PackageError(f"{source}: the folder has no application folder")
    for folder in (source / name for name in names):
        if folder.is_symlink():
            raise PackageError(_link(folder))
    return tuple(build(source / name, target) for name in names)


def version_in(zip_path: Path) -> str | None:
    """Return the version of what a zip file holds, or nothing if it is no whole zip file."""
    try:
        with zipfile.ZipFile(zip_path) as archive:
            entries = [
                _Entry(info.filename, info.external_attr >> 16 & 0o777, archive.read(info))
                for info in archive.infolist()
            ]
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError):
        return None
    return _content_version(sorted(entries))


def _content_version(entries: list[_Entry]) -> str:
    manifest = json.dumps([entry.row for entry in entries]).encode()
    return f"v{hashlib.sha256(manifest).hexdigest()[:12]}"


def _package_entries(folder: Path) -> tuple[list[_Entry], list[str]]:
    """Return the files of a package, sorted, and the paths that it leaves out."""
    if not folder.is_dir():
        raise PackageError(f"{folder}: the folder does not exist")
    try:
        ignored = LeftOut(folder)
    except ValueError as error:  # of its encoding, or of a pattern
        raise PackageError(f"{folder / IGNORE_FILE}: {error}") from error
    entries: list[_Entry] = []
    left_out: list[str] = []
    for parent, folders, files in folder.walk(on_error=_refuse):
        for name in (*folders, *files):
            path = parent / name
            status = path.lstat()
            is_folder = stat.S_ISDIR(status.st_mode)
            relative = path.relative_to(folder).as_posix()
            if ignored.holds(relative, is_folder=is_folder):
                if relative != IGNORE_FILE:
                    left_out.append(f"{relative}/" if is_folder else relative)
                folders[:] = [one for one in folders if one != name]
            elif not is_folder:
                entries.append(_entry(path, relative, status.st_mode))
    return sorted(entries), left_out


def _entry(path: Path, relative: str, mode: int) -> _Entry:
    if stat.S_ISLNK(mode):
        raise PackageError(_link(path))
    if not stat.S_ISREG(mode):
        raise PackageError(f"{path} is neither a file nor a folder")
    if relative != relative.encode(errors="replace").decode():
        raise PackageError(f"{str(path)!a}: the name is not UTF-8")
    return _Entry(relative, 0o755 if mode & stat.S_IXUSR else 0o644, path.read_bytes())


def _link(path: Path) -> str:
    return (
        f"{path} is a symbolic link to {path.readlink()}: replace it by a copy of its target "
        f"(cp -rL), or name it in {IGNORE_FILE}"
    )


def _refuse(error: OSError) -> NoReturn:
    """Refuse a folder that cannot be listed: a package without it would be another one."""
    raise error


def _warnings(entries: Iterable[_Entry]) -> Iterator[tuple[str, str]]:
    for one in entries:
        executable = bool(one.mode & stat.S_IXUSR)
        for text in content_warnings(one.path, one.content, is_executable=executable):
            yield one.path, text


def _write(entries: list[_Entry], zip_path: Path) -> None:
    # Written aside, so that whoever reads the file never finds half of it.
    partial = zip_path.with_name(f"{zip_path.name}.{os.getpid()}")
    with zipfile.ZipFile(partial, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.path, _EPOCH)
            info.create_system = _UNIX
            info.external_attr = (stat.S_IFREG | entry.mode) << 16
            # Stored and not deflated: the bytes of the latter differ from one zlib to the next.
            archive.writestr(info, entry.content, zipfile.ZIP_STORED)
    partial.replace(zip_path)
