"""Every text of the pages has a translation that says the same figures, and no translation is left over."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import Final

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from dashboard.user_context import translations as module
from dashboard.user_context.preferences import LANGUAGES, Language
from dashboard.user_context.translations import CATALOGUES, translations

ROOM: Final = Path(module.__file__).parents[1]
KEYWORD: Final = "t"
MARKUP: Final = re.compile(r":material/\w+:|:[a-z]+(?:-badge)?\[|<br>|\*\*|`")
"""What Streamlit or Plotly reads: it stays as it is in every language."""

TRANSLATED: Final = tuple(each for each in LANGUAGES if each != module.IN_THE_CODE)


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """All texts in the code of the pages."""
    found = extract_from_dir(
        str(ROOM), method_map=[("**.py", "python")], keywords={KEYWORD: None}, strip_comment_tags=True
    )
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


@pytest.fixture(params=TRANSLATED)
def translated(request: pytest.FixtureRequest) -> Language:
    chosen: Language = request.param
    return chosen


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def test_the_texts_are_found(texts: set[str]) -> None:
    assert {"Refresh now", "Impressions", "{store} does not answer"} <= texts
    # A text that is put together in the code could not be looked up.
    calls = sum(
        len(re.findall(r"(?:reader|who|self)\.text\(", path.read_text(encoding="utf-8")))
        for path in ROOM.rglob("*.py")
    )
    assert len(texts) > calls / 2


def test_every_text_has_a_translation_and_none_is_left_over(texts: set[str], translated: Language) -> None:
    known = translations(translated)
    assert not texts - known.keys()
    assert not known.keys() - texts


def test_translations_say_the_same_figures_and_keep_the_markup(translated: Language) -> None:
    for text, said in translations(translated).items():
        assert placeholders(said) == placeholders(text), text
        assert sorted(MARKUP.findall(said)) == sorted(MARKUP.findall(text)), text


def test_catalogues_have_nothing_unfinished(translated: Language) -> None:
    with (CATALOGUES / f"{translated}.po").open("rb") as file:
        catalogue = read_po(file, locale=translated, abort_invalid=True)
    assert not catalogue.obsolete
    assert not [message.id for message in catalogue if message.id and (message.fuzzy or not message.string)]
    assert [str(each.locale) for each in [catalogue]] == [translated]


def test_english_is_in_the_code() -> None:
    assert translations("en") == {}
