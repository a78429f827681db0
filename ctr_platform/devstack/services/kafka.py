"""Kafka: one KRaft node, broker and controller in one process."""

from __future__ import annotations

import base64
import subprocess
import uuid
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError
from ctr_platform.artifacts.wheels import java_binaries
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import kafka_answers
from ctr_platform.devstack.service import Context, Service
from ctr_platform.devstack.services.jvm import java_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT_TIMEOUT_S: Final = 60
"""1.5 s as a rule."""

_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
# Where clients are told to look for it; a proxy may stand there.
advertised.listeners=PLAINTEXT://{advertised}
controller.listener.names=CONTROLLER
# Fixed voters rather than recorded ones: the port may be another at the next start.
controller.quorum.voters=1@{host}:{controller}
log.dirs={data}
auto.create.topics.enable=false
num.partitions=4
# One node: no replicas, and few internal partitions, which take time at the start.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# The default takes 128 MB of heap.
log.cleaner.dedupe.buffer.size=16777216
# After a kill the broker waits for its own old session to end: 9 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=1000
"""

_LOGGING: Final = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.name=console
appender.console.type=Console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} - %m%n
"""


def kafka(context: Context) -> Service:
    """Describe it."""
    port = context.ports["kafka"]
    properties = context.paths.conf / "kafka.properties"
    logging = context.paths.conf / "kafka-log4j2.properties"
    data = context.paths.data / "kafka"
    classpath = ":".join(map(str, context.artifacts["kafka"]))

    def prepare() -> None:
        properties.write_text(
            _PROPERTIES.format(
                host=HOST,
                port=port,
                advertised=context.environment["KAFKA_BOOTSTRAP_SERVERS"],
                controller=context.ports["kafka-controller"],
                data=data,
            ),
            encoding="utf-8",
        )
        logging.write_text(_LOGGING, encoding="utf-8")
        if not (data / "meta.properties").exists():
            _format(java_command(context, "kafka", "-Xmx96m", "-XX:+UseSerialGC"), classpath, properties)

    return Service(
        name="kafka",
        command=(
            *java_command(context, "kafka", "-Xms128m", "-Xmx512m", "-XX:+UseSerialGC"),
            f"-Dlog4j2.configurationFile={logging}",
            *("-cp", classpath),
            "kafka.Kafka",
            str(properties),
        ),
        probe=lambda: kafka_answers(port),
        address=f"{HOST}:{port}",
        ports=("kafka", "kafka-controller"),
        prepare=prepare,
        stop_within_s=30,
        programs=java_binaries(),
    )


def _format(java: Sequence[str], classpath: str, properties: Path) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    command = [*java, "-cp", classpath, "kafka.tools.StorageTool"]
    # One word each: an id may begin with a dash.
    command += ["format", f"--cluster-id={cluster}", f"--config={properties}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FORMAT_TIMEOUT_S)
    if result.returncode != 0:
        lines = (result.stderr + result.stdout).strip().splitlines()
        raise CtrError(f"formatting Kafka's storage failed: {lines[-1] if lines else 'no message'}")
