"""Apicurio: the schema registry, through its Confluent API, stored in Postgres."""

from __future__ import annotations

from typing import Final

from ctr_platform.artifacts.unpack import unpack
from ctr_platform.artifacts.wheels import java_binaries
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import http_ok
from ctr_platform.devstack.service import Context, Service
from ctr_platform.devstack.services.jvm import java_command

CONFLUENT_API: Final = "/apis/ccompat/v7"


def registry(context: Context) -> Service:
    """Describe it."""
    port = context.ports["registry"]
    url = f"http://{HOST}:{port}{CONFLUENT_API}"
    [archive] = context.artifacts["registry"]
    return Service(
        name="registry",
        command=(
            *java_command(context, "registry", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-jar", "quarkus-run.jar"),
        ),
        directory=unpack(archive),
        environment={
            "QUARKUS_HTTP_HOST": HOST,
            "QUARKUS_HTTP_PORT": str(port),
            # Else health and metrics listen on every interface.
            "QUARKUS_MANAGEMENT_HOST": HOST,
            "QUARKUS_MANAGEMENT_PORT": str(context.ports["registry-management"]),
            "QUARKUS_HTTP_ACCESS_LOG_ENABLED": "false",
            # The default lets every change through.
            "APICURIO_RULES_GLOBAL_COMPATIBILITY": "BACKWARD",
            "APICURIO_STORAGE_KIND": "sql",
            "APICURIO_STORAGE_SQL_KIND": "postgresql",
            "APICURIO_DATASOURCE_URL": f"jdbc:postgresql://{HOST}:{context.ports['postgres']}/registry",
            "APICURIO_DATASOURCE_USERNAME": "postgres",
            "APICURIO_DATASOURCE_PASSWORD": context.password,
            # The default opens 20 connections and allows 100.
            "APICURIO_DATASOURCE_JDBC_INITIAL_SIZE": "2",
            "APICURIO_DATASOURCE_JDBC_MIN_SIZE": "2",
            "APICURIO_DATASOURCE_JDBC_MAX_SIZE": "8",
        },
        probe=lambda: http_ok(f"{url}/subjects"),
        address=url,
        ports=("registry", "registry-management"),
        after=("postgres",),
        programs=java_binaries(),
    )
