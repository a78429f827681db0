"""The codecs of Kafka's client where no library may be loaded from /tmp, as in a container."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from tests.support.containers import DOCKER, services
from tests.support.java_tests import run

if TYPE_CHECKING:
    from pathlib import Path

CODECS: Final = ["none", "gzip", "snappy", "lz4", "zstd"]
SCRATCH: Final = "/var/lib/ctr-platform/scratch"
NAMESPACE: Final = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else [])]
"""Mounts of one's own, which end with the process."""


def _java_options() -> list[str]:
    """What the JVMs of Flink's containers are told."""
    text = (DOCKER / "flink" / "config.yaml").read_text(encoding="utf-8")
    options: str = yaml.safe_load(text)["env.java.opts.all"]
    return options.split()


@pytest.fixture
def noexec(tmp_path: Path) -> tuple[Path, list[str]]:
    """A folder for temporary files, and the command in which it is mounted as Docker mounts /tmp."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    mounted = [*NAMESPACE, "sh", "-c", 'mount -t tmpfs -o noexec tmpfs "$0" && exec "$@"', str(folder)]
    tried = subprocess.run([*mounted, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this user may not mount a file system: {tried.stderr.strip()}")
    return folder, mounted


def _working(tmp_path: Path, noexec: tuple[Path, list[str]], options: list[str]) -> list[str]:
    folder, mounted = noexec
    done = run(
        tmp_path, ["ctr.ingest.Codecs"], options=[f"-Djava.io.tmpdir={folder}", *options], within=mounted
    )
    return done.stdout.split()


def test_every_codec_works_as_the_containers_are_configured(
    tmp_path: Path, noexec: tuple[Path, list[str]]
) -> None:
    # Else this shows nothing.
    assert not {"snappy", "zstd"} & set(_working(tmp_path, noexec, []))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    chosen = [each.replace(SCRATCH, str(scratch)) for each in _java_options()]
    assert sorted(_working(tmp_path, noexec, chosen)) == sorted(CODECS)


@pytest.mark.parametrize("name", ["jobmanager", "taskmanager"])
def test_libraries_are_unpacked_where_they_may_be_loaded_from(name: str) -> None:
    """Those of Kafka's codecs (java.io.tmpdir) and RocksDB's (io.tmp.dirs): on a volume, not on /tmp."""
    service = services()[name]
    config = yaml.safe_load((DOCKER / "flink" / "config.yaml").read_text(encoding="utf-8"))
    mounted = {each.split("#")[0].strip().rsplit(":", 1)[-1] for each in service["volumes"]}
    assert SCRATCH in mounted
    assert not any(each.startswith(SCRATCH) for each in service["tmpfs"])
    assert config["io.tmp.dirs"] == SCRATCH
    assert f"-Djava.io.tmpdir={SCRATCH}" in _java_options()
