"""By which job a person mends what a check has found, where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BACKFILL: Final = "backfill_hours"
_BRING_UP: Final = "bring_up"
_PUBLISH: Final = "merge_late_events"

JOB_THAT_MENDS: Final[Mapping[str, str]] = {
    "supervised": _BRING_UP,
    "single_instance": _BRING_UP,
    "partitions_as_wanted": _BRING_UP,
    "tables_as_modelled": _BRING_UP,
    "reader_may_read": _BRING_UP,
    "keeps_up": "rescale",
    "not_backpressured": "rescale",
    "few_refused": "replay_dead_letters",
    "nothing_deleted_unread": "acknowledge_offset_gaps",
    "dead_letters_sent": "acknowledge_missing_letters",
    **dict.fromkeys(
        ("windows_exact", "accuracy_exact", "accuracy_alarm", "windows_not_missing", "clicks_possible"),
        _BACKFILL,
    ),
    "five_minutes_of_minutes": _BACKFILL,
    **{
        f"{store}_{figure}": _PUBLISH
        for store in ("redis", "feed")
        for figure in ("impressions", "clicks", "ctr", "segments")
    },
}
"""Check -> job, after the runbook has been read: what the job does is not always what is needed."""
