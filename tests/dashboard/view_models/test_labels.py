"""Text of others is shown, and means nothing to the page."""

from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard.view_models.labels import (
    HOVER_CHARACTERS,
    LABEL_CHARACTERS,
    chart_label,
    chart_text,
    markdown_text,
    plain,
)


def test_control_characters_are_seen_and_turn_nothing_around() -> None:
    assert plain("a\x00b\n\x7f") == "a␀b␊␡"
    assert plain("abc\u202etxt") == "abc\ufffdtxt"
    assert plain("\u05d0\u05d1") == "\u2068\u05d0\u05d1\u2069"
    assert plain("뉴스 é") == "뉴스 é"


@given(st.text())
def test_a_chart_is_given_no_tag_but_the_line_breaks_of_ours(text: str) -> None:
    assert not re.search("[<>]", chart_label(text))
    assert len(html.unescape(chart_label(text)).strip("\u2068\u2069")) <= LABEL_CHARACTERS
    lines = chart_text(text).split("<br>")
    assert not any(re.search("[<>]", line) for line in lines)
    assert all(len(html.unescape(line).strip("\u2068\u2069")) <= HOVER_CHARACTERS for line in lines)


def test_the_whole_of_a_text_is_in_the_hover_text() -> None:
    text = "&amp; <b>" * 20
    assert html.unescape(chart_text(text).replace("<br>", "")) == text


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_every_sign_of_markdown_is_escaped(text: str) -> None:
    assert re.sub(r"\\(.)", r"\1", markdown_text(text)) == text
    assert not re.search(r"(?<!\\)(\\\\)*[*_`$<:\[]", markdown_text(text).replace("\\\\", ""))
