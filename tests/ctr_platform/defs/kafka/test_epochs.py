"""Under which name what concerns a topic's offsets is on record, epoch after epoch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctr_platform.defs.kafka.epochs import Epoch, TopicEpochs, by_offset
from tests.support.tables import TABLES
from warehouse.models.accounting import TopicEpochRow
from warehouse.models.base import Base
from warehouse.models.recount import ReconciliationPass

TOPIC = "ad_events_raw"


def epochs(number: int) -> TopicEpochs:
    """So many topics have had the name."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    made = [Epoch(topic=TOPIC, number=n, topic_id=f"id-{n}", began_at=began) for n in range(1, number + 1)]
    return TopicEpochs({TOPIC: made})


def test_every_table_with_offsets_is_filed_when_a_new_epoch_begins() -> None:
    tables = {each for each in Base.metadata.tables.values() if "topic" in each.columns}
    tables |= {each for each in TABLES.all_tables if "topic" in each.columns}
    # Passes are history and keep no offset; the epochs name the topics.
    assert tables - {ReconciliationPass.__table__, TopicEpochRow.__table__} == set(by_offset(TABLES))


def test_what_bears_no_id_is_of_the_first_topic() -> None:
    assert epochs(1).name_on_record(TOPIC, None) == TOPIC
    assert epochs(2).name_on_record(TOPIC, None) == f"{TOPIC}@1"


@pytest.mark.parametrize(
    ("topic_id", "name"),
    [("id-1", f"{TOPIC}@1"), ("id-2", f"{TOPIC}@2"), ("id-3", TOPIC), ("?", f"{TOPIC}@0")],
)
def test_the_newest_topic_has_the_name(topic_id: str, name: str) -> None:
    assert epochs(3).name_on_record(TOPIC, topic_id) == name


def test_of_other_topics_nothing_is_known() -> None:
    assert epochs(2).name_on_record("theirs", "id-1") == "theirs"


@given(st.integers(1, 5), st.integers(0, 5))
def test_a_permanent_name_means_the_same_topic_in_every_later_epoch(number: int, later: int) -> None:
    then, now = epochs(number), epochs(number + later)
    for each in range(1, number + 1):
        permanent = then.permanent_name(then.name_on_record(TOPIC, f"id-{each}"))
        assert now.from_permanent(permanent) == now.name_on_record(TOPIC, f"id-{each}")
        assert now.permanent_name(now.from_permanent(permanent)) == permanent
