"""Fetch artifacts into the user's cache: in parallel, verified, repaired when damaged."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs
import tenacity

from contract.errors import CtrError
from ctr_platform.artifacts import maven
from ctr_platform.artifacts.manifest import Artifact, load_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORKERS: Final = 8
"""Downloads at once: most files are small, so the round trips count."""
ATTEMPTS: Final = 4
MAX_WAIT_S: Final = 8
"""Between attempts; together about 15 s, enough for a connection that was reset."""
SPARE_BYTES: Final = 512 * 1024 * 1024
"""Must stay free beside what is downloaded: unpacking the registry takes 170 MB of it."""


@dataclass(frozen=True)
class Transfer:
    """How far a fetch is. Files already in the cache count as neither files nor bytes."""

    name: str
    """File that moved last."""
    files_done: int
    files: int
    bytes_done: int
    bytes_total: int


OnTransfer = Callable[[Transfer], None]


class _DamagedError(Exception):
    """What arrived is not what the manifest names."""


class _StoppedError(Exception):
    """The fetch was given up."""


def cache_home() -> Path:
    """Folder shared by all stacks of this user: `CTR_CACHE`, else the user's cache folder."""
    if chosen := os.environ.get("CTR_CACHE"):
        return Path(chosen).expanduser().resolve()
    return platformdirs.user_cache_path("ctr-platform")


def fetch(
    groups: Sequence[str],
    *,
    on_transfer: OnTransfer | None = None,
    manifest: Mapping[str, tuple[Artifact, ...]] | None = None,
    cache: Path | None = None,
) -> dict[str, list[Path]]:
    """Return verified local paths of every artifact of `groups`, downloading what is absent or damaged.

    Args:
        groups: names in the manifest, such as `kafka` or `connectors`.
        on_transfer: called from several threads, one at a time, while something is downloaded.
        manifest: instead of the project's own.
        cache: instead of `cache_home()`.

    Raises:
        CtrError: no way to the repository, a full disk, or a file that never has the right checksum.
    """
    listed = load_manifest() if manifest is None else manifest
    root = (cache or cache_home()) / "artifacts"
    wanted = list(dict.fromkeys(a for group in groups for a in listed[group]))
    missing = _missing(wanted, root)
    if missing:
        _download_all(missing, root, on_transfer)
    return {group: [root / a.relative_path for a in listed[group]] for group in groups}


def missing(groups: Sequence[str]) -> list[Artifact]:
    """Artifacts of `groups` that the cache lacks or holds damaged."""
    listed = load_manifest()
    return _missing([a for group in groups for a in listed[group]], cache_home() / "artifacts")


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _missing(artifacts: Sequence[Artifact], root: Path) -> list[Artifact]:
    with ThreadPoolExecutor(WORKERS) as pool:
        intact = pool.map(lambda a: _intact(a, root / a.relative_path), artifacts)
        return [a for a, good in zip(artifacts, intact, strict=True) if not good]


def _intact(artifact: Artifact, path: Path) -> bool:
    return path.is_file() and path.stat().st_size == artifact.size and sha256_of(path) == artifact.sha256


def _download_all(artifacts: Sequence[Artifact], root: Path, on_transfer: OnTransfer | None) -> None:
    root.mkdir(parents=True, exist_ok=True)
    needed = sum(a.size for a in artifacts) + SPARE_BYTES
    if (free := shutil.disk_usage(root).free) < needed:
        raise CtrError(
            f"{root} has {free >> 20} MiB free and the Java artifacts need {needed >> 20} MiB: "
            "free some space, or set CTR_CACHE to a folder on another disk"
        )
    tally = _Tally(artifacts, on_transfer)
    with ThreadPoolExecutor(WORKERS) as pool:
        # The largest first: it decides how long the whole takes.
        ordered = sorted(artifacts, key=lambda a: -a.size)
        futures = [pool.submit(_download, a, root, tally) for a in ordered]
        try:
            for future in futures:
                future.result()
        except BaseException:
            tally.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _download(artifact: Artifact, root: Path, tally: _Tally) -> None:
    target = root / artifact.relative_path
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential(max=MAX_WAIT_S),
        retry=tenacity.retry_if_not_exception_type(_StoppedError),
        reraise=True,
    )
    try:
        retrying(_download_once, artifact, target, root, tally)
    except _StoppedError:
        return
    except Exception as error:  # the network's errors, and the plain ones that jgo raises
        raise CtrError(
            f"cannot fetch {artifact.coordinates} ({_reason(error)}): check the network and run this again"
        ) from error
    tally.finished(artifact)


def _download_once(artifact: Artifact, target: Path, root: Path, tally: _Tally) -> None:
    received = 0

    def on_bytes(count: int) -> None:
        nonlocal received
        received += count
        tally.moved(artifact, count)

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".incoming-") as folder:
        try:
            arrived = maven.download(artifact.coordinates, Path(folder), on_bytes)
            _verify(artifact, arrived)
        except BaseException:
            tally.moved(artifact, -received)
            raise
        arrived.replace(target)


def _verify(artifact: Artifact, path: Path) -> None:
    if not _intact(artifact, path):
        raise _DamagedError("what arrived does not have the manifest's SHA-256")


def _reason(error: Exception) -> str:
    """First line of an error, short enough for one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


class _Tally:
    """Progress of a fetch, safe to feed from several threads."""

    def __init__(self, artifacts: Sequence[Artifact], on_transfer: OnTransfer | None) -> None:
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._on_transfer = on_transfer
        self._files = len(artifacts)
        self._total = sum(a.size for a in artifacts)
        self._files_done = 0
        self._bytes_done = 0

    def stop(self) -> None:
        """Make every download that is under way end at its next chunk."""
        self._stopped.set()

    def moved(self, artifact: Artifact, count: int) -> None:
        """Count bytes of `artifact`; negative when an attempt is thrown away."""
        self._report(artifact, count, 0)
        if self._stopped.is_set() and count > 0:
            raise _StoppedError

    def finished(self, artifact: Artifact) -> None:
        """Count `artifact` as done."""
        self._report(artifact, 0, 1)

    def _report(self, artifact: Artifact, count: int, files: int) -> None:
        with self._lock:
            self._bytes_done += count
            self._files_done += files
            if self._on_transfer is not None:
                name = artifact.relative_path.name
                self._on_transfer(
                    Transfer(name, self._files_done, self._files, self._bytes_done, self._total)
                )
