"""Jars are built without a JDK, the same from the same sources."""

from __future__ import annotations

import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from contract.errors import CtrError
from ctr_platform.artifacts.java import build_ingest, build_jar
from ctr_platform.artifacts.wheels import java

if TYPE_CHECKING:
    from pathlib import Path

HELLO = """\
package demo;

public final class Hello {
    private Hello() {}

    public static void main(String[] arguments) {
        System.out.println("hello " + arguments[0]);
    }
}
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "java" / "demo"
    folder.mkdir(parents=True)
    (folder / "Hello.java").write_text(HELLO)
    return folder.parent


def test_a_built_jar_runs(sources: Path) -> None:
    jar = build_jar("hello", sources, [])
    reply = subprocess.run(
        [java(), "-cp", jar, "demo.Hello", "you"], capture_output=True, text=True, check=True, timeout=60
    )
    assert reply.stdout == "hello you\n"


def test_the_same_sources_make_the_same_bytes(sources: Path) -> None:
    jar = build_jar("hello", sources, [])
    first = jar.read_bytes()
    jar.unlink()
    assert build_jar("hello", sources, []).read_bytes() == first


def test_other_sources_make_another_jar(sources: Path) -> None:
    before = build_jar("hello", sources, [])
    (sources / "demo" / "Hello.java").write_text(HELLO.replace("hello", "good day"))
    assert build_jar("hello", sources, []) != before
    assert before.exists()


def test_a_mistake_is_shown_with_its_line(sources: Path) -> None:
    (sources / "demo" / "Hello.java").write_text(HELLO.replace("arguments[0]", "nobody"))
    with pytest.raises(CtrError, match=r"Hello\.java \(at line 7\)(?s:.*)nobody cannot be resolved"):
        build_jar("hello", sources, [])


def test_the_ingest_stage_holds_its_classes_and_nothing_of_flink() -> None:
    with zipfile.ZipFile(build_ingest()) as jar:
        classes = [name for name in jar.namelist() if name.endswith(".class")]
    assert "ctr/ingest/Ingest.class" in classes
    assert all(name.startswith(("ctr/ingest/", "ctr/front/", "ctr/python/")) for name in classes)
