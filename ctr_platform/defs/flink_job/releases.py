"""Releases of the job's code: a copy of `flink/` by its content, so that a restart runs what ran before.

Whoever changes the code changes no running job: an upgrade makes a release and submits it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, UsageError

if TYPE_CHECKING:
    from contract.settings import Settings

INSTALLED: Final = Path(__file__).parents[3]
"""The code that this process itself would submit: the folder that holds the package `flink`."""

PACKAGE: Final = "flink"

_NOT_CODE: Final = frozenset({"__pycache__", "test"})


@dataclass(frozen=True, kw_only=True)
class Release:
    """The job's code at one time."""

    name: str
    """Hash of its files."""

    folder: Path
    """Holds the package `flink`."""

    def knows(self, setting: str) -> bool:
        """Whether a job of this code can be told a setting: it refuses those that it has no field for."""
        return setting in (self.folder / PACKAGE / "config.py").read_text(encoding="utf-8")

    @property
    def ingest_sources(self) -> Path:
        """Folder of the ingest stage's Java sources; releases of version 0.1 call it `front`."""
        ingest = self.folder / PACKAGE / "ingest"
        return (ingest if ingest.is_dir() else ingest.with_name("front")) / "src" / "main" / "java"


def release_name(code: Path = INSTALLED) -> str:
    """Name of the release that the package `flink` in a folder would be.

    Raises:
        CtrError: there is none.
    """
    digest = hashlib.sha256()
    for file in _files(code):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(code)}:{len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def make_release(settings: Settings, code: Path = INSTALLED) -> Release:
    """Keep the code in `RELEASE_DIR`, if it is not there yet.

    Args:
        settings: where releases are.
        code: folder that holds the package `flink`.

    Raises:
        CtrError: there is no such package, or the folder cannot be written.
    """
    release = _release(settings, release_name(code))
    if not release.folder.is_dir():
        try:
            settings.release_dir.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=settings.release_dir, prefix=".making-") as made:
                copy = Path(made) / "copy"
                for file in _files(code):
                    target = copy / file.relative_to(code)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
                copy.rename(release.folder)
        except OSError as error:
            if not release.folder.is_dir():
                raise CtrError(f"RELEASE_DIR={settings.release_dir} cannot be written: {error}") from None
    return release


def find_release(settings: Settings, name: str) -> Release:
    """A release that has been made.

    Raises:
        CtrError: it is not there.
    """
    release = _release(settings, name)
    if not release.folder.is_dir():
        raise CtrError(
            f"RELEASE_DIR={settings.release_dir} does not hold release {name}, which the job is to run: "
            "bring the folder back, or upgrade the job to the code that is here"
        )
    return release


def _release(settings: Settings, name: str) -> Release:
    return Release(name=name, folder=settings.release_dir / name)


def _files(code: Path) -> list[Path]:
    package = code / PACKAGE
    if not (package / "submit.py").is_file():
        raise UsageError(f"{code} holds no package `{PACKAGE}`: name the folder of a checkout")
    return sorted(
        file
        for file in package.rglob("*")
        if file.is_file() and not _NOT_CODE & set(file.relative_to(package).parts)
    )
