"""Build jars from Java sources without a JDK: the Eclipse compiler runs on the JRE."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError
from ctr_platform.artifacts.fetch import cache_home, fetch
from ctr_platform.artifacts.wheels import flink_jars, java

if TYPE_CHECKING:
    from collections.abc import Sequence

FLAGS: Final = (
    *("-source", "17", "-target", "17"),  # what Flink 2 itself is built for
    *("-encoding", "UTF-8"),
    "-proc:none",  # no annotation processors
    "-g",  # line numbers and variable names in stack traces
    "-parameters",
    "-warn:none",
)
BUGS: Final = (
    "-err:+"
    + ",".join(
        (
            *("compareIdentical", "deadCode", "fallthrough", "finally", "hashCode", "noEffectAssign"),
            *("nullDereference", "over-ann", "unlikelyCollectionMethodArgumentType"),
            *("unlikelyEqualsArgumentType", "unusedImport", "unusedLocal", "unusedPrivate"),
        )
    ),
)
"""Bugs, not style: only these are errors; everything else is silent."""

COMPILE_TIMEOUT_S: Final = 120
"""The ingest stage takes 3 s on one free core; a machine busy with other builds has been seen at 20 s."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Earliest time a zip can hold: the same sources make the same bytes."""


def ingest_sources() -> Path:
    """Return the folder of the ingest stage's Java sources."""
    return Path(__file__).parents[2] / "flink" / "ingest" / "src" / "main" / "java"


def ingest_classpath() -> list[Path]:
    """Return what the ingest stage is compiled against, and finds in the cluster's lib folder."""
    return [*flink_jars(), *fetch(["connectors"])["connectors"]]


def build_ingest() -> Path:
    """Return the jar of the job's ingest stage (Java), compiled now or by an earlier call.

    Raises:
        CtrError: the sources do not compile; the message holds the compiler's.
    """
    return build_jar("ctr-ingest", ingest_sources(), ingest_classpath())


def build_jar(name: str, sources: Path, classpath: Sequence[Path], *, strict: bool = True) -> Path:
    """Compile every `.java` file under `sources`; other files there go into the jar as they are.

    The jar lies in the user's cache under a name that holds the hash of all that went in, so a
    second call with the same input costs one reading of the sources.

    Args:
        name: what the jar's name begins with.
        sources: folder of the sources.
        classpath: jars that they are compiled against.
        strict: whether what is most likely a bug is an error.

    Raises:
        CtrError: no sources, or they do not compile; the message holds the compiler's.
    """
    files = sorted(path for path in sources.rglob("*") if path.is_file())
    if not any(path.suffix == ".java" for path in files):
        raise CtrError(f"{sources} holds no Java source")
    [compiler] = fetch(["build"])["build"]
    jar = cache_home() / "jars" / f"{name}-{_digest(sources, files, [compiler, *classpath])}.jar"
    if not jar.is_file():
        jar.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=jar.parent, prefix=".building-") as folder:
            classes = Path(folder) / "classes"
            classes.mkdir()
            compile_java(sources, classpath, classes, strict=strict)
            members = {path.relative_to(classes): path for path in classes.rglob("*") if path.is_file()}
            members |= {path.relative_to(sources): path for path in files if path.suffix != ".java"}
            _zip(members, Path(folder) / "built.jar").replace(jar)
    return jar


def _digest(sources: Path, files: Sequence[Path], jars: Sequence[Path]) -> str:
    """Hash of sources, flags and the names and sizes of the jars (whose content is verified elsewhere)."""
    digest = hashlib.sha256(repr((FLAGS, BUGS)).encode())
    for jar in jars:
        digest.update(f"{jar.name}:{jar.stat().st_size}\n".encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(sources)}:{len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def compile_java(sources: Path, classpath: Sequence[Path], classes: Path, *, strict: bool = True) -> None:
    """Compile every `.java` file under `sources` into a folder; for `strict` see `build_jar`.

    Raises:
        CtrError: they do not compile; the message holds the compiler's.
    """
    [compiler] = fetch(["build"])["build"]
    command = [str(java()), "-XX:+UseSerialGC", f"-Djava.io.tmpdir={classes.parent}", "-jar", str(compiler)]
    command += [
        *FLAGS,
        *(BUGS if strict else ()),
        "-d",
        str(classes),
        "-cp",
        ":".join(map(str, classpath)),
        str(sources),
    ]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise CtrError(f"compiling {sources} took more than {COMPILE_TIMEOUT_S} s") from None
    if result.returncode != 0:
        raise CtrError(f"{sources} does not compile:\n{result.stderr.strip() or result.stdout.strip()}")


def _zip(members: dict[Path, Path], target: Path) -> Path:
    """Write a jar whose bytes depend on its members alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("META-INF/MANIFEST.MF", EPOCH), "Manifest-Version: 1.0\n\n")
        for name, path in sorted(members.items()):
            info = zipfile.ZipInfo(name.as_posix(), EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return target
