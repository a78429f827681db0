"""What people look at, and what gives them something to see: Dagster, dashboard, reports, traffic."""

from __future__ import annotations

import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

import psycopg2

from ctr_platform.defs.data_quality.site import SITE
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import PROBE_TIMEOUT_S, http_ok
from ctr_platform.devstack.service import PROJECT, Context, Service, python_environment
from ctr_platform.devstack.services.code_server import dagster_environment, workspace_file

CONNECTION_S: Final = 5
"""Age at which Dagster's web server replaces an idle connection to Postgres. It does not look whether one
still works: by default, an hour, the first runs that people launch after a restart of Postgres fail."""


def dagster_webserver(context: Context) -> Service:
    """Describe Dagster's web server."""
    port = context.ports["dagster-webserver"]
    return Service(
        name="dagster-webserver",
        command=(
            *(sys.executable, "-m", "dagster_webserver", "-h", HOST, "-p", str(port)),
            *("-w", str(workspace_file(context)), "--db-pool-recycle", str(CONNECTION_S)),
        ),
        environment=dagster_environment(context, "dagster-webserver"),
        directory=PROJECT,
        probe=lambda: http_ok(f"http://{HOST}:{port}/server_info"),
        address=f"http://{HOST}:{port}",
        ports=("dagster-webserver",),
        after=("dagster-code",),
    )


def dagster_daemon(context: Context) -> Service:
    """Describe Dagster's daemon: it evaluates the sensors and starts the runs."""
    began = datetime.now(UTC)
    return Service(
        name="dagster-daemon",
        command=(
            *(sys.executable, "-m", "dagster._daemon", "run"),
            *("-w", str(workspace_file(context))),
        ),
        environment=dagster_environment(context, "dagster-daemon"),
        directory=PROJECT,
        probe=lambda: _daemon_heartbeats(context, began),
        address="-",
        # The webserver makes the tables of Dagster's storage; two at once would collide. The sensors
        # find the others there.
        after=("dagster-webserver", "kafka", "registry", "jobmanager"),
    )


def dashboard(context: Context) -> Service:
    """Describe the Streamlit dashboard."""
    port = context.ports["dashboard"]
    return Service(
        name="dashboard",
        command=(
            *(sys.executable, "-m", "streamlit", "run", str(PROJECT / "dashboard" / "streamlit_app.py")),
            *("--server.address", HOST, "--server.port", str(port), "--server.headless", "true"),
            *("--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none"),
        ),
        environment=python_environment(context, "dashboard"),
        directory=PROJECT,
        probe=lambda: http_ok(f"http://{HOST}:{port}/_stcore/health"),
        address=f"http://{HOST}:{port}",
        ports=("dashboard",),
        after=("postgres", "redis"),
    )


def reports(context: Context) -> Service:
    """Describe the web server of the quality report's pages."""
    port = context.ports["reports"]
    site = context.paths.quality / SITE
    return Service(
        name="reports",
        command=(
            *(sys.executable, "-m", "http.server", str(port)),
            *("--bind", HOST, "--directory", str(site)),
        ),
        environment=python_environment(context, "reports"),
        probe=lambda: http_ok(f"http://{HOST}:{port}/"),
        address=f"http://{HOST}:{port}",
        ports=("reports",),
        prepare=lambda: site.mkdir(parents=True, exist_ok=True),
    )


def watchdog(context: Context) -> Service:
    """Describe the watchdog: it notifies people when nobody looks after the job or its windows."""
    return Service(
        name="watchdog",
        command=(sys.executable, "-m", "ctr_platform", "watch"),
        environment=python_environment(context, "watchdog"),
        directory=PROJECT,
        probe=lambda: True,
        address="-",
        # Outside Dagster, which it watches.
        after=("postgres",),
        settles_after_s=5,
    )


def follower(context: Context) -> Service:
    """Describe the follower: it recounts the topic and verifies the windows. Until there is one it waits."""
    return Service(
        name="follower",
        command=(sys.executable, "-m", "ctr_platform", "follow"),
        environment=python_environment(context, "follower"),
        directory=PROJECT,
        probe=lambda: True,
        address="-",
        after=("postgres", "kafka", "registry"),
        settles_after_s=5,
    )


def traffic(context: Context, events_per_second: int) -> Service:
    """Describe the traffic generator. Until Dagster has made the topic it fails and is tried again."""
    return Service(
        name="traffic",
        command=(sys.executable, "-m", "ctr_platform", "produce", "--rate", str(events_per_second)),
        environment=python_environment(context, "traffic"),
        directory=PROJECT,
        probe=lambda: True,
        address=f"{events_per_second} events/s",
        after=("kafka", "registry"),
        # `produce` takes seconds to find that there is no topic.
        settles_after_s=15,
    )


def _daemon_heartbeats(context: Context, since: datetime) -> bool:
    """Whether a daemon of Dagster reported since then; no table yet is an error like no answer."""
    with (
        closing(
            psycopg2.connect(
                host=HOST,
                port=context.ports["postgres"],
                user="postgres",
                password=context.password,
                dbname="dagster",
                connect_timeout=PROBE_TIMEOUT_S,
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT count(*) FROM daemon_heartbeats WHERE timestamp > %s", (since.replace(tzinfo=None),)
        )
        row = cursor.fetchone()
        return row is not None and row[0] > 0
