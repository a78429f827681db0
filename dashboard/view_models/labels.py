"""Text that came with the events, as a page may show it: never markup, never wider than its place.

Plotly reads a few tags and entities of HTML in every text, `<a href>` among them; Streamlit reads Markdown.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

LABEL_CHARACTERS: Final = 16
"""Of a label on a chart: of the widest letters it leaves half of a phone's width to the bars."""

HOVER_CHARACTERS: Final = 40
"""Of a line of hover text, which Plotly does not wrap."""

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
_REPLACEMENT: Final = 0xFFFD
_VISIBLE: Final = {
    # Unicode has pictures of the oldest control characters.
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029, 0xFEFF), _REPLACEMENT),
    # They turn the text behind them around, that of others too.
    **dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), _REPLACEMENT),
}
_ISOLATE: Final = "\u2068"
_END: Final = "\u2069"


def plain(text: str) -> str:
    """One line of visible text, whose direction turns nothing around it."""
    shown = text.translate(_VISIBLE)
    right_to_left = any(unicodedata.bidirectional(each) in ("R", "AL") for each in shown)
    return f"{_ISOLATE}{shown}{_END}" if right_to_left else shown


def chart_label(text: str) -> str:
    """Label of an axis or a legend: the begin of a long text."""
    cut = text if len(text) <= LABEL_CHARACTERS else f"{text[: LABEL_CHARACTERS - 1]}…"
    return html.escape(plain(cut), quote=False)


def chart_text(text: str) -> str:
    """The whole text for a chart's hover text, in lines of `HOVER_CHARACTERS`."""
    lines = (text[first : first + HOVER_CHARACTERS] for first in range(0, len(text), HOVER_CHARACTERS))
    return "<br>".join(html.escape(plain(line), quote=False) for line in lines)


def markdown_text(text: str) -> str:
    """The text as Markdown that means just that."""
    return _PUNCTUATION.sub(r"\\\1", plain(text))
