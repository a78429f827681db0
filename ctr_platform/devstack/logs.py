"""The services' log files, as lines."""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ctr_platform.devstack.paths import StackPaths

FOLLOW_S: Final = 0.3
"""Between two looks at a file."""


def log_files(paths: StackPaths, service: str | None) -> list[Path]:
    """Log of one service, or of all.

    Raises:
        CtrError: there is none.
    """
    names = sorted(path.stem for path in paths.logs.glob("*.log"))
    if service is not None and service not in names:
        known = f"there are {', '.join(names)}" if names else f"{paths.logs} is empty"
        raise UsageError(f"no log of {service!r}: {known}")
    if not names:
        raise CtrError(f"{paths.logs} holds no log yet: start the stack by `ctr up`")
    return [paths.log(name) for name in ([service] if service is not None else names)]


def last_lines(file: Path, count: int) -> list[str]:
    """The file's last lines."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]


@contextmanager
def following(files: Sequence[Path]) -> Iterator[Iterator[tuple[str, str]]]:
    """Give (service, line) for whatever is written from now on, for ever, also over rotations."""
    tails = [_Tail(file) for file in files]
    try:
        yield _lines_of(tails)
    finally:
        for tail in tails:
            tail.close()


def _lines_of(tails: Sequence[_Tail]) -> Iterator[tuple[str, str]]:
    while True:
        idle = True
        for tail in tails:
            for line in tail.lines():
                idle = False
                yield tail.name, line
        if idle:
            time.sleep(FOLLOW_S)


class _Tail:
    """The growing end of one file, also after its rotation."""

    def __init__(self, file: Path) -> None:
        self.name = file.stem
        self._file = file
        self._stream = file.open(encoding="utf-8", errors="replace")
        self._stream.seek(0, os.SEEK_END)
        self._part = ""

    def lines(self) -> Iterator[str]:
        """Whole lines written since the last call."""
        while text := self._stream.read(1 << 16):
            *whole, self._part = (self._part + text).split("\n")
            yield from whole
        if self._rotated():
            self._stream.close()
            self._stream = self._file.open(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def _rotated(self) -> bool:
        try:
            return self._file.stat().st_ino != os.fstat(self._stream.fileno()).st_ino
        except FileNotFoundError:
            return False
