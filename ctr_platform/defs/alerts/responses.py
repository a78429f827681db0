"""What people answer to alerts: that they have one in hand, or that they do not want to hear of some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select, update

from contract.errors import UsageError
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models.alerts import AlertMute, AlertRow

if TYPE_CHECKING:
    from contract.settings import Settings

LONGEST_MUTE: Final = timedelta(days=30)
"""Nobody remembers a longer one, and what it hides."""

SHOWN_KEYS: Final = 10
"""So many keys are named to somebody who has asked for one that is not there."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """What has been answered, or with `dry_run` would be."""

    keys: list[str]
    """Of the open alerts that it is about now."""

    until: datetime | None = None
    """End of the mute."""


def acknowledge(settings: Settings, pattern: str, *, by: str, why: str, dry_run: bool = False) -> Response:
    """Take open alerts in hand: people are not notified of them again until they are over.

    Args:
        settings: where the alert store is.
        pattern: the alerts' keys; `*` stands for any text.
        by: who takes them in hand.
        why: what they say of it.
        dry_run: only look which they are.

    Raises:
        UsageError: no open alert has such a key, or who and why are missing.
        WarehouseUnavailable: Postgres is unavailable.
    """
    _require(by, why)
    answered = (
        update(AlertRow)
        .where(AlertRow.recovered_at.is_(None), AlertRow.key.like(like_pattern(pattern)))
        .values(acknowledged_at=func.now(), acknowledged_by=by, acknowledged_why=why)
        .returning(AlertRow.key)
    )
    engine = writing_engine(settings.postgres_url, "ctr-alerts")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        keys = sorted(connection.scalars(answered))
        if not keys:
            is_open = select(AlertRow.key).where(AlertRow.recovered_at.is_(None)).order_by(AlertRow.key)
            known = list(connection.scalars(is_open.limit(SHOWN_KEYS)))
            raise UsageError(f"no open alert has the key {pattern}; open are: {', '.join(known) or 'none'}")
        if not dry_run:
            connection.commit()
    return Response(keys=keys)


def mute(  # noqa: PLR0913 - what is on record of a mute
    settings: Settings, pattern: str, duration: timedelta, *, by: str, why: str, dry_run: bool = False
) -> Response:
    """Notify nobody of some alerts for a while, open ones and others; then of what is still open.

    Args:
        settings: where the alert store is.
        pattern: the alerts' keys; `*` stands for any text, as in `check:redis/*`.
        duration: how long.
        by: who wants it.
        why: the reason.
        dry_run: only look which open alerts it would be about.

    Raises:
        UsageError: the pattern is empty, the end is too far away, or who and why are missing.
        WarehouseUnavailable: Postgres is unavailable.
    """
    _require(by, why)
    if not pattern.strip():
        raise UsageError("say which alerts to mute: a key, or a pattern such as 'check:redis/*'")
    if not timedelta() < duration <= LONGEST_MUTE:
        raise UsageError(f"a mute lasts {LONGEST_MUTE.days} days at most: say how long, such as 2h")
    until = datetime.now(tz=UTC) + duration
    matches = like_pattern(pattern)
    engine = writing_engine(settings.postgres_url, "ctr-alerts")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        keys = connection.scalars(
            select(AlertRow.key).where(AlertRow.recovered_at.is_(None), AlertRow.key.like(matches))
        )
        found = Response(keys=sorted(keys), until=until)
        connection.execute(
            insert(AlertMute).values(
                pattern=pattern, matches=matches, muted_until=until, muted_by=by, why=why
            )
        )
        if not dry_run:
            connection.commit()
    return found


def unmute(settings: Settings, pattern: str, *, dry_run: bool = False) -> Response:
    """End the mutes of a pattern, as it was given.

    Raises:
        UsageError: there is none; the message names those that there are.
        WarehouseUnavailable: Postgres is unavailable.
    """
    lasts = AlertMute.muted_until > func.now()
    engine = writing_engine(settings.postgres_url, "ctr-alerts")
    with warehouse_errors(settings.postgres_url), engine.connect() as connection:
        ended = update(AlertMute).where(lasts, AlertMute.pattern == pattern).values(muted_until=func.now())
        if not connection.execute(ended).rowcount:
            patterns = sorted(connection.scalars(select(AlertMute.pattern).where(lasts).distinct()))
            raise UsageError(f"{pattern} is not muted; muted are: {', '.join(patterns) or 'none'}")
        keys = connection.scalars(
            select(AlertRow.key).where(
                AlertRow.recovered_at.is_(None), AlertRow.key.like(like_pattern(pattern))
            )
        )
        found = Response(keys=sorted(keys))
        if not dry_run:
            connection.commit()
    return found


def like_pattern(pattern: str) -> str:
    r"""Write a pattern with `*` for LIKE, to which `%`, `_` and `\` mean something."""
    for character in ("\\", "%", "_"):
        pattern = pattern.replace(character, f"\\{character}")
    return pattern.replace("*", "%")


def _require(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise UsageError("say who you are and why, for those who ask later")
