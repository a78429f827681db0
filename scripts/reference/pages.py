"""The pages and files of the reference, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scripts.reference.commands import commands_page
from scripts.reference.dagster_graph import dagster_page
from scripts.reference.settings import settings_page
from scripts.reference.stream import metrics_page, redis_page, topics_page
from scripts.reference.stream_declaration import stream_declaration_page, stream_json_schema
from scripts.reference.warehouse import warehouse_page

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "reference"


def pages() -> dict[str, str]:
    """Generate all pages.

    Raises:
        UndocumentedError: something has no description; the message names it.
    """
    return {
        "settings.md": settings_page(),
        "cli.md": commands_page(),
        "warehouse.md": warehouse_page(),
        "stream-declaration.md": stream_declaration_page(),
        "stream.schema.json": stream_json_schema(),
        "topics.md": topics_page(),
        "redis.md": redis_page(),
        "metrics.md": metrics_page(),
        "dagster.md": dagster_page(),
    }
