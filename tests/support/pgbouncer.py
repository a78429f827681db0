"""PgBouncer in transaction mode, as people put it before Postgres."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from ctr_platform.devstack.ports import is_free
from ctr_platform.devstack.probes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from tests.support.stack import RunningStack

READY_WITHIN_S: Final = 30
ACCOUNT: Final = "nobody"
"""It does not run as root."""


@contextmanager
def behind_pgbouncer(stack: RunningStack) -> Iterator[RunningStack]:
    """The same stack with its Postgres behind a PgBouncer that knows no more than it needs.

    Sessions are handed out in turn, so that a client's next transaction is on another one.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name, socket.socket() as free:
        folder = Path(name)
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        free.close()
        _configure(folder, stack.settings, port)
        command = [program, str(folder / "pgbouncer.ini")]
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, ACCOUNT)
            command += ["--user", ACCOUNT]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_until(lambda: not is_free(port), READY_WITHIN_S, "pgbouncer")
                yield stack.with_settings(postgres_port=port)
            finally:
                process.terminate()


def _configure(folder: Path, settings: Settings, port: int) -> None:
    (folder / "users.txt").write_text(
        "".join(
            f'"{user}" "{password.get_secret_value()}"\n'
            for user, password in (
                (settings.postgres_user, settings.postgres_password),
                (settings.postgres_reader_user, settings.postgres_reader_password),
            )
        ),
        encoding="utf-8",
    )
    (folder / "pgbouncer.ini").write_text(
        "[databases]\n"
        f"* = host={settings.postgres_host} port={settings.postgres_port}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {folder / 'users.txt'}\n"
        "pool_mode = transaction\nserver_round_robin = 1\n"
        # Whoever drops the database at the end of a test need not wait for these.
        "server_idle_timeout = 5\n",
        encoding="utf-8",
    )
