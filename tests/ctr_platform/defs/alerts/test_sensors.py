"""The sensor that tells what is red."""

# Dagster reads the annotations of assets and of their configuration, so they must not be postponed.
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from contract.errors import UsageError
from contract.settings import Settings
from ctr_platform.definitions import defs
from ctr_platform.defs.alerts import stale_assets
from ctr_platform.defs.alerts.sensors import allowed_ages, notify_of_alerts
from ctr_platform.defs.operations import operation_job
from ctr_platform.devstack.probes import wait_until
from ctr_platform.resources import Platform
from tests.support.isolation import use_settings
from tests.support.stack import RunningStack
from tests.support.stores import empty

KEY = dg.AssetKey(["some", "table"])


class Outcome(dg.Config):
    """What the asset and its checks do next."""

    exact: bool = True
    complete: bool = True
    fails: bool = False


@dg.asset(key=KEY, check_specs=[dg.AssetCheckSpec(name, asset=KEY) for name in ("exact", "complete")])
# Beside check results Dagster reads no parameter of the type.
def table(config: Outcome) -> dg.MaterializeResult:  # type: ignore[type-arg]
    if config.fails:
        raise dg.Failure("on purpose")
    return dg.MaterializeResult(
        check_results=[
            dg.AssetCheckResult(passed=config.exact, check_name="exact", description="1 of 9 is wrong"),
            dg.AssetCheckResult(
                passed=config.complete, check_name="complete", severity=dg.AssetCheckSeverity.WARN
            ),
        ]
    )


HOURS = dg.StaticPartitionsDefinition(["09", "10"])


class Trouble(dg.Config):
    """Whether the asset can be materialized."""

    fails: bool = False


@dg.asset(
    key=["hourly", "table"],
    partitions_def=HOURS,
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(minutes=5)),
)
def hourly(config: Trouble) -> None:
    if config.fails:
        raise UsageError("hour <09> is still *open*")


@dg.op
def refuse() -> None:
    raise UsageError("the hour is not over: try later")


DEFS = dg.Definitions(
    assets=[table, hourly],
    jobs=[
        dg.define_asset_job("fill", selection=[table], executor_def=dg.in_process_executor),
        dg.define_asset_job("refill", selection=[hourly], executor_def=dg.in_process_executor),
        operation_job(refuse, description="An operation that cannot be done now.", max_runtime_s=60),
    ],
    sensors=[notify_of_alerts],
    resources={"platform": Platform()},
)


