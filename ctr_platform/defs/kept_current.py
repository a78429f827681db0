"""Assets that Dagster makes again by itself when what they are made of has changed."""

import hashlib
from typing import Final

import dagster as dg

WHEN_CODE_CHANGES: Final = (
    dg.AutomationCondition.code_version_changed() & ~dg.AutomationCondition.in_progress()
).with_label("the code that makes it has changed")


def kept_current(asset: dg.AssetsDefinition, made_of: str) -> dg.AssetsDefinition:
    """Give an asset the version of what it is made of, and the condition on which it is made again."""
    version = hashlib.sha256(made_of.encode()).hexdigest()[:12]
    return asset.map_asset_specs(
        lambda spec: spec.replace_attributes(code_version=version, automation_condition=WHEN_CODE_CHANGES)
    )
