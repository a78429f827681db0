"""What a running JVM holds after a full collection: what a job has left behind shows here."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctr_platform.artifacts.wheels import java

if TYPE_CHECKING:
    from collections.abc import Iterable

JCMD_TIMEOUT_S: Final = 60
"""A collection takes a second; a machine that is busy has other things to do."""

LOADER: Final = "org.apache.flink.util.ChildFirstClassLoader"
"""Of a job's classes: one for each job that something still refers to."""

KAFKA_CLIENT: Final = re.compile(
    r"org\.apache\.flink\.kafka\.shaded\..*\.(KafkaConsumer|KafkaProducer|KafkaAdminClient)"
)
ROW: Final = re.compile(r"\s*\d+:\s+(?P<count>\d+)\s+\d+\s+(?P<name>[^\s$]+)(?:\s|$)")
"""A row of a class histogram; of an inner class there is none."""

NUMBERS: Final = re.compile(r"[0-9a-f]{6,}|\d+")
"""What tells threads of one kind apart."""


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What a JVM holds."""

    loaders: int
    """Class loaders of jobs."""

    kafka_clients: int
    """Consumers, producers and admin clients of jobs."""

    metaspace_kib: int
    files: int
    """Open file handles, sockets among them."""

    threads: int
    kinds: Counter[str]
    """Threads by their names without numbers."""

    def line(self) -> str:
        """The figures in a row of a table."""
        figures = (self.loaders, self.kafka_clients, self.metaspace_kib, self.files, self.threads)
        return " ".join(f"{figure:>9}" for figure in figures)


HEADER: Final = " ".join(f"{name:>9}" for name in ("loaders", "clients", "meta KiB", "files", "threads"))


def footprint(pid: int) -> Footprint:
    """Collect all garbage of a JVM, and say what is left."""
    histogram = _jcmd(pid, "GC.class_histogram")
    counts = {row["name"]: int(row["count"]) for row in map(ROW.match, histogram.splitlines()) if row}
    metaspace = re.search(r"Both:.*?([\d.]+) (KB|MB|GB) .*?used", _jcmd(pid, "VM.metaspace"))
    assert metaspace is not None
    kinds = Counter(_kind(line) for line in _jcmd(pid, "Thread.print").splitlines() if line.startswith('"'))
    return Footprint(
        loaders=counts.get(LOADER, 0),
        kafka_clients=sum(count for name, count in counts.items() if KAFKA_CLIENT.fullmatch(name)),
        metaspace_kib=round(float(metaspace[1]) * {"KB": 1, "MB": 1024, "GB": 1 << 20}[metaspace[2]]),
        files=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=kinds.total(),
        kinds=kinds,
    )


def _kind(line: str) -> str:
    return NUMBERS.sub("#", line.split('"')[1])


def _jcmd(pid: int, command: str) -> str:
    return subprocess.run(
        [str(java().with_name("jcmd")), str(pid), command],
        capture_output=True,
        text=True,
        timeout=JCMD_TIMEOUT_S,
        check=True,
    ).stdout


def more_threads(before: Footprint, after: Footprint) -> Iterable[str]:
    """Kinds of threads of which there are more now, for a person who looks for a leak."""
    return (f"{kind}: {count}" for kind, count in sorted((after.kinds - before.kinds).items()))
