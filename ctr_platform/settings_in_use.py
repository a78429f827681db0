"""The settings of whatever runs beside the stream."""

from __future__ import annotations

from contract.errors import InvalidStream, WarehouseUnavailable
from contract.settings import Settings, load_settings
from warehouse.engine import warehouse_errors, writing_engine
from warehouse.streams import counted_stream


def settings_in_use() -> Settings:
    """Read the settings, with the stream that is counted in the place of the declared one.

    What `CTR_STREAM` declares may be ahead of what is counted until a cutover, or be a file that somebody is
    about to write: neither may keep a job from its restart, or the recount from its topic. Before anything is
    on record, and while Postgres is away, it is what is declared.

    Raises:
        CtrError: a variable holds a value that cannot be used.
    """
    settings = load_settings()
    engine = writing_engine(settings.postgres_url, "ctr-settings")
    try:
        with warehouse_errors(settings.postgres_url), engine.connect() as connection:
            counted = counted_stream(connection).stream
    except WarehouseUnavailable:
        return settings
    try:
        declared = settings.declared_stream()
    except InvalidStream:
        return settings.counting(counted)
    same = (declared.text, declared.event_schema) == (counted.text, counted.event_schema)
    return settings if same else settings.counting(counted)
