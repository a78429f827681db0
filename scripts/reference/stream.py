"""The pages of topics, Redis keys and job metrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from contract import names
from contract.names import (
    DEAD_LETTER_HEADERS,
    DOCUMENT_FIELDS,
    INGEST_METRICS,
    REDIS_KEYS,
    REPLAY_HEADERS,
)
from contract.stream.load import shipped_stream
from ctr_platform.defs.flink_job.declared import job_dimensions
from ctr_platform.defs.kafka.topics import TOPIC_CONFIGS
from flink.documents import TIME_TO_LIVE_S, WINDOW_MINUTES, build
from scripts.reference.docstrings import attribute_docstrings
from scripts.reference.markdown import code, described, page, table

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOPIC_VARIABLES: Final = {value: name for name, value in vars(names).items() if name.endswith("_TOPIC")}


def topics_page(configs: Mapping[str, Mapping[str, str]] = TOPIC_CONFIGS) -> str:
    """Every topic with its configuration, headers and format."""
    meanings = attribute_docstrings(names)
    parts = []
    for topic, settings in configs.items():
        meaning = described(f"the topic {topic}", meanings.get(_TOPIC_VARIABLES.get(topic, "")))
        rows = [(code(name), code(value)) for name, value in sorted(settings.items())]
        parts.append(f"## {topic}\n\n{meaning}\n\n{table(('configuration', 'value'), rows)}")
    return page(
        "Topics",
        "`contract/names.py`, `ctr_platform/defs/kafka/topics.py` and `contract/streams/avazu/ad_event.avsc`",
        "`KAFKA_TOPIC_PREFIX` comes before every name. A topic is made with `KAFKA_PARTITIONS` partitions; "
        "the asset `kafka/topics`\nmakes what is missing and corrects a configuration that has drifted.\n",
        *parts,
        "## Headers of a dead-letter message\n\nBesides the record's own headers:\n",
        _names(DEAD_LETTER_HEADERS, "header"),
        "## Headers of a replayed record\n\nBesides the record's own headers:\n",
        _names(REPLAY_HEADERS, "header"),
        _event_section(),
    )


def _event_section() -> str:
    rows = [
        (
            code(each["name"]),
            code(each["type"]),
            code(json.dumps(each["default"])) if "default" in each else "required",
            each.get("doc", "Column of the Avazu click log."),
        )
        for each in json.loads(shipped_stream().event_schema)["fields"]
    ]
    return (
        "## The ad event\n\nAvro in Confluent wire format, subject `ad_events_raw-value`, from "
        "`contract/streams/avazu/ad_event.avsc`. A producer may use any schema that\nthe registry accepts as "
        f"compatible.\n\n{table(('field', 'type', 'default', 'meaning'), rows)}"
    )


def redis_page() -> str:
    """Every key and the document's fields."""
    document = build(
        "1min", 0, {("news", 1): [1, 0]}, job_dimensions(shipped_stream()), final=True, written_ms=0
    )
    rates = {
        each.rates_name: f"CTR by {each.title['en'].lower()}, of the 500 values with most impressions, "
        "written as text. Another stream has its own."
        for each in shipped_stream().declaration.dimensions
    }
    known = {**DOCUMENT_FIELDS, **rates}
    fields = [(code(name), described(f"field {name}", known.get(name))) for name in document]
    lives = [(code(kind), f"{WINDOW_MINUTES[kind]} min", f"{ttl} s") for kind, ttl in TIME_TO_LIVE_S.items()]
    return page(
        "Redis keys",
        "`contract/names.py` and `flink/documents.py`",
        "`REDIS_KEY_PREFIX` comes before every key.\n",
        _names(REDIS_KEYS, "key"),
        "## Time to live\n\nFrom the last write of the document:\n",
        table(("window_type", "length", "time to live"), lives),
        "## The window document\n\nThe same JSON is the value of a message of `ctr_windows`.\n",
        table(("field", "meaning"), fields),
    )


def metrics_page() -> str:
    """Metrics of the job that Flink exposes."""
    return page(
        "Job metrics",
        "`contract/names.py`",
        "The ingest stage registers these in Flink's metric group `ctr`, beside Flink's own metrics. Flink's "
        "REST API and any metric\nreporter of the cluster show them. The sensor `observe_job` samples the "
        "job; each sample is a row of\n[the warehouse](warehouse.md).\n",
        _names({f"ctr.{name}": meaning for name, meaning in INGEST_METRICS.items()}, "metric"),
    )


def _names(meanings: Mapping[str, str], what: str) -> str:
    rows = [(code(name), described(f"the {what} {name}", text)) for name, text in meanings.items()]
    return table((what, "meaning"), rows)
