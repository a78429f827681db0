"""The code location as a whole: it loads, and a changed graph shows in review."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import dagster as dg

from ctr_platform.definitions import defs
from ctr_platform.defs.catalog import PRODUCED_BY
from warehouse.columns import COLUMNS

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def test_the_location_loads() -> None:
    dg.Definitions.validate_loadable(defs())


def test_the_graph_is_as_reviewed(snapshot: SnapshotAssertion) -> None:
    graph = defs().resolve_asset_graph()
    assets = {
        key.to_user_string(): {
            "deps": sorted(parent.to_user_string() for parent in graph.get(key).parent_keys),
            "group": graph.get(key).group_name,
            "kinds": sorted(graph.get(key).kinds),
            "produced_by": graph.get(key).tags.get(PRODUCED_BY),
            "materializable": graph.get(key).is_materializable,
            "checks": sorted(check.name for check in graph.get_check_keys_for_assets({key})),
        }
        for key in graph.get_all_asset_keys()
    }
    assert dict(sorted(assets.items())) == snapshot
    assert sorted(sensor.name for sensor in defs().sensors or []) == snapshot


def test_every_asset_explains_itself() -> None:
    graph = defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.tags.get(PRODUCED_BY), key
        assert node.group_name != "default", key


def test_the_lineage_leads_from_the_topic_to_the_dashboard() -> None:
    graph = defs().resolve_asset_graph()
    path = [
        ["kafka", "ad_events_raw"],
        ["flink", "ctr_windows"],
        ["postgres", "counts_1min"],
        ["postgres", "metrics_1min"],
        ["streamlit", "dashboard"],
    ]
    for parent, child in itertools.pairwise(path):
        assert dg.AssetKey(parent) in graph.get(dg.AssetKey(child)).parent_keys


def test_every_table_of_the_warehouse_shows_its_columns() -> None:
    graph = defs().resolve_asset_graph()
    shown = {}
    for key in graph.get_all_asset_keys():
        metadata = graph.get(key).metadata
        if "dagster/table_name" in metadata:
            schema = metadata["dagster/column_schema"]
            assert isinstance(schema, dg.TableSchema)
            shown[key.to_user_string()] = [
                (each.name, each.type, each.description) for each in schema.columns
            ]
    assert len(shown) == 8
    assert shown["postgres/counts_1min"][0] == ("window_start", "timestamptz", COLUMNS["window_start"])
    # A view, of which no model knows.
    assert ("ctr", "numeric(5, 2)", COLUMNS["ctr"]) in shown["postgres/metrics_5min"]
