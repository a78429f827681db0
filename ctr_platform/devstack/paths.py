"""Where the embedded stack keeps things inside `CTR_HOME`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, InvalidSetting
from contract.settings import STACK_ENV_FILE

if TYPE_CHECKING:
    from pathlib import Path

MAX_SOCKET_PATH: Final = 95
"""Unix sockets end at 107 bytes, and supervisord adds its pid to the name while it binds."""
_UNSAFE: Final = set(" '\"`$\\:,;#%*?&|<>()\n\t")
"""Characters that shell scripts, class paths or configuration files of the services would split at."""


@dataclass(frozen=True)
class StackPaths:
    """Paths of one stack."""

    home: Path

    @property
    def data(self) -> Path:
        """What must survive a restart, a folder per service."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """One file per service, and supervisord's own."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """What is only worth something while the stack runs."""
        return self.home / "run"

    @property
    def conf(self) -> Path:
        """Configuration files, written anew at every start."""
        return self.home / "conf"

    @property
    def tmp(self) -> Path:
        """Temporary files, a folder per service, emptied at every start."""
        return self.home / "tmp"

    @property
    def checkpoints(self) -> Path:
        """Checkpoints and savepoints of the job."""
        return self.data / "checkpoints"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance folder."""
        return self.home / "dagster"

    @property
    def releases(self) -> Path:
        """The job's code, as it was submitted."""
        return self.data / "releases"

    @property
    def quality(self) -> Path:
        """Results and pages of the quality report."""
        return self.home / "quality"

    @property
    def stack_env(self) -> Path:
        """The contract's variables of the running stack."""
        return self.home / STACK_ENV_FILE

    @property
    def ports_file(self) -> Path:
        """Port numbers by name, kept from the first start on."""
        return self.home / "ports.json"

    @property
    def addresses(self) -> Path:
        """Addresses of the running services by name, for people."""
        return self.run / "addresses.json"

    @property
    def socket(self) -> Path:
        """Supervisord's XML-RPC."""
        return self.run / "supervisor.sock"

    @property
    def pid_file(self) -> Path:
        """Supervisord's."""
        return self.run / "supervisord.pid"

    def log(self, service: str) -> Path:
        """Log file of a service."""
        return self.logs / f"{service}.log"

    def create(self) -> None:
        """Make the folders.

        Raises:
            CtrError: the home's path cannot be used, or the folder cannot be made.
        """
        if bad := sorted(_UNSAFE & set(str(self.home))):
            raise InvalidSetting(
                f"CTR_HOME={self.home} holds {bad[0]!r}, which the services' scripts cannot take: "
                "choose another folder"
            )
        if len(str(self.socket)) > MAX_SOCKET_PATH:
            room = MAX_SOCKET_PATH - len(str(self.socket)) + len(str(self.home))
            raise InvalidSetting(f"CTR_HOME={self.home} is too long for a socket: {room} characters at most")
        try:
            for folder in (self.data, self.logs, self.run, self.conf, self.tmp, self.checkpoints):
                folder.mkdir(parents=True, exist_ok=True)
            # Supervisord's control socket is in there.
            self.run.chmod(0o700)
        except OSError as error:
            raise CtrError(f"cannot use CTR_HOME={self.home}: {error.strerror or error}") from None

    def password(self, login: str = "postgres") -> str:
        """Password of a login of Postgres: made once, readable by this user alone."""
        file = self.home / f"{login}.password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(24), encoding="ascii")
        return file.read_text(encoding="ascii")
