"""The Dagster code location: whatever lies in `defs`, found by Dagster itself, and what it is handed."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from ctr_platform import defs as defs_folder
from ctr_platform.resources import RESOURCES

PROJECT = Path(__file__).parents[1]


@dg.definitions
def defs() -> dg.Definitions:
    """Find all definitions; each asset's page names the lines that define it."""
    # By the package and not by pyproject.toml, which an installed wheel does not have.
    found = dg.ComponentTree.from_module(defs_module=defs_folder, project_root=PROJECT).build_defs()
    return dg.Definitions(
        assets=dg.with_source_code_references(list(found.assets or [])),
        asset_checks=found.asset_checks,
        jobs=found.jobs,
        schedules=found.schedules,
        sensors=found.sensors,
        resources=RESOURCES,
    )
