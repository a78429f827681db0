"""Flink's session cluster: a JobManager and TaskManagers.

Each is one `java` command. The wheel's shell scripts would start three helper processes a service to
derive memory sizes from a total; here the sizes are written down instead.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ctr_platform.artifacts.flink import flink_environment
from ctr_platform.artifacts.wheels import java_binaries
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import http_ok, taskmanager_registered
from ctr_platform.devstack.service import Context, Service
from ctr_platform.devstack.services.jvm import java_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TASKMANAGERS: Final = 2
SLOTS: Final = 4
"""Slots of each TaskManager: one alone carries the job at its default parallelism when the other dies."""

COMMON: Final = Path(__file__).parents[1] / "flink" / "config.yaml"
"""What every cluster of this job is told, embedded or in containers."""

LOGGING: Final = COMMON.with_name("log4j-console.properties")
"""To standard output alone."""

JOBMANAGER_JVM: Final = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""It coordinates: little to do, but it must start soon."""
TASK_HEAP_MIB: Final = 384
FRAMEWORK_HEAP_MIB: Final = 128
FRAMEWORK_OFF_HEAP_MIB: Final = 128
NETWORK_MIB: Final = 128
MANAGED_MIB: Final = 384
"""RocksDB's caches and Python's workers."""
METASPACE_MIB: Final = 256
OVERHEAD_MIB: Final = 192
"""The JVM's own. All of a TaskManager's together: 1.6 GiB when everything is in use."""

_OPEN_PACKAGES: Final = (
    *("java.lang", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.lang.reflect", "java.text"),
    *("java.time", "java.util", "java.util.concurrent", "java.util.concurrent.atomic"),
    "java.util.concurrent.locks",
)
_JVM: Final = (
    # Flink's own list, without the exports of jdk.compiler, a module that a JRE lacks.
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPEN_PACKAGES),
    "-Djava.security.manager=allow",
)


def jobmanager(context: Context) -> Service:
    """Describe the JobManager."""
    rest = f"http://{HOST}:{context.ports['jobmanager']}"
    return Service(
        name="jobmanager",
        command=_command(
            context,
            "jobmanager",
            JOBMANAGER_JVM,
            "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
            {
                "web.log.path": str(context.paths.log("jobmanager")),
                "io.tmp.dirs": str(context.tmp("jobmanager")),
            },
        ),
        environment=_environment(context, "jobmanager"),
        probe=lambda: http_ok(f"{rest}/overview"),
        address=rest,
        ports=("jobmanager", "jobmanager-rpc"),
        prepare=lambda: _prepare(context),
        programs=java_binaries(),
    )


def taskmanager(context: Context, number: int) -> Service:
    """Describe TaskManager `number`, from 1."""
    name = f"taskmanager-{number}"
    rest = f"http://{HOST}:{context.ports['jobmanager']}"
    properties = {
        # The same name after a restart: the JobManager then drops the dead one at once.
        "taskmanager.resource-id": name,
        "taskmanager.log.path": str(context.paths.log(name)),
        "io.tmp.dirs": str(context.tmp(name)),
    }
    return Service(
        name=name,
        command=_command(
            context,
            name,
            (
                f"-Xms{TASK_HEAP_MIB + FRAMEWORK_HEAP_MIB}m",
                f"-Xmx{TASK_HEAP_MIB + FRAMEWORK_HEAP_MIB}m",
                f"-XX:MaxDirectMemorySize={FRAMEWORK_OFF_HEAP_MIB + NETWORK_MIB}m",
                f"-XX:MaxMetaspaceSize={METASPACE_MIB}m",
                "-XX:+UseG1GC",
            ),
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            properties,
        ),
        environment=_environment(context, name),
        probe=lambda: taskmanager_registered(rest, name),
        address=f"{HOST} ({SLOTS} slots)",
        # Not after the JobManager: it asks for it again until it is there, and both starts overlap.
        prepare=lambda: _prepare(context),
        programs=java_binaries(),
    )


def _conf(context: Context) -> Path:
    return context.paths.conf / "flink"


def _prepare(context: Context) -> None:
    conf = _conf(context)
    conf.mkdir(exist_ok=True)
    lines = (f"{key}: {json.dumps(value)}\n" for key, value in _configuration(context).items())
    (conf / "config.yaml").write_text(COMMON.read_text(encoding="utf-8") + "".join(lines), encoding="utf-8")


def _command(
    context: Context, name: str, jvm: Sequence[str], main_class: str, properties: Mapping[str, str]
) -> tuple[str, ...]:
    lib = Path(flink_environment()["FLINK_LIB_DIR"])
    # The order of Flink's scripts: by name, flink-dist last.
    jars = sorted(lib.glob("*.jar"), key=lambda jar: (jar.name.startswith("flink-dist"), jar.name))
    return (
        *java_command(context, name, *jvm, *_JVM),
        f"-Dlog4j.configurationFile={LOGGING}",
        *("-cp", ":".join(map(str, jars)), main_class),
        *("--configDir", str(_conf(context))),
        *(part for key, value in properties.items() for part in ("-D", f"{key}={value}")),
    )


def _environment(context: Context, name: str) -> dict[str, str]:
    return flink_environment() | {
        "FLINK_CONF_DIR": str(_conf(context)),
        # Python functions of package `flink` run in workers of the TaskManagers.
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "TMPDIR": str(context.tmp(name)),
    }


def _configuration(context: Context) -> dict[str, str | float | bool]:
    """Flink's configuration for both kinds of process."""
    checkpoints = context.paths.checkpoints.as_uri()
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.rpc.port": context.ports["jobmanager-rpc"],
        "jobmanager.bind-host": HOST,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": context.ports["jobmanager"],
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": SLOTS,
        # The scripts would derive these from a total; the JVM's own sizes above agree with them.
        "taskmanager.cpu.cores": float(os.cpu_count() or 1),
        "taskmanager.memory.framework.heap.size": f"{FRAMEWORK_HEAP_MIB}m",
        "taskmanager.memory.task.heap.size": f"{TASK_HEAP_MIB}m",
        "taskmanager.memory.framework.off-heap.size": f"{FRAMEWORK_OFF_HEAP_MIB}m",
        "taskmanager.memory.task.off-heap.size": "0m",
        "taskmanager.memory.network.min": f"{NETWORK_MIB}m",
        "taskmanager.memory.network.max": f"{NETWORK_MIB}m",
        "taskmanager.memory.managed.size": f"{MANAGED_MIB}m",
        "taskmanager.memory.jvm-metaspace.size": f"{METASPACE_MIB}m",
        "taskmanager.memory.jvm-overhead.min": f"{OVERHEAD_MIB}m",
        "taskmanager.memory.jvm-overhead.max": f"{OVERHEAD_MIB}m",
        "execution.checkpointing.dir": checkpoints,
        "execution.checkpointing.savepoint-dir": checkpoints,
        "python.executable": sys.executable,
        "python.client.executable": sys.executable,
        "blob.server.port": "0",
    }
