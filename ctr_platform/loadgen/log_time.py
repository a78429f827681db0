"""When a row of a click log happened."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from contract.stream.traffic import ISO, UNITS, LogTime
from ctr_platform.loadgen.own_fields import HOUR_MS, step_ms

if TYPE_CHECKING:
    from contract.stream.load import DeclaredStream

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND: Final = {"s": 1, "ms": 1000, "us": 1_000_000}
_DIGITS: Final = re.compile(r"([0-9]{1,20})(\.[0-9]+)?")
_WITHOUT_ZEROS: Final = re.compile(r"([0-9]+)\.0+")
"""As pandas writes a column of whole numbers with a gap somewhere."""


@dataclass(frozen=True)
class Moment:
    """A moment of the log."""

    hour: int
    """YYMMDDHH, UTC."""
    within_us: int | None
    """Since the hour began; None: the log has hours only."""


def log_time(stream: DeclaredStream) -> LogTime:
    """Return how a stream's logs tell the time: as declared, else as its events do."""
    declared = stream.declaration.replay.time
    return declared or LogTime(column=stream.declaration.event.time.field, format=stream.time_unit)


class LogClock:
    """Reads the times of a log."""

    def __init__(self, time: LogTime) -> None:
        self._column = time.column
        self._form = time.format
        exact = time.format in (*UNITS, ISO)
        sample = "" if exact else _EPOCH.strftime(time.format)
        self._width = len(sample) if sample.isdigit() else None
        """Digits of a time that is written as a number, whose first zeros may be missing."""
        self._has_hours_only = not exact and step_ms(time.format) == HOUR_MS
        self._read = lru_cache(maxsize=1024)(self._moment)

    def moment(self, text: str) -> Moment:
        """Read a cell.

        Raises:
            ValueError: it is no such time.
        """
        return self._read(text)

    def _moment(self, text: str) -> Moment:
        try:
            time = self._time(text).astimezone(UTC)
        except (ValueError, OverflowError):
            form = {ISO: "a time in ISO 8601", **dict.fromkeys(UNITS, f"{self._form} since the epoch")}
            raise ValueError(
                f"{self._column} is {text}, not {form.get(self._form, f'of the form {self._form}')}"
            ) from None
        within = time - time.replace(minute=0, second=0, microsecond=0)
        return Moment(
            int(time.strftime("%y%m%d%H")),
            None if self._has_hours_only else within // timedelta(microseconds=1),
        )

    def _time(self, text: str) -> datetime:
        if self._form in _PER_SECOND:
            if _DIGITS.fullmatch(text) is None:
                raise ValueError
            return _EPOCH + timedelta(microseconds=int(Decimal(text) * 1_000_000 / _PER_SECOND[self._form]))
        if self._form == ISO:
            return _in_zone(datetime.fromisoformat(text.strip()))
        if self._width is not None:
            whole = _WITHOUT_ZEROS.fullmatch(text)
            text = (whole[1] if whole else text).zfill(self._width)
        return _in_zone(datetime.strptime(text, self._form))  # noqa: DTZ007 - it gets its zone next


def _in_zone(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
