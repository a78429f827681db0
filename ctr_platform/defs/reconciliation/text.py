"""Categories as they count, found without the job's code."""

from __future__ import annotations

import codecs
from typing import Final

MAX_CATEGORY: Final = 128
"""Code points of a category that count."""

UNKNOWN: Final = "unknown"

SURROGATE_LEAD: Final = 0xED
CONTINUATION_MASK: Final = 0xC0
CONTINUATION: Final = 0x80
SURROGATE_BYTES: Final = 3

INVALID_UTF8: Final = "ctr-replace"
"""Error handler of bytes that are no UTF-8: U+FFFD for each ill-formed sequence, and for a whole surrogate,
as the JVM's decoder has it; Python's own handler writes one for every byte of a surrogate."""


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, start, end = error.object, error.start, error.end
    if data[start] == SURROGATE_LEAD:
        while end < min(start + SURROGATE_BYTES, len(data)) and data[end] & CONTINUATION_MASK == CONTINUATION:
            end += 1
    return "\ufffd", end


codecs.register_error(INVALID_UTF8, _replace)


def normal_category(text: str | None) -> str:
    """A category as it counts: blank ones are one, and every one can be stored."""
    if not text or all(character <= " " for character in text):
        return UNKNOWN
    return text.replace("\0", "\ufffd")[:MAX_CATEGORY]
