"""The rules, as static suites. Thresholds are parameters that the settings fill in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.settings import Settings

Severity = Literal["critical", "warning"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One expectation on the rows of its suite.

    It is named rather than made here: Great Expectations takes seconds to import, and Dagster reads the rules
    whenever it loads the definitions.
    """

    name: str
    """Unique over all suites: it is also the name of the asset check."""

    description: str
    expectation: str
    """Class in `great_expectations.expectations`."""

    arguments: Mapping[str, Any]
    severity: Severity = "critical"


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Rules on the same rows, of which `evidence` has one frame."""

    name: str
    identified_by: tuple[str, ...]
    """Columns that tell a person which row it is."""

    rules: tuple[Rule, ...] = field(repr=False)


def _between(name: str, column: str, bounds: tuple[Any, Any], description: str, **more: Any) -> Rule:
    low, high = bounds
    return Rule(
        name=name,
        description=description,
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"column": column, "min_value": low, "max_value": high},
        **more,
    )


def _zero(name: str, column: str, description: str, **more: Any) -> Rule:
    return Rule(
        name=name,
        description=description,
        expectation="ExpectColumnValuesToBeInSet",
        arguments={"column": column, "value_set": [0]},
        **more,
    )


def _present(name: str, column: str, description: str, **more: Any) -> Rule:
    return Rule(
        name=name,
        description=description,
        expectation="ExpectColumnValuesToNotBeNull",
        arguments={"column": column},
        **more,
    )


def _equal(name: str, columns: tuple[str, str], description: str, *, ignore_row_if: str) -> Rule:
    return Rule(
        name=name,
        description=description,
        expectation="ExpectColumnPairValuesToBeEqual",
        arguments={"column_A": columns[0], "column_B": columns[1], "ignore_row_if": ignore_row_if},
    )


def _documents(store: str, where: str, severity: Severity) -> Suite:
    return Suite(
        name=store,
        identified_by=("window_type", "window_start", "revision"),
        rules=(
            _present(
                f"{store}_not_missing",
                "revision",
                f"Every verified window has its final document in {where}.",
                severity=severity,
            ),
            *(
                _equal(
                    f"{store}_{figure}",
                    (figure, f"warehouse_{figure}"),
                    f"Final documents in {where} have the {figure} that Postgres has.",
                    # A document that is missing is broken once, by its own rule.
                    ignore_row_if="either_value_is_missing",
                )
                for figure in ("impressions", "clicks", "ctr")
            ),
            _zero(
                f"{store}_segments",
                "unlike_segments",
                f"Every segment of a final document in {where} is as in Postgres.",
            ),
        ),
    )


ACCURACY: Final = Suite(
    name="accuracy",
    identified_by=("window_type", "window_start"),
    rules=(
        _between(
            "accuracy_alarm",
            "accuracy",
            ({"$PARAMETER": "accuracy_alarm_percent"}, 100),
            "Every verified window's accuracy is at least ACCURACY_ALARM_PERCENT.",
        ),
        _between(
            "accuracy_exact",
            "accuracy",
            (100, 100),
            "Every verified window is exact, or a person has acknowledged it.",
        ),
    ),
)

WINDOWS: Final = Suite(
    name="windows",
    identified_by=("window_type", "window_start"),
    rules=(
        _present(
            "windows_not_missing",
            "impressions",
            "Every closed window that the recount has is in the warehouse.",
        ),
        _zero("segments_not_doubled", "doubled_segments", "A segment is in a window once."),
        _zero("clicks_possible", "impossible_segments", "In every segment, 0 <= clicks <= impressions."),
        _between("ctr_possible", "ctr", (0, 100), "0 <= CTR <= 100."),
        _equal(
            "ctr_rounded",
            ("ctr", "exact_ctr"),
            "CTR is 100 x clicks / impressions, rounded half-up.",
            ignore_row_if="both_values_are_missing",
        ),
        _equal(
            "impressions_of_segments",
            ("impressions", "segment_impressions"),
            "A window's impressions are the sum of its segments'.",
            ignore_row_if="both_values_are_missing",
        ),
        _equal(
            "clicks_of_segments",
            ("clicks", "segment_clicks"),
            "A window's clicks are the sum of its segments'.",
            ignore_row_if="both_values_are_missing",
        ),
        _zero(
            "five_minutes_of_minutes",
            "segments_unlike_minutes",
            "By segment, a 5 min window is the sum of its 1 min windows.",
        ),
    ),
)

CARDINALITY: Final = Suite(
    name="cardinality",
    identified_by=("window_type", "window_start", "most_values_in"),
    rules=(
        _zero(
            "segments_named",
            "unnamed_impressions",
            "No event is counted as `other` because a minute has more segments than MAX_SEGMENTS.",
            severity="warning",
        ),
    ),
)

RECORDS: Final = Suite(
    name="records",
    identified_by=("partition",),
    rules=(
        _zero("records_accounted", "unaccounted", "Records read = counted + late + dead, by the ledger."),
        _zero("records_once", "overlapping_offsets", "No offset is in two rows of the ledger."),
        _zero(
            "records_recounted", "recount_differs", "The recount says of every outcome what the ledger says."
        ),
        _zero(
            "dead_letters_sent",
            "dead_letters_missing",
            "Every dead or late record has its dead letter in the error topic.",
        ),
    ),
)

FRESHNESS: Final = Suite(
    name="freshness",
    identified_by=("partition",),
    rules=(
        _between(
            "job_fresh",
            "job_behind_s",
            (0, {"$PARAMETER": "quality_freshness"}),
            "The oldest record that is not in the ledger yet is at most QUALITY_FRESHNESS old.",
        ),
        _between(
            "recount_fresh",
            "recount_behind_s",
            (0, {"$PARAMETER": "quality_freshness"}),
            "The oldest record that is not recounted yet is at most QUALITY_FRESHNESS old.",
            severity="warning",
        ),
    ),
)

DRIFT: Final = Suite(
    name="drift",
    identified_by=("this_hour",),
    rules=(
        _between(
            "ctr_as_the_day_before",
            "drift_percent",
            (0, {"$PARAMETER": "ctr_drift_percent"}),
            "The last full hour's CTR is within CTR_DRIFT_PERCENT of the same hour's the day before.",
            severity="warning",
        ),
    ),
)

REDIS: Final = _documents("redis", "Redis", "warning")
"""A cache that was emptied lacks documents for a while; one that shows wrong figures is broken."""

FEED: Final = _documents("feed", "ctr_windows", "critical")

SUITES: Final = (ACCURACY, WINDOWS, CARDINALITY, RECORDS, FRESHNESS, DRIFT, REDIS, FEED)


def thresholds(settings: Settings) -> dict[str, float]:
    """Value of every `$PARAMETER` of the rules."""
    return {
        "accuracy_alarm_percent": settings.accuracy_alarm_percent,
        "quality_freshness": settings.quality_freshness,
        "ctr_drift_percent": settings.ctr_drift_percent,
    }
