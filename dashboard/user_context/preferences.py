"""What a reader may choose, as the page's address holds it: a view is shared by sharing its link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Language = Literal["en", "ko"]
Theme = Literal["light", "dark"]

LANGUAGES: Final[Mapping[Language, str]] = {"en": "English", "ko": "한국어"}
"""Each by its own name."""

FASTEST_REFRESH_S: Final = 5
SLOWEST_REFRESH_S: Final = 60
"""Faster than 5 s nobody reads; slower than a minute it is no live page."""

DEFAULT_REFRESH_S: Final = 10
"""The contract's pace of the dashboard."""


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name}")
    return name


Percent = Annotated[float, Field(ge=0, le=100)]


class Preferences(BaseModel):
    """Field names are the names in the address. None: as the browser, or the platform, has it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    refresh: int = Field(default=DEFAULT_REFRESH_S, ge=FASTEST_REFRESH_S, le=SLOWEST_REFRESH_S)
    """Seconds."""
    lang: Language | None = None
    theme: Theme | None = None
    tz: Annotated[str, AfterValidator(_known_zone)] | None = None
    accuracy_min: Percent | None = None
    """Percent; a window below it is red, one between it and 100 orange."""
    delay_max: Annotated[float, Field(gt=0)] = 2.0
    """Seconds from event to screen; more is red. A second into Redis, and one to draw."""
    ctr_min: Percent = 0.0
    ctr_max: Percent = 100.0
    """Percent; a CTR beyond them is red."""


def read_preferences(address: Mapping[str, str | Sequence[str]]) -> Preferences:
    """Read the parameters of an address; one that cannot be used is as good as absent.

    An old or mistyped link must still open.
    """
    try:
        return Preferences.model_validate(address)
    except ValidationError as error:
        wrong = {each["loc"][0] for each in error.errors()}
        return Preferences.model_validate({name: address[name] for name in address if name not in wrong})
