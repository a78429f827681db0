"""Texts in the page's language, numbers as the reader's own locale has them, moments in their time zone."""

from __future__ import annotations

import re

import pytest
from babel.numbers import parse_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.user_context.formatting import UserContext, user_of
from dashboard.user_context.preferences import Preferences
from tests.dashboard.examples import MINUTE_MS, MOMENT, english, korean, locales, row


def browsing(locale: str | None, timezone: str | None = None, **chosen: str) -> UserContext:
    return user_of(Preferences.model_validate(chosen), {"locale": locale, "timezone": timezone})


@pytest.mark.parametrize(
    ("locale", "language", "number"),
    [
        ("en-US", "en", "1,234,567"),
        ("ko-KR", "ko", "1,234,567"),
        # No German texts, but German numbers.
        ("de-DE", "en", "1.234.567"),
        ("fr-FR", "en", "1\u202f234\u202f567"),
        ("hi-IN", "en", "12,34,567"),
        (None, "en", "1,234,567"),
        ("", "en", "1,234,567"),
        ("zz-ZZ", "en", "1,234,567"),
        ("not a locale!", "en", "1,234,567"),
        ("../etc", "en", "1,234,567"),
    ],
)
def test_a_browser_says_language_and_numbers(locale: str | None, language: str, number: str) -> None:
    user = browsing(locale)
    assert user.language == user.words.language == language
    assert user.count(1_234_567) == number


@pytest.mark.parametrize("chosen", ["en", "ko"])
def test_the_chosen_language_wins_and_the_numbers_stay_the_readers(chosen: str) -> None:
    user = browsing("de-DE", lang=chosen)
    assert user.language == user.words.language == chosen
    assert user.t("Refresh now").isascii() is (chosen == "en")
    assert user.count(1_234_567) == "1.234.567"
    assert user.decimal(1_234.5) == "1.234,5"
    assert user.rate(17.094).startswith("17,09")
    assert user.change(1_021, 1_000).startswith("+2,1")
    assert user.points(17.44, 17.09).startswith("+0,35")


def test_figures_in_english() -> None:
    user = english()
    assert user.count(1_234_567) == "1,234,567"
    assert user.count(0) == "0"
    assert user.decimal(2) == "2.0"
    assert user.rate(8.91) == "8.91%"
    assert user.share(34.16) == "34.2%"
    assert user.rate(0) == "0.00%"
    assert user.change(1_021, 1_000) == "+2.1%"
    assert user.change(500, 1_000) == "-50.0%"
    assert user.change(12_000, 100) == "+11,900.0%"
    assert user.points(17.44, 17.09) == "+0.35 pp"
    assert user.points(17.09, 17.44) == "-0.35 pp"
    assert user.duration(1.26) == "1.3 s"
    assert user.separators == ".,"


def test_separators_are_the_locales() -> None:
    assert english(locale="de-DE").separators == ",."
    assert english(locale="fr-FR").separators == ",\u202f"
    assert korean().separators == ".,"


@settings(deadline=None)
@given(locales, st.integers(0, 10**12))
def test_a_count_can_be_read_back_by_its_locale(locale: str, number: int) -> None:
    user = browsing(locale)
    assert parse_decimal(user.count(number), locale=user.numbers) == number


@settings(deadline=None)
@given(locales, st.floats(0, 100), st.floats(0.01, 100))
def test_a_change_has_the_sign_of_what_changed(locale: str, now: float, before: float) -> None:
    user = browsing(locale)
    for written in (user.change(now, before), user.points(now, before)):
        assert written.lstrip("\u200e\u200f\u061c")[0] in "+-"
        assert re.search(r"\d", written)
    if abs(now - before) > 0.01:
        assert user.points(now, before).lstrip("\u200e\u200f\u061c")[0] == ("+" if now > before else "-")


@pytest.mark.parametrize(
    ("age_s", "en", "ko"),
    [
        (1, "1 second ago", "1초 전"),
        (45, "45 seconds ago", "45초 전"),
        (89, "89 seconds ago", "89초 전"),
        (100, "2 minutes ago", "2분 전"),
        (3_600, "60 minutes ago", "60분 전"),
        (2 * 86_400, "2 days ago", "2일 전"),
    ],
)
def test_ages_are_said_in_the_pages_language(age_s: float, en: str, ko: str) -> None:
    assert english().ago(age_s) == en
    assert korean().ago(age_s) == ko


def test_nobody_minds_what_is_younger_than_a_second() -> None:
    assert english().ago(0.4) == english().ago(-1) == "less than a second ago"
    assert not korean().ago(0.4).isascii()


def test_moments_are_in_the_readers_zone() -> None:
    seoul = english("Asia/Seoul")
    assert seoul.zone_name == "Asia/Seoul"
    assert (seoul.clock(MOMENT), seoul.seconds(MOMENT)) == ("23:05", "23:05:09")
    assert seoul.moment(MOMENT) == "Mar 5, 2026 23:05:09 Asia/Seoul"
    assert seoul.local(MOMENT).tzinfo is None
    # Over midnight the day is the reader's too.
    assert english("Pacific/Auckland").day(MOMENT) == "Mar 6, 2026"
    assert korean().day(MOMENT) == "2026. 3. 5."
    minute = int(MOMENT.timestamp() * 1000) // MINUTE_MS
    assert seoul.span(row(minute)) == "23:05–23:06"  # noqa: RUF001 - as it is shown
    assert seoul.span(row(minute // 5, window_type="5min")) == "23:05–23:10"  # noqa: RUF001


@pytest.mark.parametrize("zone", [None, "", "Mars/Olympus", "../../etc", "/etc/localtime", "a\0b", "."])
def test_a_zone_that_nobody_knows_is_utc(zone: str | None) -> None:
    assert browsing("en-US", zone).zone_name == "UTC"
    assert browsing("en-US", zone).clock(MOMENT) == "14:05"


def test_the_chosen_zone_wins() -> None:
    assert browsing("en-US", "Asia/Seoul", tz="America/New_York").clock(MOMENT) == "09:05"


def test_a_text_without_translation_stays_as_it_is() -> None:
    assert korean().t("never {seen} before", seen="x") == "never x before"
    # Only the text is looked up: what is filled in stays as it is, braces and all.
    assert english().t("{store} does not answer", store="{x}") == "{x} does not answer"
