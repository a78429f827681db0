"""What every Java service is started with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctr_platform.artifacts.wheels import java

if TYPE_CHECKING:
    from ctr_platform.devstack.service import Context


def java_command(context: Context, service: str, *options: str) -> tuple[str, ...]:
    """`java` with these options, and with its temporary files inside `CTR_HOME`."""
    return (
        str(java()),
        *options,
        f"-Djava.io.tmpdir={context.tmp(service)}",
        # Counters for local tools, which the JVM would map in a folder of /tmp.
        "-XX:-UsePerfData",
    )
