"""The quality report: every rule is a check of it, the pages are a click away."""

from typing import Any, Final

import dagster as dg

from contract.settings import load_settings
from ctr_platform.defs.catalog import (
    BY_DAGSTER,
    CACHE_1MIN,
    CACHE_5MIN,
    LEDGER,
    METRICS_1MIN,
    METRICS_5MIN,
    OWNERS,
    QUALITY,
    QUALITY_PAGES,
    QUALITY_POOL,
    QUALITY_REPORT,
    WINDOW_ACCURACY,
    WINDOWS_FEED,
    table_of,
    web_page,
)
from ctr_platform.defs.data_quality.report import Report, Verdict, make_report
from ctr_platform.defs.data_quality.rules import SUITES, Severity
from ctr_platform.resources import Platform

SEVERITIES: Final[dict[Severity, dg.AssetCheckSeverity]] = {
    "critical": dg.AssetCheckSeverity.ERROR,
    "warning": dg.AssetCheckSeverity.WARN,
}

CHECKS: Final = [
    dg.AssetCheckSpec(rule.name, asset=QUALITY_REPORT, description=rule.description)
    for suite in SUITES
    for rule in suite.rules
]


@dg.asset(
    key=QUALITY_REPORT,
    deps=[
        *(WINDOW_ACCURACY, LEDGER, METRICS_1MIN, METRICS_5MIN),
        *(CACHE_1MIN, CACHE_5MIN, WINDOWS_FEED),
    ],
    group_name=QUALITY,
    kinds={"greatexpectations", "python"},
    owners=OWNERS,
    tags=BY_DAGSTER,
    pool=QUALITY_POOL,
    check_specs=CHECKS,
    description=(
        "What every store holds of the last day, judged by rules: accuracy, conservation of records, sums, "
        "freshness, drift, and the agreement of Postgres, Redis and `ctr_windows`. The pages are Data Docs."
    ),
)
# Beside a check's result Dagster reads no parameter of the type.
def report(platform: Platform) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Judge, and publish the report."""
    made = make_report(platform.settings())
    return dg.MaterializeResult(
        metadata=_metadata(made), check_results=[_check(verdict) for verdict in made.verdicts]
    )


def _metadata(made: Report) -> dict[str, Any]:
    return {
        "report": dg.MetadataValue.url(made.url),
        "rules": len(made.verdicts),
        "rules_failed": made.broken("critical"),
        "rules_warned": made.broken("warning"),
    }


def _check(verdict: Verdict) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"rows": verdict.rows, "broken": verdict.broken}
    if verdict.page is not None:
        metadata["report"] = dg.MetadataValue.url(verdict.page)
    if verdict.named:
        metadata["broken_rows"] = table_of(verdict.named)
    if verdict.unjudged is not None:
        return dg.AssetCheckResult(
            check_name=verdict.rule.name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"Not judged: {verdict.unjudged}",
            metadata=metadata,
        )
    return dg.AssetCheckResult(
        check_name=verdict.rule.name,
        passed=verdict.passed,
        severity=SEVERITIES[verdict.rule.severity],
        metadata=metadata,
    )


def _report_pages(url: str) -> dg.AssetSpec:
    """What the report leaves for people."""
    return web_page(
        QUALITY_PAGES,
        [QUALITY_REPORT],
        group=QUALITY,
        kind="greatexpectations",
        url=url,
        description="The quality report as Data Docs: every rule, and the windows that break it.",
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Define the report, and its pages at their address."""
    return dg.Definitions(assets=[report, _report_pages(load_settings().quality_url)])
