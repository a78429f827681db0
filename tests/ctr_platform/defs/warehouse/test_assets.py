"""The migrations as Dagster runs them, and the dashboard's login that they see to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from contract.errors import WarehouseUnavailable
from contract.stream.load import SHIPPED
from ctr_platform.defs.warehouse.assets import READER_CHECK, STREAM_CHECK, TABLES_CHECK, migrations
from ctr_platform.resources import Platform
from tests.support.isolation import own, use_settings
from warehouse.reads import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.stack import RunningStack, SharedStack

pytestmark = pytest.mark.stack


@pytest.fixture
def postgres(shared: SharedStack) -> Iterator[RunningStack]:
    """A database without the warehouse's tables."""
    with own(shared.need("postgres"), database="empty") as made:
        yield made


def _checks(
    postgres: RunningStack, monkeypatch: pytest.MonkeyPatch, **changed: str
) -> dict[str, tuple[bool, str]]:
    """Result and description of every check of one run, which must succeed."""
    use_settings(monkeypatch, postgres)
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    done = dg.materialize([migrations], resources={"platform": Platform()})
    assert done.success
    return {
        check.check_name: (check.passed, check.description or "")
        for check in done.get_asset_check_evaluations()
    }


def test_the_login_reads_what_the_migrations_made(
    postgres: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = Warehouse(postgres.settings.postgres_reader_url)
    with pytest.raises(WarehouseUnavailable, match="is not migrated yet"):  # it logs in already
        warehouse.latest_windows("1min", 1)
    assert _checks(postgres, monkeypatch) == {
        TABLES_CHECK.name: (True, "none is missing"),
        STREAM_CHECK.name: (True, "it is"),
        READER_CHECK.name: (True, "ctr_reader reads"),
    }
    assert warehouse.latest_windows("1min", 1) == []
    warehouse.close()


def test_a_login_that_cannot_be_made_fails_its_check_alone(
    postgres: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = _checks(postgres, monkeypatch, POSTGRES_READER_USER="postgres")
    assert checks[TABLES_CHECK.name][0]
    assert checks[READER_CHECK.name] == (
        False,
        "postgres may write: choose another name for POSTGRES_READER_USER",
    )


def test_without_a_login_of_its_own_nothing_is_made(
    postgres: RunningStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = _checks(postgres, monkeypatch, POSTGRES_READER_USER="")
    assert checks[READER_CHECK.name] == (True, "the dashboard uses POSTGRES_USER")


def test_names_of_values_are_those_of_the_declarations_files(
    postgres: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "stream"
    shutil.copytree(SHIPPED, folder)
    declaration = folder / "stream.toml"
    declared = declaration.read_text()
    declaration.write_text(declared.replace('rates = "device_ctr"', 'rates = "device_ctr"\nnames = "d.csv"'))
    warehouse = Warehouse(postgres.settings.postgres_reader_url)
    for devices in ({"1": "Mobile", "4": "PC"}, {"1": "Phone"}):
        lines = [f"{value},{name}" for value, name in devices.items()]
        (folder / "d.csv").write_text("\n".join(["value,name", *lines]))
        _checks(postgres, monkeypatch, CTR_STREAM=str(folder))
        assert warehouse.names() == {"device_type": devices}
    declaration.write_text(declared)
    _checks(postgres, monkeypatch, CTR_STREAM=str(folder))
    assert warehouse.names() == {"device_type": {"1": "Phone"}}, "they may be somebody else's now"
    warehouse.close()
