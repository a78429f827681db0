"""Texts of dimensions as they count, found without the job's code."""

from __future__ import annotations

from typing import Final

from contract.utf8 import decode_utf8

MAX_CHARACTERS: Final = 128
"""Code points of a text that count."""


def normal_text(written: str | bytes | None, blank: str) -> str:
    """A text as it counts, be it a string or bytes: blank ones are one, and every one can be stored."""
    text = decode_utf8(written) if isinstance(written, bytes) else written
    if not text or all(character <= " " for character in text):
        return blank
    return text.replace("\0", "\ufffd")[:MAX_CHARACTERS]
