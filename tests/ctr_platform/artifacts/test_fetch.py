"""Artifacts come verified, and damage is repaired; over the real repository, with its smallest files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.artifacts.fetch import fetch, sha256_of
from ctr_platform.artifacts.manifest import MANIFEST, Artifact, dump_manifest, load_manifest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ctr_platform.artifacts.fetch import Transfer


@pytest.fixture(scope="module")
def small() -> dict[str, tuple[Artifact, ...]]:
    """The three smallest artifacts of the manifest, as group `small`."""
    listed = {artifact for artifacts in load_manifest().values() for artifact in artifacts}
    return {"small": tuple(sorted(listed, key=lambda artifact: artifact.size)[:3])}


@pytest.fixture(scope="module")
def filled(small: dict[str, tuple[Artifact, ...]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds them."""
    cache = tmp_path_factory.mktemp("cache")
    fetch(["small"], manifest=small, cache=cache)
    return cache


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def delete(path: Path) -> None:
    path.unlink()


def test_an_empty_cache_is_filled_and_progress_ends_complete(
    small: dict[str, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    seen: list[Transfer] = []
    paths = fetch(["small"], manifest=small, cache=tmp_path, on_transfer=seen.append)["small"]
    assert [sha256_of(path) for path in paths] == [artifact.sha256 for artifact in small["small"]]
    assert (seen[-1].files_done, seen[-1].files) == (3, 3)
    assert seen[-1].bytes_done == seen[-1].bytes_total == sum(a.size for a in small["small"])
    leftovers = [path.name for path in tmp_path.rglob(".incoming-*")]
    assert leftovers == []


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, delete])
def test_only_what_is_damaged_comes_again(
    small: dict[str, tuple[Artifact, ...]], filled: Path, damage: Callable[[Path], None]
) -> None:
    victim, *others = fetch(["small"], manifest=small, cache=filled)["small"]
    untouched = [path.stat().st_mtime_ns for path in others]
    damage(victim)
    seen: list[Transfer] = []
    fetch(["small"], manifest=small, cache=filled, on_transfer=seen.append)
    assert sha256_of(victim) == small["small"][0].sha256
    assert [path.stat().st_mtime_ns for path in others] == untouched
    assert {transfer.name for transfer in seen} == {victim.name}


def test_an_intact_cache_needs_no_network(
    small: dict[str, tuple[Artifact, ...]], filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert len(fetch(["small"], manifest=small, cache=filled)["small"]) == 3


def test_without_a_network_one_line_says_what_to_do(
    small: dict[str, tuple[Artifact, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(CtrError, match=r"cannot fetch .*: check the network") as caught:
        fetch(["small"], manifest={"small": small["small"][:1]}, cache=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_file_with_another_content_is_refused_and_not_kept(
    small: dict[str, tuple[Artifact, ...]], tmp_path: Path
) -> None:
    wrong = replace(small["small"][0], sha256="0" * 64)
    with pytest.raises(CtrError, match="SHA-256"):
        fetch(["small"], manifest={"small": (wrong,)}, cache=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_manifest_is_what_the_lock_tool_writes_and_names_no_address() -> None:
    text = MANIFEST.read_text(encoding="utf-8")
    groups = load_manifest()
    assert dump_manifest(groups) == text
    assert "://" not in text
    assert {"kafka", "registry", "connectors", "build", "test"} <= set(groups)
    assert all(len(a.sha256) == 64 and a.size > 0 for artifacts in groups.values() for a in artifacts)


def test_the_broker_keeps_its_own_client() -> None:
    versions = {
        name: version
        for _, name, version in (artifact.coordinates.split(":")[:3] for artifact in load_manifest()["kafka"])
    }
    assert versions["kafka-clients"] == versions["kafka_2.13"]
