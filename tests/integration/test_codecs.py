"""What a producer compresses, by whatever codec, is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from confluent_kafka import Producer

from ctr_platform.defs.reconciliation.follower import Follower
from tests.oracle import MINUTE_MS

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

HOUR_MS: Final = 60 * MINUTE_MS
CODECS: Final = ("none", "gzip", "snappy", "lz4", "zstd")
EVENTS: Final = 200
"""Of each codec, in one batch: enough that each makes it smaller, or the client would send it as it is."""


def test_job_and_recount_read_every_codec(job: Pipeline) -> None:
    job.submit()
    for codec in CODECS:
        producer = Producer(
            {
                "bootstrap.servers": job.settings.kafka_bootstrap_servers,
                "compression.type": codec,
                "linger.ms": 1_000,
            }
        )
        for _ in range(EVENTS):
            producer.produce(job.settings.raw_topic, job.encode(HOUR_MS, site_category=codec), partition=0)
        assert producer.flush(60) == 0
    job.close_windows(HOUR_MS + 5 * MINUTE_MS)
    wanted = {(job.base_ms + HOUR_MS, codec, 1): (EVENTS, 0) for codec in CODECS}
    job.eventually(lambda: wanted.items() <= job.rows(5).items(), "every event")
    assert job.dead_letters() == {}
    assert job.restarts() == 0
    follower = Follower(job.settings)

    def verified() -> bool:
        follower.follow_once()
        return job.query(
            "select accuracy, expected_impressions from quality.window_accuracy"
            " where window_type = '5min' and window_start = to_timestamp(%s)",
            (job.base_ms + HOUR_MS) / 1000,
        ) == [(pytest.approx(100), len(CODECS) * EVENTS)]

    job.eventually(verified, "the recount")
