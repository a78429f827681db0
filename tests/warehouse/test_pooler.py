"""The warehouse behind PgBouncer in transaction mode: each transaction may be on another session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from contract.errors import WarehouseUnavailable
from ctr_platform.defs.reconciliation.state import lock
from tests.support.isolation import own
from tests.support.pgbouncer import behind_pgbouncer
from warehouse.engine import reading_engine, warehouse_errors, writing_engine
from warehouse.migrate import migrate, missing_columns
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from tests.support.stack import SharedStack

AS_OFTEN = 10
"""Transactions: so often that the next one surely is on a session that had another before."""


@pytest.fixture(scope="module")
def url(shared: SharedStack) -> Iterator[URL]:
    with (
        behind_pgbouncer(shared.need("postgres")) as pooled,
        own(pooled, database="empty") as made,
    ):
        yield made.settings.postgres_url


def test_migrations_and_reads_work(url: URL) -> None:
    migrate(url)
    assert missing_columns(url) == []
    warehouse = Warehouse(url)
    assert [warehouse.latest_windows("1min", 1) for _ in range(AS_OFTEN)] == [[]] * AS_OFTEN
    warehouse.close()


def test_what_a_reader_sets_is_gone_with_its_transaction(url: URL) -> None:
    asked = "SELECT current_setting('TimeZone'), current_setting('statement_timeout')"
    table = f"made_{AS_OFTEN}"
    reading, writing = reading_engine(url), writing_engine(url, "test")
    for _ in range(AS_OFTEN):
        with reading.connect() as reader:
            assert reader.execute(text(asked)).one() == ("UTC", "3s")
        with warehouse_errors(url), writing.begin() as writer:
            writer.execute(text(f"CREATE TEMPORARY TABLE {table} (a int) ON COMMIT DROP"))
            assert writer.execute(text(asked)).one() == ("UTC", "0")
    with (
        pytest.raises(WarehouseUnavailable, match="read-only"),
        warehouse_errors(url),
        reading.begin() as reader,
    ):
        reader.execute(text(f"CREATE TABLE {table} (a int)"))
    reading.dispose()


def test_one_recount_runs_and_the_next_one_when_it_has_ended(url: URL) -> None:
    engine = writing_engine(url, "test")
    for _ in range(AS_OFTEN):
        with engine.connect() as one, engine.connect() as other:
            assert lock(one)
            assert not lock(other)
