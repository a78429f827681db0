"""The one list of Java artifacts: `manifest.json`, made by `ctr_platform.artifacts.lock`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MANIFEST: Final = Path(__file__).with_name("manifest.json")


@dataclass(frozen=True)
class Artifact:
    """One file of a Maven repository, and what it must be."""

    coordinates: str
    """`group:artifact:version`, or `group:artifact:version:classifier:packaging`."""
    sha256: str
    """Lower-case hexadecimal."""
    size: int
    """Bytes."""

    @property
    def relative_path(self) -> Path:
        """Place in the cache: the layout that Maven repositories use."""
        group, name, version, *rest = self.coordinates.split(":")
        classifier, packaging = rest or ("", "jar")
        suffix = f"-{classifier}" if classifier else ""
        return Path(*group.split("."), name, version, f"{name}-{version}{suffix}.{packaging}")


def load_manifest(path: Path = MANIFEST) -> dict[str, tuple[Artifact, ...]]:
    """Read the artifacts of every group, in the manifest's order."""
    return {
        group: tuple(Artifact(**entry) for entry in entries)
        for group, entries in json.loads(path.read_text(encoding="utf-8")).items()
    }


def dump_manifest(groups: dict[str, tuple[Artifact, ...]]) -> str:
    """Serialize for `MANIFEST`: one artifact a line, so that a change reads well in a diff."""
    blocks = []
    for group, artifacts in groups.items():
        lines = ",\n".join(
            "    " + json.dumps({"coordinates": a.coordinates, "sha256": a.sha256, "size": a.size})
            for a in artifacts
        )
        blocks.append(f"  {json.dumps(group)}: [\n{lines}\n  ]")
    return "{\n" + ",\n".join(blocks) + "\n}\n"