@pytest.fixture
def settings(stores: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a store without any alert."""
    empty(stores.settings.postgres_url)
    return use_settings(monkeypatch, stores)


@contextmanager
def _looking(instance: dg.DagsterInstance) -> Iterator[dg.SensorEvaluationContext]:
    with dg.build_sensor_context(
        instance=instance, repository_def=DEFS.get_repository_def(), resources={"platform": Platform()}
    ) as context:
        yield context


def test_what_is_red_is_told_until_it_is_green(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def look() -> list[str]:
            caplog.clear()
            with _looking(instance) as context:
                outcome = notify_of_alerts(context)
            assert isinstance(outcome, dg.SkipReason)
            return [
                line for record in caplog.records for line in record.getMessage().splitlines() if "*" in line
            ]

        def run(**outcome: bool) -> None:
            config = {"ops": {"some__table": {"config": outcome}}}
            job = DEFS.resolve_job_def("fill")
            job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)

        assert look() == []
        run(exact=False, complete=False)
        link = f"{settings.dagster_ui_url}/assets/some/table?view=checks&checkDetail=exact"
        [line] = look()
        assert line.startswith(":red_circle: *exact of some/table fails*: 1 of 9 is wrong (since 20")
        assert line.endswith(f"UTC) <{link.replace('&', '&amp;')}|open> docs/runbook.md#exact")
        assert look() == []
        run(fails=True)
        # A run that fails says nothing of its checks.
        [failed] = look()
        assert failed.startswith(":red_circle: *the job fill failed*: run ")
        run()
        assert sorted(line.split("*")[1] for line in look()) == [
            "exact of some/table fails",
            "the job fill failed",
        ]
        assert look() == []


@pytest.mark.usefixtures("settings")
def test_a_warning_that_lasts_is_an_alert(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def titles() -> list[str]:
            caplog.clear()
            with _looking(instance) as context:
                notify_of_alerts(context)
            lines = [line for record in caplog.records for line in record.getMessage().splitlines()]
            return [f"{line.split()[0]} {line.split('*')[1]}" for line in lines if "*" in line]

        def run(*, complete: bool) -> None:
            config = {"ops": {"some__table": {"config": {"complete": complete}}}}
            DEFS.resolve_job_def("fill").execute_in_process(instance=instance, run_config=config)

        began = time.monotonic()
        run(complete=False)
        assert titles() == []
        monkeypatch.setenv("ALERT_WARNINGS_AFTER", "2s")
        wait_until(lambda: titles() == [":red_circle: complete of some/table warns"], 30, "the alert")
        run(complete=True)
        assert titles() == [":large_green_circle: complete of some/table warns"]
        # It begins anew, however long ago it failed before.
        run(complete=False)
        monkeypatch.setenv("ALERT_WARNINGS_AFTER", f"{time.monotonic() - began:.1f}s")
        assert titles() == []


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(("tags", "alerts"), [({}, 0), ({"dagster/schedule_name": "nightly"}, 1)])
def test_what_a_person_was_refused_is_no_alert(tmp_path: Path, tags: dict[str, str], alerts: int) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        done = DEFS.resolve_job_def("refuse").execute_in_process(
            instance=instance, tags=tags, raise_on_error=False
        )
        assert not done.success
        with _looking(instance) as context:
            outcome = notify_of_alerts(context)
        assert isinstance(outcome, dg.SkipReason)
        assert str(outcome.skip_message).startswith(f"{alerts} open")


def _lines(instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What people are told at a look."""
    caplog.clear()
    with _looking(instance) as context:
        notify_of_alerts(context)
    lines = [line for record in caplog.records for line in record.getMessage().splitlines()]
    return [line for line in lines if "*" in line]


@pytest.mark.usefixtures("settings")
def test_assets_that_a_person_has_picked_are_named_and_recover_by_whatever_materializes_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    everything = DEFS.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def materialize(job: dg.JobDefinition, hour: str, *, fails: bool) -> None:
            job.execute_in_process(
                instance=instance,
                partition_key=hour,
                asset_selection=[hourly.key],
                run_config={"ops": {"hourly__table": {"config": {"fails": fails}}}},
                raise_on_error=False,
            )

        materialize(everything, "09", fails=True)
        [line] = _lines(instance, caplog)
        assert line.startswith(":red_circle: *materialization of hourly/table [09] failed*: run ")
        assert "hour &lt;09&gt; is still \u2217open\u2217" in line
        assert "JOB" not in line
        materialize(DEFS.resolve_job_def("refill"), "10", fails=False)
        assert _lines(instance, caplog) == [], "that is another hour"
        materialize(DEFS.resolve_job_def("refill"), "09", fails=False)
        [line] = _lines(instance, caplog)
        assert line.startswith(":large_green_circle: over: *materialization of hourly/table [09] failed*")


@pytest.mark.usefixtures("settings")
def test_a_job_of_assets_recovers_when_a_person_materializes_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def run(job: dg.JobDefinition, *, fails: bool) -> None:
            config = {"ops": {"some__table": {"config": {"fails": fails}}}}
            job.execute_in_process(
                instance=instance, asset_selection=[KEY], run_config=config, raise_on_error=False
            )

        run(DEFS.resolve_job_def("fill"), fails=True)
        [line] = _lines(instance, caplog)
        assert line.startswith(":red_circle: *the job fill failed*: run ")
        assert line.endswith("/guess/fill/playground|mend> docs/runbook.md#fill")
        run(DEFS.resolve_implicit_global_asset_job_def(), fails=False)
        [line] = _lines(instance, caplog)
        assert line.startswith(":large_green_circle: over: *the job fill failed*")


@pytest.mark.usefixtures("settings")
def test_an_asset_that_is_stale_is_told_until_it_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert allowed_ages(DEFS.get_repository_def()) == {hourly.key: timedelta(minutes=5)}
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(hourly.key))
        assert _lines(instance, caplog) == []
        with monkeypatch.context() as later:
            later.setattr(stale_assets, "time", FiveMinutesLater)
            [line] = _lines(instance, caplog)
            assert line.startswith(":red_circle: *hourly/table is stale*: it last moved at 20")
            assert line.endswith("docs/runbook.md#alert_asset_stale")
        instance.report_runless_asset_event(dg.AssetMaterialization(hourly.key))
        assert _lines(instance, caplog)[0].startswith(":large_green_circle: over: *hourly/table is stale*")


class FiveMinutesLater:
    """A clock."""

    @staticmethod
    def time() -> float:
        return time.time() + 300


def test_every_policy_of_the_platform_is_watched() -> None:
    repository = defs().get_repository_def()
    graph = repository.asset_graph
    declared = {key for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy is not None}
    assert len(declared) >= 4
    assert allowed_ages(repository).keys() == declared
