"""Raw events: none, a share by hash of the id, or all; whatever else happens, each id once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fastavro
import httpx

from tests.oracle import MINUTE_MS

if TYPE_CHECKING:
    from tests.support.pipeline import Pipeline

COLUMNS = "id, click, hour, c1, banner_pos, site_id, site_category, device_type, device_ip, event_time"
TEN_PERCENT = (2**32 + 9) // 10


def _raw_events(job: Pipeline, ids: list[str]) -> dict[str, tuple[Any, ...]]:
    """Rows of these ids, with the time in ms after the start of the test's day."""
    rows = job.query(f"select {COLUMNS} from realtime.raw_events where id = any(%s)", ids)
    day = datetime.fromtimestamp(job.base_ms / 1000, tz=UTC)
    return {row[0]: (*row[1:-1], round((row[-1] - day).total_seconds() * 1000)) for row in rows}


def _nullable_schema(job: Pipeline) -> tuple[int, Any]:
    """Schema of a writer whose texts may be null, and that has a field of its own before all others."""
    integers = ("timestamp", "click", "hour", "C1", "banner_pos", "device_type")
    texts = ("site_id", "site_category", "device_ip", "id")
    fields: list[dict[str, Any]] = [{"name": "tags", "type": {"type": "map", "values": "string"}}]
    fields += [{"name": name, "type": "long" if name == "timestamp" else "int"} for name in integers]
    fields += [{"name": name, "type": ["string", "null"]} for name in texts]
    schema = {"type": "record", "name": "AdEvent", "namespace": "ctr", "fields": fields}
    url = f"{job.settings.schema_registry_url}/subjects/nullable-{job.settings.raw_topic}/versions"
    answer = httpx.post(url, json={"schema": json.dumps(schema)}).raise_for_status()
    return answer.json()["id"], fastavro.parse_schema(schema)


def test_all_valid_events_are_kept_as_they_are_and_the_first_of_an_id_stays(job: Pipeline) -> None:
    job.submit(raw_events_percent=100)
    name = f"all-{job.settings.raw_topic}"
    ids = [f"{name}-{number}" for number in range(6)]
    job.event(0, 10_123, id=ids[0], click=1, C1=1002, banner_pos=7, site_id="ab", device_ip="é")
    job.event(0, 20_000, id=ids[0], click=0)
    job.event(1, 200_000, id=ids[1], site_category="  ")
    job.event(1, 30_000, id=ids[2])  # late
    job.event(1, 210_000, id=ids[3], click=2)  # dead
    job.event(1, 210_000, id=f"{ids[4]}\0", site_id="nul\0")
    schema = _nullable_schema(job)
    job.event(2, 40_000, schema=schema, id=ids[5], tags={"a": "b"}, site_id=None, site_category=None)
    job.event(2, 41_000, schema=schema, id=None, tags={})
    job.close_windows(10 * MINUTE_MS)
    job.eventually(lambda: job.read() == job.expected().records, "the ledger")
    kept = {**dict.fromkeys(ids), f"{ids[4]}\ufffd": None}
    job.eventually(lambda: len(_raw_events(job, list(kept))) == 5, "the raw events")
    standard = (14102100, 1005, 0, "s", "news", 1, "ip")
    assert _raw_events(job, list(kept)) == {
        ids[0]: (1, 14102100, 1002, 7, "ab", "news", 1, "é", 10_123),
        ids[1]: (0, 14102100, 1005, 0, "s", "unknown", 1, "ip", 200_000),
        ids[2]: (0, *standard, 30_000),
        ids[5]: (0, 14102100, 1005, 0, "", "unknown", 1, "ip", 40_000),
        f"{ids[4]}\ufffd": (0, 14102100, 1005, 0, "nul\ufffd", "news", 1, "ip", 210_000),
    }
    assert job.restarts() == 0


def test_a_sample_is_of_the_same_ids_and_can_be_switched_off_and_on(job: Pipeline) -> None:
    """A snapshot fits a job with and without raw events, and none of it touches the counts."""
    job.submit(raw_events_percent=10)
    ids = [f"sample-{job.settings.raw_topic}-{number}" for number in range(3000)]
    chosen = {
        row[0]
        for row in job.query(
            "select id from unnest(%s) id where crc32c(convert_to(id, 'UTF8')) < %s", ids, TEN_PERCENT
        )
    }
    assert 200 < len(chosen) < 400

    def send(first: int) -> None:
        for number, name in enumerate(ids[first : first + 1000]):
            job.event(number % 4, first * 60 + number, id=name)
        job.flush()
        job.eventually(lambda: job.read() == job.expected().records, "the ledger")

    send(0)
    job.submit(restore_from=job.stop_with_savepoint(), raw_events_percent=0)
    send(1000)
    job.submit(restore_from=job.stop_with_savepoint(), raw_events_percent=10, parallelism=1)
    send(2000)
    job.close_windows(10 * MINUTE_MS)
    expected = job.expected()
    job.eventually(lambda: job.rows(1) == _closed(expected.windows(1)), "the windows")
    on = {*ids[:1000], *ids[2000:]}
    job.eventually(lambda: _raw_events(job, ids).keys() == chosen & on, "the sample")
    assert expected.late == set()


def _closed(
    windows: dict[tuple[int, str, int], tuple[int, int]],
) -> dict[tuple[int, str, int], tuple[int, int]]:
    """Without the window of those who close the others."""
    return {key: value for key, value in windows.items() if key[1] != "closer"}
