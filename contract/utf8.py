"""Bytes that should be UTF-8, as the JVM's decoder has them: U+FFFD for each ill-formed sequence.

Python's own handler writes one for every byte of a surrogate, the JVM's one for the whole of it.
"""

from __future__ import annotations

import codecs
from typing import Final

_SURROGATE_LEAD: Final = 0xED
_CONTINUATION_MASK: Final = 0xC0
_CONTINUATION: Final = 0x80
_SURROGATE_BYTES: Final = 3

_HANDLER: Final = "ctr-replace"


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data, start, end = error.object, error.start, error.end
    if data[start] == _SURROGATE_LEAD:
        while (
            end < min(start + _SURROGATE_BYTES, len(data)) and data[end] & _CONTINUATION_MASK == _CONTINUATION
        ):
            end += 1
    return "\ufffd", end


codecs.register_error(_HANDLER, _replace)


def decode_utf8(data: bytes) -> str:
    """Return the text; nothing is refused."""
    return data.decode(errors=_HANDLER)
