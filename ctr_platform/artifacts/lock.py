"""Make `manifest.json` from `roots.toml`: `python -m ctr_platform.artifacts.lock`."""

from __future__ import annotations

import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from ctr_platform.artifacts import maven
from ctr_platform.artifacts.fetch import WORKERS, sha256_of
from ctr_platform.artifacts.manifest import MANIFEST, Artifact, dump_manifest

ROOTS: Final = Path(__file__).with_name("roots.toml")


def lock(roots: Path = ROOTS) -> dict[str, tuple[Artifact, ...]]:
    """Resolve and download everything that `roots` names, and describe what came."""
    asked = tomllib.loads(roots.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        groups = {}
        for group, table in asked.items():
            coordinates = table["coordinates"]
            if table.get("transitive", False):
                coordinates = maven.resolve(coordinates, Path(folder) / "poms")
            groups[group] = tuple(pool.map(lambda c: _describe(c, Path(folder)), coordinates))
        return groups


def _describe(coordinates: str, folder: Path) -> Artifact:
    path = maven.download(coordinates, Path(tempfile.mkdtemp(dir=folder)), lambda _count: None)
    return Artifact(coordinates, sha256_of(path), path.stat().st_size)


def main() -> None:
    """Write the manifest and say how much it lists."""
    groups = lock()
    MANIFEST.write_text(dump_manifest(groups), encoding="utf-8")
    listed = [artifact for artifacts in groups.values() for artifact in artifacts]
    size = sum(artifact.size for artifact in listed) / 2**20
    sys.stdout.write(f"{MANIFEST.name}: {len(listed)} artifacts, {size:.0f} MiB\n")


if __name__ == "__main__":
    main()
