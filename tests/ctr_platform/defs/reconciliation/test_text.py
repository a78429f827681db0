"""Categories that are no text at all count as the job counts them."""

from __future__ import annotations

import pytest

from contract.utf8 import decode_utf8
from ctr_platform.defs.reconciliation.text import normal_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"news", "news"),
        (b"\xff", "\ufffd"),
        (b"a\xc0\x80", "a\ufffd\ufffd"),
        (b"\xe2\x82", "\ufffd"),
        # An encoded surrogate is one character, as the JVM reads it.
        (b"\xed\xa0\x80", "\ufffd"),
        (b"\xed\xa0\x80\x80", "\ufffd\ufffd"),
        (b"\xed\xbb", "\ufffd"),
        (b"\xed\xbb\x41", "\ufffdA"),
        (b"\xf4\x90\x80\x80", "\ufffd" * 4),
    ],
)
def test_bytes_that_are_no_utf8_are_replaced_as_the_jvm_does(raw: bytes, text: str) -> None:
    assert decode_utf8(raw) == text


@pytest.mark.parametrize(
    ("text", "category"),
    [(None, "unknown"), ("", "unknown"), ("  \t", "unknown"), ("a\0", "a\ufffd"), ("x" * 300, "x" * 128)],
)
def test_a_category_has_one_form(text: str | None, category: str) -> None:
    assert normal_text(text, "unknown") == category
