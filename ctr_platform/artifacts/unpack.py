"""Unpack archives once per user: stacks share the result and only read it."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

from ctr_platform.artifacts.fetch import cache_home


def unpack(archive: Path) -> Path:
    """Return the folder with the content of a verified `.tar.gz`."""
    target = cache_home() / "unpacked" / archive.name.removesuffix(".tar.gz")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as folder:
            content = Path(folder) / "content"
            with tarfile.open(archive) as tar:
                tar.extractall(content, filter="data")
            try:
                content.rename(target)
            except OSError:
                # Another process was first; what it made is the same.
                if not target.exists():
                    raise
    return target
