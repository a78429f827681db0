"""Puts windows into the stores as the job does: documents by its own writer, rows by the models."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from flink.document_store import DocumentStore
from flink.documents import build
from tests.support.stores import writing_engine
from tests.support.tables import DIMENSIONS, TABLES
from warehouse.windows import WINDOW_MINUTES, epoch_ms

if TYPE_CHECKING:
    from datetime import datetime

    from contract.settings import Settings
    from flink.documents import Counts
    from warehouse.windows import WindowType


def put_document(
    settings: Settings,
    window_type: WindowType,
    start: datetime,
    counts: Counts,
    *,
    final: bool,
    written_ms: int | None = None,
) -> None:
    """Publish a window's document.

    Args:
        settings: where Redis is.
        window_type: of the window.
        start: of the window.
        counts: impressions and clicks by (category, device type).
        final: whether the window is closed.
        written_ms: ms since the epoch; now, if not given.
    """
    job = DocumentStore(settings.redis_host, settings.redis_port, settings.redis_key_prefix)
    moment = written_ms or time.time_ns() // 1_000_000
    assert job.write(build(window_type, epoch_ms(start), counts, DIMENSIONS, final=final, written_ms=moment))
    job.close()


def put_rows(settings: Settings, window_type: WindowType, start: datetime, counts: Counts) -> None:
    """Write a final window's rows."""
    rows = [
        {
            "window_start": start,
            "window_end": start + timedelta(minutes=WINDOW_MINUTES[window_type]),
            "site_category": category,
            "device_type": device,
            "impressions": impressions,
            "clicks": clicks,
        }
        for (category, device), (impressions, clicks) in counts.items()
    ]
    with writing_engine(settings.postgres_url).begin() as connection:
        connection.execute(insert(TABLES.counts[window_type]), rows)
