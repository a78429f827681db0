"""The Flink distribution that cluster and submitting client share."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from ctr_platform.artifacts.fetch import cache_home, fetch
from ctr_platform.artifacts.wheels import flink_home, flink_jars, java_home


def flink_environment() -> dict[str, str]:
    """Variables that make Flink's scripts and pyflink use our Java and our lib folder.

    The lib folder holds the wheel's jars, the connectors and flink-python; the wheel itself stays
    untouched. A client needs `FLINK_HOME` too, else pyflink puts the wheel's lib folder in its place.
    """
    home = flink_home()
    return {
        "JAVA_HOME": str(java_home()),
        "FLINK_HOME": str(home),
        "FLINK_LIB_DIR": str(_lib_folder()),
        "FLINK_OPT_DIR": str(home / "opt"),
        "FLINK_PLUGINS_DIR": str(home / "plugins"),
    }


def _lib_folder() -> Path:
    """Folder of links to every jar of the cluster, named by what it links to."""
    jars = [*flink_jars(), *fetch(["connectors"])["connectors"]]
    digest = hashlib.sha256("\n".join(map(str, jars)).encode()).hexdigest()[:16]
    folder = cache_home() / f"flink-lib-{digest}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".flink-lib-") as scratch:
            content = Path(scratch) / "content"
            content.mkdir()
            for jar in jars:
                (content / jar.name).symlink_to(jar)
            try:
                content.rename(folder)
            except OSError:
                # Another process was first; what it made is the same.
                if not folder.exists():
                    raise
    return folder
