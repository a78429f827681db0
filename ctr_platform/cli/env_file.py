"""The file of random secrets that the containers are started with."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values

from contract.errors import CtrError

if TYPE_CHECKING:
    from pathlib import Path

SECRETS: Final = ("POSTGRES_PASSWORD", "POSTGRES_READER_PASSWORD")
"""Variables of the settings that get a random value. None has a default anywhere."""

SECRET_BYTES: Final = 24
"""Each secret has so much randomness: 32 characters that no shell and no address has to quote."""

_HEADER: Final = """\
# Made by `ctr init-secrets`. Keep it private, and keep it: what it opens knows no other words.
"""


def write_secrets(file: Path, *, add: bool = False, replace: bool = False) -> list[str]:
    """Write a random value for every secret, readable by this user alone; returns the names written.

    Args:
        file: made here; its folder must be there.
        add: leave a file that is there as it is, and add the secrets that it lacks.
        replace: put a new file in its place.

    Raises:
        CtrError: the file is there and neither was asked for, or it cannot be written.
    """
    try:
        present = file.read_text(encoding="utf-8") if file.exists() else None
        if present is not None and not (add or replace):
            raise CtrError(
                f"{file} is there already, and the data of running services knows its secrets: "
                "`--add` keeps them and adds what a newer release needs, `--replace` makes all of them anew"
            )
        keeping = present if present is not None and not replace else None
        known = {name for name, value in dotenv_values(file).items() if value} if keeping is not None else ()
        names = [name for name in SECRETS if name not in known]
        lines = [f"{name}={secrets.token_urlsafe(SECRET_BYTES)}\n" for name in names]
        before = _HEADER if keeping is None else keeping.rstrip("\n") + "\n"
        _write_privately(file, before + "".join(lines))
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise CtrError(f"cannot write {file}: {reason}") from None
    return names


def _write_privately(file: Path, text: str) -> None:
    """Put a complete file in place; at no time can anybody else read it."""
    scratch = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        scratch.replace(file)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
