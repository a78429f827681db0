"""Addresses of Dagster's pages, for links of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class DagsterPages:
    """Pages of the web server at this address, `DAGSTER_UI_URL`."""

    ui_url: str

    def asset(self, key: dg.AssetKey) -> str:
        """The asset's page."""
        return f"{self._root}/assets/{'/'.join(quote(part, safe='') for part in key.path)}"

    def check(self, key: dg.AssetCheckKey) -> str:
        """Results of a check."""
        return f"{self.asset(key.asset_key)}?view=checks&checkDetail={quote(key.name, safe='')}"

    def run(self, run_id: str) -> str:
        """A run with its events."""
        return f"{self._root}/runs/{run_id}"

    def launchpad(self, job_name: str) -> str:
        """Where a person launches a job; Dagster finds out which code location has it."""
        return f"{self._root}/guess/{quote(job_name, safe='')}/playground"

    @property
    def _root(self) -> str:
        return self.ui_url.rstrip("/")
