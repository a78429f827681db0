"""What the asset's page shows of passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ctr_platform.defs.reconciliation.passes import Recount
    from warehouse.models.recount import ReconciliationPass


def metadata_of(done: Recount) -> dict[str, Any]:
    """Describe one pass, as a run has made it."""
    reading, verification = done.reading, done.verification
    return {
        "lowest_accuracy": float(verification.lowest_accuracy),
        "windows_verified": verification.windows,
        "windows_inexact": verification.inexact,
        "impressions_expected": verification.impressions,
        "new_results": verification.changed_results,
        "records_read": reading.records,
        "dead_letters_read": reading.letters.messages,
        "late_after_idleness": reading.letters.after_idleness,
        "late_not_believed": reading.letters.not_believed,
        "partitions_behind": len(reading.unread_since),
        **_rate(reading.records, reading.seconds),
        **_moments(done.closed_until, done.verifiable_from),
    }


def metadata_of_passes(passes: Sequence[ReconciliationPass]) -> dict[str, Any]:
    """Describe passes since the last report: what was read in sum, and what the newest has verified."""
    newest = passes[-1]
    records = sum(each.records_read for each in passes)
    return {
        "lowest_accuracy": float(min(each.lowest_accuracy for each in passes)),
        "windows_verified": newest.windows,
        "windows_inexact": newest.inexact,
        "impressions_expected": newest.impressions,
        "new_results": sum(each.changed_results for each in passes),
        "records_read": records,
        "dead_letters_read": sum(each.dead_letters_read for each in passes),
        "late_after_idleness": sum(each.late_after_idleness for each in passes),
        "late_not_believed": sum(each.late_not_believed for each in passes),
        "partitions_behind": newest.partitions_behind,
        "passes": len(passes),
        **_rate(records, sum(each.reading_s for each in passes)),
        **_moments(newest.closed_until, newest.verifiable_from),
    }


def _rate(records: int, seconds: float) -> dict[str, int]:
    return {"records_per_second": round(records / seconds)} if seconds else {}


def _moments(closed_until: datetime | None, verifiable_from: datetime | None) -> dict[str, Any]:
    moments = {"closed_until": closed_until, "verifiable_from": verifiable_from}
    return {name: dg.MetadataValue.timestamp(at) for name, at in moments.items() if at is not None}
