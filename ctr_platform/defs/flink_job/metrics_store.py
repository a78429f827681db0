"""The job's vital signs on record in Postgres, for readers who do not ask Flink."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.dialects.postgresql import insert

from warehouse.engine import warehouse_errors, writing_engine
from warehouse.models import VitalSignsRow

if TYPE_CHECKING:
    from ctr_platform.flink_cluster.vitals import Vitals
    from ctr_platform.settings import Settings


def record(settings: Settings, vitals: Vitals) -> None:
    """Note one look at the job; noting it again changes nothing.

    Raises:
        WarehouseUnavailable: Postgres is away.
    """
    observed_at = datetime.fromtimestamp(vitals.at_s, tz=UTC)
    measured = {
        column.name: getattr(vitals, column.name)
        for column in VitalSignsRow.__table__.columns
        if column.name != VitalSignsRow.observed_at.name
    }
    adding = insert(VitalSignsRow).values(observed_at=observed_at, **measured).on_conflict_do_nothing()
    engine = writing_engine(settings.postgres_url, "ctr-vital-signs")
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        connection.execute(adding)
