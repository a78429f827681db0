"""Judge the evidence by the rules, keep the results of the newest reports, show them as Data Docs."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from contract.errors import CtrError
from ctr_platform.defs.data_quality.evidence import Unjudged, gather
from ctr_platform.defs.data_quality.rules import SUITES, thresholds
from ctr_platform.defs.data_quality.site import NEXT_SITE, SITE, page_of, site_config, write_assets

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import pandas as pd

    from contract.settings import Settings
    from ctr_platform.defs.data_quality.evidence import Evidence
    from ctr_platform.defs.data_quality.rules import Rule, Severity, Suite

RESULTS: Final = "results"
"""Folder of Great Expectations' results, by suite and run; the site is made from them."""

KEPT_REPORTS: Final = 24
"""Two hours of reports, one every five minutes. Data Docs get slow by hundreds of results; what a window's
accuracy was weeks ago is in `quality.window_accuracy_history`."""

NAMED_ROWS: Final = 20
"""As many broken rows are named of each rule; more say no more."""

RUN_NAME: Final = "%Y%m%dT%H%M%SZ"
"""Sorts by time."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a rule says of the rows of its suite."""

    rule: Rule
    passed: bool
    rows: int
    """That were judged. None at all is a pass: there is nothing wrong with no windows."""

    broken: int
    named: list[dict[str, Any]]
    """The first of the broken rows: what identifies them, and the values that break the rule."""

    unjudged: str | None = None
    """Why the rule was not judged: then it has not passed."""

    page: str | None = None
    """Address of its suite's page in the report."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """All verdicts of one moment."""

    name: str
    verdicts: list[Verdict]
    url: str
    """Where a browser finds it."""

    def broken(self, severity: Severity) -> int:
        """How many rules of a severity have not passed."""
        return sum(not each.passed and each.rule.severity == severity for each in self.verdicts)


def make_report(settings: Settings) -> Report:
    """Judge the stores as they are now, and add the results to the report in `QUALITY_DIR`.

    Raises:
        WarehouseUnavailable: nothing can be judged without Postgres.
        CtrError: a rule could not be evaluated, or the folder cannot be written.
    """
    evidence = gather(settings)
    name = datetime.now(tz=UTC).strftime(RUN_NAME)
    try:
        verdicts = judge(settings, evidence, name)
    except OSError as error:
        raise CtrError(
            f"cannot write the quality report: {error}; QUALITY_DIR must be a folder that can be written"
        ) from error
    return Report(name=name, verdicts=verdicts, url=f"{settings.quality_url.rstrip('/')}/index.html")


def _prune(results: Path) -> None:
    """Leave room for one more report, so that there are `KEPT_REPORTS` of each suite."""
    for suite in SUITES:
        folder = results / suite.name
        runs = sorted(folder.iterdir()) if folder.is_dir() else []
        for run in runs[: max(0, len(runs) - KEPT_REPORTS + 1)]:
            shutil.rmtree(run)


def judge(settings: Settings, evidence: Evidence, name: str) -> list[Verdict]:
    """Every rule's verdict on its suite's rows, also as pages of the report of this name.

    Raises:
        CtrError: a rule could not be evaluated.
        OSError: the folder cannot be written.
    """
    _prune(settings.quality_dir / RESULTS)
    gx, context = _great_expectations(settings)
    source = context.data_sources.add_pandas("evidence")
    verdicts: list[Verdict] = []
    for suite in SUITES:
        rows = evidence[suite.name]
        batch = source.add_dataframe_asset(suite.name).add_batch_definition_whole_dataframe("now")
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=suite.name, data=batch, suite=context.suites.add(_suite(gx, suite)))
        )
        if isinstance(rows, Unjudged):
            verdicts += [
                Verdict(rule=rule, passed=False, rows=0, broken=0, named=[], unjudged=rows.reason)
                for rule in suite.rules
            ]
            continue
        result = definition.run(
            batch_parameters={"dataframe": rows},
            expectation_parameters=thresholds(settings),
            run_id=gx.RunIdentifier(run_name=name),
            result_format={
                "result_format": "COMPLETE",
                "partial_unexpected_count": NAMED_ROWS,
                "unexpected_index_column_names": list(suite.identified_by),
                "return_unexpected_index_query": False,
            },
        )
        page = f"{settings.quality_url.rstrip('/')}/{page_of(result)}"
        verdicts += _verdicts(suite, rows, result, page)
    _publish(context, settings.quality_dir)
    return verdicts


def _publish(context: Any, folder: Path) -> None:
    """Make all pages anew, since those of pruned reports must go, beside the site that is being read."""
    shutil.rmtree(folder / NEXT_SITE, ignore_errors=True)
    context.build_data_docs()
    write_assets(folder / NEXT_SITE)
    shutil.rmtree(folder / SITE, ignore_errors=True)
    (folder / NEXT_SITE).rename(folder / SITE)


def _great_expectations(settings: Settings) -> tuple[ModuleType, Any]:
    """The package and a context of this run alone: nothing but results and pages is ever written."""
    # Read at import; without it every run tells its makers' server about itself.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # noqa: PLC0415 - takes seconds, which only a report should cost
    from great_expectations.data_context.types.base import (  # noqa: PLC0415
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
        data_docs_sites={"quality": site_config(settings.quality_dir, limit=KEPT_REPORTS * len(SUITES))},
    )
    config.stores["validation_results_store"] = {
        "class_name": "ValidationResultsStore",
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(settings.quality_dir / RESULTS),
        },
    }
    return gx, gx.get_context(mode="ephemeral", project_config=config)


def _suite(gx: ModuleType, suite: Suite) -> Any:
    expectations = [
        getattr(gx.expectations, rule.expectation)(
            **rule.arguments, severity=rule.severity, description=rule.description, meta={"rule": rule.name}
        )
        for rule in suite.rules
    ]
    return gx.ExpectationSuite(name=suite.name, expectations=expectations)


def _verdicts(suite: Suite, rows: pd.DataFrame, result: Any, page: str) -> list[Verdict]:
    found = {each.expectation_config.meta["rule"]: each for each in result.results}
    verdicts = []
    for rule in suite.rules:
        each = found[rule.name]
        if trouble := _exception(each.exception_info):
            raise CtrError(f"the rule {rule.name} could not be judged: {trouble}")
        verdicts.append(
            Verdict(
                rule=rule,
                passed=each.success,
                rows=len(rows),
                broken=each.result.get("unexpected_count", 0),
                named=each.result.get("partial_unexpected_index_list") or [],
                page=page,
            )
        )
    return verdicts


def _exception(info: dict[str, Any]) -> str | None:
    """Message of the first exception, which may be noted by metric; None: there was none."""
    infos = [info, *(each for each in info.values() if isinstance(each, dict))]
    return next((str(each["exception_message"]) for each in infos if each.get("raised_exception")), None)
