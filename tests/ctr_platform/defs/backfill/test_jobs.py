"""The job that recomputes hours, as far as it needs no service: what it is asked, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from contract.errors import UsageError
from ctr_platform.defs.backfill.hours import HourRange
from ctr_platform.defs.backfill.jobs import BACKFILL_JOB, BackfillConfig
from ctr_platform.defs.catalog import CLUSTER_POOL, REFUSED
from ctr_platform.resources import Platform


def test_it_is_a_dry_run_until_somebody_says_otherwise() -> None:
    assert BackfillConfig(first_hour="2026-01-31T09:00Z").dry_run


def test_hours_are_named_by_their_starts_in_any_zone() -> None:
    first, last = (datetime.fromisoformat(f"2026-01-31T{hour}:00+05:30") for hour in ("14", "15"))
    with pytest.raises(UsageError, match="whole hours"):
        HourRange.of(first, last)
    first, last = (datetime.fromisoformat(f"2026-01-31T{hour}:00+02:00") for hour in ("11", "12"))
    hours = HourRange.of(first, last)
    assert hours == HourRange(datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2026, 1, 31, 11, tzinfo=UTC))


@pytest.mark.parametrize("hour", ["2026-01-31T09:30Z", "2026-01-31T09:00", "yesterday"])
def test_what_is_no_hour_is_refused_and_the_run_says_so(hour: str) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        done = BACKFILL_JOB.execute_in_process(
            instance=instance,
            run_config={"ops": {BACKFILL_JOB.name: {"config": {"first_hour": hour}}}},
            resources={"platform": Platform()},
            raise_on_error=False,
        )
        assert not done.success
        run = instance.get_run_by_id(done.run_id)
        assert run is not None
        assert hour[:10] in run.tags[REFUSED]


def test_a_lost_job_does_not_wait_for_it() -> None:
    [op] = BACKFILL_JOB.nodes
    assert op.definition.pools
    assert CLUSTER_POOL not in op.definition.pools
