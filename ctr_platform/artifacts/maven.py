"""Maven repositories through jgo, which is told no address: its default is Maven Central.

jgo only warns about a wrong checksum and writes in place; hence callers give it a fresh folder and
verify what arrives.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

HTTP_TIMEOUT_S: Final = 60
"""A repository that sends nothing for this long is tried again rather than waited for."""


def download(coordinates: str, folder: Path, on_bytes: Callable[[int], None]) -> Path:
    """Download one artifact into `folder` and return its path there, unverified.

    Args:
        coordinates: as in `manifest.Artifact`.
        folder: empty, the caller's own.
        on_bytes: called with the size of every chunk received; what it raises ends the download.
    """
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - slow to import, rarely needed

    @contextmanager
    def counted(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        yield on_bytes

    _trust_the_system()
    progress: Callable[[str, int], AbstractContextManager[Callable[[int], None]]] = counted
    context = MavenContext(
        resolver=PythonResolver(progress_callback=progress), repo_cache=folder, timeout=HTTP_TIMEOUT_S
    )
    group, name, version, *rest = coordinates.split(":")
    classifier, packaging = rest or ("", "jar")
    path: Path = (
        context.project(group, name)
        .at_version(version)
        .artifact(classifier=classifier, packaging=packaging)
        .resolve()
    )
    return path


def resolve(coordinates: list[str], folder: Path) -> list[str]:
    """Coordinates of `coordinates` and of all they need at run time, sorted.

    `folder` receives the POM files read on the way.
    """
    from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - as above

    _trust_the_system()
    resolver = PythonResolver()
    context = MavenContext(resolver=resolver, repo_cache=folder, timeout=HTTP_TIMEOUT_S)
    # `!` (raw): else jgo takes each one's dependencyManagement as binding for all, and log4j's would
    # put an old kafka-clients in the broker's place.
    dependencies = [context.create_dependency(f"{c}!") for c in coordinates]
    inputs, transitive = resolver.resolve(dependencies)
    return sorted(
        f"{d.groupId}:{d.artifactId}:{d.version}" + (f":{d.classifier}:{d.type}" if d.classifier else "")
        for d in [*inputs, *transitive]
        if d.scope in (None, "compile", "runtime")
    )


def _trust_the_system() -> None:
    """Verify TLS by the system's certificate store: jgo's own would miss a company's authority."""
    import truststore  # noqa: PLC0415 - only when something is downloaded

    logging.getLogger("jgo").setLevel(logging.ERROR)
    truststore.inject_into_ssl()
