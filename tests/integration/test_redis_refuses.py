"""A Redis that refuses writes delays documents, is told, and stops nothing else."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
import redis

from ctr_platform.defs.flink_job.health import REDIS, JobMetrics, evaluate_health, sample_job
from ctr_platform.defs.flink_job.metrics_sensor import observe_job
from ctr_platform.defs.flink_job.rest import FlinkCluster
from ctr_platform.defs.flink_job.submission import submit
from ctr_platform.resources import Platform
from tests.oracle import MINUTE_MS
from tests.support.isolation import use_settings
from tests.support.pipeline import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.pipeline import Pipeline

HOUR_MS = 60 * MINUTE_MS


@pytest.fixture
def cache(job: Pipeline) -> Iterator[Any]:
    with redis.Redis(job.settings.redis_host, job.settings.redis_port, decode_responses=True) as client:
        yield client


@contextmanager
def full(cache: Any) -> Iterator[None]:
    """Redis has no memory left, and is not to forget anything."""
    cache.config_set("maxmemory", 1)
    try:
        yield
    finally:
        cache.config_set("maxmemory", 0)


def _logged(job: Pipeline) -> tuple[int, int]:
    """How often all tests so far have made a job log that Redis takes nothing, and that it does again."""
    text = "".join(log.read_text(encoding="utf-8") for log in job.stack.paths.logs.glob("taskmanager-*.log"))
    return text.count(" takes no documents (OutOfMemoryError: "), text.count(" takes documents again, ")


def _sampled(job: Pipeline) -> JobMetrics:
    with FlinkCluster(job.settings.flink_rest_url) as cluster:
        found = sample_job(cluster)
    assert found is not None
    return found


def _final(job: Pipeline, cache: Any) -> list[dict[str, Any]]:
    prefix, members = f"{job.settings.redis_key_prefix}metrics", (job.base_ms + HOUR_MS,) * 2
    found = [
        json.loads(cache.get(f"{prefix}:{window_type}:{member}"))
        for window_type in ("1min", "5min")
        for member in cache.zrangebyscore(f"{prefix}:{window_type}:index", *members)
    ]
    return [document for document in found if document["final"]]


def test_a_full_redis_is_told_and_gets_the_final_documents_when_it_has_room(
    job: Pipeline, cache: Any
) -> None:
    job.submit()
    begun, over = _logged(job)
    with full(cache):
        job.event(0, HOUR_MS, click=1)
        job.close_windows(HOUR_MS + 5 * MINUTE_MS)
        key = (job.base_ms + HOUR_MS, "news", 1)
        job.eventually(
            lambda: job.rows(1).get(key) == (1, 1) and job.rows(5).get(key) == (1, 1), "the rows in Postgres"
        )
        job.eventually(lambda: bool(_sampled(job).redis_refuses), "the job's metrics")
        [told] = [each for each in evaluate_health(job.settings, _sampled(job)) if each.name == REDIS]
        assert (told.good, told.error) == (False, False)
        assert _logged(job) == (begun + 1, over)
    job.eventually(lambda: len(_final(job, cache)) == 2, "the final documents")
    assert [document["total_clicks"] for document in _final(job, cache)] == [1, 1]
    job.eventually(lambda: _sampled(job).redis_refuses is False, "the job's metrics")
    told = next(each for each in evaluate_health(job.settings, _sampled(job)) if each.name == REDIS)
    assert told.good
    assert _logged(job) == (begun + 1, over + 1)
    assert job.restarts() == 0


def test_a_final_document_is_given_up_when_it_would_have_expired(
    job: Pipeline, cache: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job whose documents live for two seconds, with a Redis that refuses for longer."""
    shutil.copytree(PROJECT / "flink", tmp_path / "flink", ignore=shutil.ignore_patterns("__pycache__"))
    code = tmp_path / "flink" / "documents.py"
    lives = 'TIME_TO_LIVE_S: Final = {"1min": 300, "5min": 1500}'
    text = code.read_text(encoding="utf-8")
    assert lives in text
    code.write_text(text.replace(lives, 'TIME_TO_LIVE_S: Final = {"1min": 2, "5min": 2}'), encoding="utf-8")
    job.job_id = submit(job.config, tmp_path)
    job.wait_running()
    with full(cache):
        job.event(0, HOUR_MS)
        job.close_windows(HOUR_MS + 5 * MINUTE_MS)
        job.eventually(lambda: _sampled(job).documents_given_up == 2, "the job's metrics")
    assert (_sampled(job).documents_skipped or 0) > 0
    use_settings(monkeypatch, job.stack)
    with dg.build_sensor_context() as context:
        result = observe_job(context, platform=Platform())
    assert isinstance(result, dg.SensorResult)
    [told] = [each for each in result.asset_events if getattr(each, "check_name", "") == REDIS]
    assert isinstance(told, dg.AssetCheckEvaluation)
    assert (told.passed, told.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert _final(job, cache) == []
    assert job.restarts() == 0
