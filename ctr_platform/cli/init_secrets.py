"""`ctr init-secrets`: what the containers are started with."""

# ruff: noqa: PLC0415 - a command imports what it needs when it runs, so that `ctr --help` is quick

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from contract.errors import UsageError


def init_secrets(
    file: Annotated[
        Path, typer.Option("--file", "-f", help="Compose reads `.env` beside its own file.")
    ] = Path("docker/.env"),
    *,
    add: Annotated[bool, typer.Option("--add", help="Keep the file, add the secrets that it lacks.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Make all secrets anew.")] = False,
) -> None:
    """Write random secrets for the containers, readable by you alone."""
    from ctr_platform.cli.env_file import write_secrets

    if add and replace:
        raise UsageError("`--add` keeps the secrets and `--replace` does not: choose one")
    names = write_secrets(file, add=add, replace=replace)
    typer.echo(f"{file}: {', '.join(names) or 'nothing was missing'}")
