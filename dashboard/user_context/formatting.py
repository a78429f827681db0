"""How the pages write texts, figures and moments for one reader."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import NumberPattern, format_decimal, get_decimal_symbol, get_group_symbol

from dashboard.user_context.preferences import LANGUAGES
from dashboard.user_context.translations import IN_THE_CODE, translations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.user_context.preferences import Language, Preferences
    from warehouse.windows import Window

UTC: Final = "UTC"

JUST_NOW_S: Final = 1
"""Nobody minds what is younger."""

_NEXT_UNIT_AT: Final = 1.5
"""The next unit begins at so many of it: 80 seconds are a minute, 100 are two."""


@dataclass(frozen=True, kw_only=True)
class UserContext:
    """Writes for one reader: in their language, with their numbers, in their time zone."""

    language: Language
    words: Locale
    """Locale of dates and spans of time: the language of the page."""
    numbers: Locale
    """The reader's own, whatever language the page is in."""
    zone: ZoneInfo

    def t(self, message: str, **values: object) -> str:
        """Translate a text and fill in its `{names}`."""
        return translations(self.language).get(message, message).format(**values)

    def titled(self, titles: Mapping[str, str]) -> str:
        """Choose the title in the reader's language; there is always an English one."""
        return titles.get(self.language, titles["en"])

    def count(self, number: int) -> str:
        """Write `1,234,567`."""
        return str(format_decimal(number, locale=self.numbers))

    def decimal(self, number: float) -> str:
        """Write `1,234.5`."""
        return self._fixed(self.numbers.decimal_formats[None], number, 1)

    def hundredths(self, number: float) -> str:
        """Write `1,234.56`."""
        return self._fixed(self.numbers.decimal_formats[None], number, 2)

    def amount(self, number: float) -> str:
        """A sum of money or the like: two decimals, or as many as show something of a small one."""
        digits = 2 if abs(number) >= 1 or not number else min(8, 1 - math.floor(math.log10(abs(number))))
        return self._fixed(self.numbers.decimal_formats[None], number, digits)

    def rate(self, percent: float) -> str:
        """Write `17.09%`."""
        return self._fixed(self.numbers.percent_formats[None], percent / 100, 2)

    def share(self, percent: float) -> str:
        """Write `34.2%`."""
        return self._fixed(self.numbers.percent_formats[None], percent / 100, 1)

    def change(self, now: float, before: float) -> str:
        """Write by how much a figure grew: `+2.1%`; `before` is not 0."""
        grown = round(now / before - 1, 3)
        return self._signed(grown, self._fixed(self.numbers.percent_formats[None], abs(grown), 1))

    def points(self, now: float, before: float) -> str:
        """Write by how many percentage points a rate moved: `+0.35 pp`."""
        moved = round(now - before, 2)
        return self.t("{points} pp", points=self._signed(moved, self.hundredths(abs(moved))))

    def _fixed(self, pattern: NumberPattern, number: float, digits: int) -> str:
        """Write a number with so many digits after the point, and for the rest as the reader's pattern is."""
        fixed = copy(pattern)
        fixed.frac_prec = (digits, digits)
        return str(fixed.apply(number, self.numbers))

    @staticmethod
    def _signed(number: float, written: str) -> str:
        """Put the sign before, which Streamlit takes for the direction."""
        return f"{'-' if number < 0 else '+'}{written}"

    def local(self, moment: datetime) -> datetime:
        """Turn a moment into the reader's wall clock, without its zone: what Plotly draws."""
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def clock(self, moment: datetime) -> str:
        """Write `14:05`."""
        return f"{self.local(moment):%H:%M}"

    def seconds(self, moment: datetime) -> str:
        """Write `14:05:09`."""
        return f"{self.local(moment):%H:%M:%S}"

    def day(self, moment: datetime) -> str:
        """Write the date."""
        return str(format_date(self.local(moment), format="medium", locale=self.words))

    def moment(self, moment: datetime) -> str:
        """Write date and time, with the zone."""
        return f"{self.day(moment)} {self.seconds(moment)} {self.zone_name}"

    def span(self, window: Window) -> str:
        """Write the window's start and end as clock times."""
        return f"{self.clock(window.start)}–{self.clock(window.end)}"  # noqa: RUF001 - an en dash is meant

    def ago(self, age_s: float) -> str:
        """Write how long ago something was."""
        if age_s < JUST_NOW_S:
            return self.t("less than a second ago")
        return str(
            format_timedelta(
                timedelta(seconds=-age_s), add_direction=True, threshold=_NEXT_UNIT_AT, locale=self.words
            )
        )

    def duration(self, length_s: float) -> str:
        """Write how long something takes."""
        return self.t("{seconds} s", seconds=self.decimal(length_s))

    @property
    def zone_name(self) -> str:
        """Return the name of the time zone: `UTC` or `Asia/Seoul`."""
        return self.zone.key

    @property
    def separators(self) -> str:
        """Decimal and group separator, as Plotly takes them."""
        return f"{get_decimal_symbol(self.numbers)}{get_group_symbol(self.numbers)}"


def user_of(preferences: Preferences, browser: Mapping[str, str | None]) -> UserContext:
    """Know a reader by what they chose and, for the rest, by their browser.

    Args:
        preferences: of the page's address.
        browser: `locale`, such as `ko-KR`, and `timezone`, such as `Asia/Seoul`; either may be missing.
    """
    own = _locale(browser.get("locale"))
    spoken = own.language if own else IN_THE_CODE
    browsers: Language = next((each for each in LANGUAGES if each == spoken), IN_THE_CODE)
    language = browsers if preferences.lang is None else preferences.lang
    return UserContext(
        language=language,
        words=own if own and own.language == language else Locale(language),
        numbers=own or Locale(language),
        zone=_zone(preferences.tz or browser.get("timezone")),
    )


def _locale(name: str | None) -> Locale | None:
    try:
        return Locale.parse(name, sep="-") if name else None
    except (UnknownLocaleError, ValueError):
        return None


def _zone(name: str | None) -> ZoneInfo:
    try:
        return ZoneInfo(name or UTC)
    # A browser may name a zone that this machine does not know, or anything else.
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return ZoneInfo(UTC)
