"""Errors that a person is meant to read."""

from __future__ import annotations


class CtrError(Exception):
    """Something the user can act on: the message says what is wrong and what to do.

    The command line prints the message on one line and exits with `exit_status`; a traceback is
    never shown for it.
    """

    def __init__(self, message: str, *, exit_status: int = 1) -> None:
        super().__init__(message)
        self.exit_status = exit_status
