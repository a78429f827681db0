"""Translations of the pages' texts. English is in the code, the others are catalogues beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.user_context.preferences import Language

IN_THE_CODE: Final[Language] = "en"
CATALOGUES: Final = Path(__file__).parent


@cache
def translations(language: Language) -> Mapping[str, str]:
    """Texts by their English original; empty for English."""
    if language == IN_THE_CODE:
        return {}
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=language)
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and isinstance(message.string, str) and message.id and message.string
    }
