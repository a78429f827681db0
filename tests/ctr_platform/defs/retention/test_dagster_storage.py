"""Retention of Dagster's storage on its real schema: old runs and events go, what is needed stays."""

# Dagster reads the annotations of assets, so they must not be postponed.
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import create_engine, text

from contract.settings import Settings
from ctr_platform.defs.retention.dagster_storage import Purged, purge
from tests.support.isolation import own
from tests.support.stack import SharedStack

KEY = dg.AssetKey(["some", "table"])
CHECK = dg.AssetCheckKey(KEY, "good")


class Outcome(dg.Config):
    fails: bool = False


@dg.asset(key=KEY, check_specs=[dg.AssetCheckSpec("good", asset=KEY)])
# Beside check results Dagster reads no parameter of the type.
def table(context: dg.AssetExecutionContext, config: Outcome) -> dg.MaterializeResult:  # type: ignore[type-arg]
    context.log.info("works")
    if config.fails:
        raise dg.Failure("on purpose")
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="good")])


@dg.op
def work() -> None:
    """Nothing."""


@dg.job
def other() -> None:
    work()


DEFS = dg.Definitions(
    assets=[table], jobs=[dg.define_asset_job("fill", executor_def=dg.in_process_executor), other]
)


class Storage:
    """An instance on Postgres, as `dagster.yaml` has it."""

    def __init__(self, instance: dg.DagsterInstance, url: str, settings: Settings) -> None:
        self.instance, self.settings, self._engine = instance, settings, create_engine(url)

    def run(self, job: str = "fill", *, fails: bool = False) -> str:
        config = {"ops": {"some__table": {"config": {"fails": fails}}}} if job == "fill" else None
        done = DEFS.resolve_job_def(job).execute_in_process(
            instance=self.instance, run_config=config, raise_on_error=False
        )
        return done.run_id

    def observe(self) -> None:
        self.instance.report_runless_asset_event(dg.AssetObservation(KEY))
        self.instance.report_runless_asset_event(dg.AssetMaterialization(KEY, partition="p"))
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=KEY, check_name="good", passed=True)
        )

    def age(self, days: int) -> None:
        """Make all that there is older."""
        moved = f"interval '{days} days'"
        self.execute(f"UPDATE event_logs SET timestamp = timestamp - {moved}")
        self.execute(f"UPDATE asset_check_executions SET create_timestamp = create_timestamp - {moved}")
        self.execute(
            f"UPDATE runs SET create_timestamp = create_timestamp - {moved},"
            f" start_time = start_time - {days * 86400}, end_time = end_time - {days * 86400}"
        )

    def count(self, table: str, where: str = "true") -> int:
        with self._engine.connect() as connection:
            return int(connection.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}")) or 0)

    def purge(self, *, dry_run: bool = False) -> Purged:
        return purge(self.instance, self.settings, dry_run=dry_run)

    def runs(self) -> set[str]:
        return {run.run_id for run in self.instance.get_runs()}

    def execute(self, statement: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture
def storage(shared: SharedStack, tmp_path: Path) -> Iterator[Storage]:
    with own(shared.need("postgres"), database="empty") as stack:
        url = stack.settings.postgres_url.render_as_string(hide_password=False)
        overrides = {"storage": {"postgres": {"postgres_url": url}}}
        with dg.instance_for_test(overrides=overrides, temp_dir=str(tmp_path)) as instance:
            yield Storage(instance, url, stack.settings)


def test_old_runs_go_with_their_events_and_logs_and_failed_ones_later(storage: Storage) -> None:
    first, failed, last = storage.run(), storage.run(fails=True), storage.run()
    other_run = storage.run("other")
    logs = Path(storage.instance.storage_directory())
    assert list(logs.rglob(first)) != []
    storage.age(31)
    assert storage.purge(dry_run=True).runs == 1
    assert storage.runs() == {first, failed, last, other_run}
    assert storage.purge().runs == 1
    assert storage.runs() == {failed, last, other_run}
    assert storage.count("event_logs", f"run_id = '{first}'") == 0
    assert list(logs.rglob(first)) == []
    assert list(logs.rglob(last)) != []
    storage.age(60)
    # The newest run of a job stays, and so does the one that made the newest materialization.
    storage.purge()
    assert storage.runs() == {last, other_run}
    assert storage.instance.get_latest_materialization_event(KEY) is not None


def test_a_run_that_is_not_over_stays(storage: Storage) -> None:
    job = DEFS.resolve_job_def("fill")
    run = storage.instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED)
    storage.run()
    storage.age(400)
    storage.purge()
    assert run.run_id in storage.runs()


def test_old_events_without_a_run_go_but_the_newest_of_each_kind(storage: Storage) -> None:
    for _ in range(3):
        storage.observe()
    for event in ("min(id)", "max(id)"):
        storage.execute(
            "INSERT INTO asset_event_tags (event_id, asset_key, key)"
            f" SELECT {event}, asset_key, 'k' FROM event_logs WHERE asset_key IS NOT NULL GROUP BY asset_key"
        )
    storage.age(8)
    before = storage.count("event_logs")
    tried = storage.purge(dry_run=True)
    # The newest observation and materialization stay; an evaluation's row holds its own event.
    assert (tried.events, tried.evaluations) == (7, 2)
    assert storage.count("event_logs") == before
    assert storage.purge() == tried
    assert storage.count("event_logs", "run_id = ''") == 2
    assert storage.count("asset_event_tags") == 1
    assert storage.count("asset_check_executions") == 1
    [record] = storage.instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK]).values()
    assert record.evaluation is not None
    assert record.evaluation.passed
    assert storage.purge() == Purged()


def test_young_events_stay(storage: Storage) -> None:
    for _ in range(3):
        storage.observe()
    storage.age(6)
    assert storage.purge() == Purged()


def test_dagster_agrees_that_an_event_without_a_run_has_no_id(storage: Storage) -> None:
    """Fails when the schema, or what Dagster writes into it, is no longer what the statements take it for."""
    began = datetime.now(tz=UTC) - timedelta(seconds=1)
    storage.observe()
    assert storage.count("event_logs", "run_id = ''") == storage.count("event_logs") == 3
    moment = began.replace(tzinfo=None).isoformat()
    # Its times are UTC without a zone.
    assert storage.count("event_logs", f"timestamp >= '{moment}'") == 3
    assert storage.count("asset_check_executions", f"create_timestamp >= '{moment}'") == 1
    assert time.time() - began.timestamp() < 3600
