"""Words of our own that the field has others for: not to be written in the documents' prose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.support.documents import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.documents import Page

OWN_WORDS: Final = re.compile(
    r"""\b(?:
    fates? | (?<!dead[ -])letters? | (?:java|the)[ ]front | combiners? | jobclock | partition[ ]clocks?
    | vital[ ]signs? | hand(?:s|ed)?[- ]?over | book[ ]of[ ]alerts | untold | passed[ ]over | barred
    | job[ ]orders? | proofs? | proves? | proved | late[ ]merges? | repairs? | repaired | repairing
    | watchers'[ ]watcher | foundation | own[ ]parts | event[ ]to[ ]screen | rehears\w+ | written-by | uneven
    | complaints? | kept[ ]alive | runs[ ]once | refused[ ]records? | doubled | silence
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Some words of the list have an everyday meaning too (look, order, told): only their compounds are here.

Code spans are left out: names are the code's business, and change there.
"""

ALLOWED: Final[Mapping[tuple[str, str], str]] = {
    ("README.md", "silence"): "nothing is dropped in silence: the contract's own sentence",
    ("docs/dashboard.md", "event to screen"): "a label on the pages as they are",
    ("docs/reference/warehouse.md", "repair"): "the name of tables and a column, which stay",
    ("docs/reference/warehouse.md", "repairs"): "the name of a table, which stays",
    ("docs/drill-report.md", "doubled"): "written by a run of `make drill`; the next one says it anew",
    ("docs/drill-report.md", "hand-over"): "written by a run of `make drill`; the next one says it anew",
}
"""Page and word -> why it stays."""


def own_words(page: Page, allowed: Mapping[tuple[str, str], str]) -> list[str]:
    """The words in the prose of a page that are not allowed there."""
    name = str(page.path.relative_to(ROOT)) if page.path.is_absolute() else str(page.path)
    return [word for word in OWN_WORDS.findall(page.prose) if (name, word.lower()) not in allowed]
