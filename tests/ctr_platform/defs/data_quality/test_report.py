"""Every rule can fail, is told apart from the others, and is in the pages that a browser gets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pytest

from contract.settings import Settings
from ctr_platform.defs.data_quality.evidence import Unjudged
from ctr_platform.defs.data_quality.report import KEPT_REPORTS, RESULTS, judge
from ctr_platform.defs.data_quality.rules import SUITES
from ctr_platform.defs.data_quality.site import SITE

if TYPE_CHECKING:
    from pathlib import Path

    from ctr_platform.defs.data_quality.evidence import Evidence

_DOCUMENT: Final[dict[str, Any]] = {
    "window_type": "1min",
    "window_start": "2026-01-01 00:00Z",
    "revision": 0,
    "unlike_segments": 0,
    "impressions": 9,
    "warehouse_impressions": 9,
    "clicks": 3,
    "warehouse_clicks": 3,
    "ctr": 33.33,
    "warehouse_ctr": 33.33,
}

SOUND: Final[dict[str, dict[str, Any]]] = {
    "accuracy": {"window_type": "1min", "window_start": "2026-01-01 00:00Z", "accuracy": 100.0},
    "windows": {
        "window_type": "5min",
        "window_start": "2026-01-01 00:00Z",
        "impressions": 9,
        "segment_impressions": 9,
        "clicks": 3,
        "segment_clicks": 3,
        "ctr": 33.33,
        "exact_ctr": 33.33,
        "impossible_segments": 0,
        "doubled_segments": 0,
        "segments_unlike_minutes": 0,
    },
    "cardinality": {
        "window_type": "5min",
        "window_start": "2026-01-01 00:00Z",
        "most_values_in": "site_category",
        "unnamed_impressions": 0,
    },
    "records": {
        "partition": 0,
        "unaccounted": 0,
        "overlapping_offsets": 0,
        "recount_differs": 0,
        "dead_letters_missing": 0,
    },
    "freshness": {"partition": 0, "job_behind_s": 600.0, "recount_behind_s": 600.0},
    "drift": {"this_hour": "2026-01-01 00:00Z", "drift_percent": 50.0},
    "redis": _DOCUMENT,
    "feed": _DOCUMENT,
}
"""A row of each suite in which every figure is just right."""

_OF_DOCUMENTS: Final[dict[str, dict[str, Any]]] = {
    "not_missing": {"revision": None, "impressions": None, "clicks": None, "ctr": None},
    "impressions": {"impressions": 8},
    "clicks": {"clicks": 2},
    "ctr": {"ctr": 33.34},
    "segments": {"unlike_segments": 1},
}

BROKEN: Final[dict[str, tuple[str, dict[str, Any], set[str]]]] = {
    "accuracy_alarm": ("accuracy", {"accuracy": 98.99}, {"accuracy_exact"}),
    "accuracy_exact": ("accuracy", {"accuracy": 99.99}, set()),
    "windows_not_missing": (
        "windows",
        dict.fromkeys(
            ("impressions", "clicks", "ctr", "exact_ctr", "segment_impressions", "segment_clicks"), None
        ),
        set(),
    ),
    "segments_not_doubled": ("windows", {"doubled_segments": 1}, set()),
    "clicks_possible": ("windows", {"impossible_segments": 1}, set()),
    "ctr_possible": ("windows", {"ctr": 100.01, "exact_ctr": 100.01}, set()),
    "ctr_rounded": ("windows", {"ctr": 33.34}, set()),
    "impressions_of_segments": ("windows", {"segment_impressions": 8}, set()),
    "clicks_of_segments": ("windows", {"segment_clicks": 2}, set()),
    "five_minutes_of_minutes": ("windows", {"segments_unlike_minutes": 1}, set()),
    "segments_named": ("cardinality", {"unnamed_impressions": 1}, set()),
    "records_accounted": ("records", {"unaccounted": -1}, set()),
    "records_once": ("records", {"overlapping_offsets": 1}, set()),
    "records_recounted": ("records", {"recount_differs": 1}, set()),
    "dead_letters_sent": ("records", {"dead_letters_missing": 2}, set()),
    "job_fresh": ("freshness", {"job_behind_s": 600.1}, set()),
    "recount_fresh": ("freshness", {"recount_behind_s": 600.1}, set()),
    "ctr_as_the_day_before": ("drift", {"drift_percent": 50.01}, set()),
    **{
        f"{store}_{what}": (store, change, set())
        for store in ("redis", "feed")
        for what, change in _OF_DOCUMENTS.items()
    },
}
"""By rule: a suite, what is wrong in one of its rows, and the other rules that this breaks too."""


def _settings(folder: Path) -> Settings:
    return Settings(quality_dir=folder, quality_url="http://reports.example:8090/")


def _evidence(**changes: dict[str, Any]) -> Evidence:
    """A sound row of every suite, and of those in `changes` one more that is changed."""
    return {
        suite: pd.DataFrame([row, {**row, **changes[suite]}] if suite in changes else [row])
        for suite, row in SOUND.items()
    }


def test_rules_have_names_of_their_own_and_each_is_broken_here() -> None:
    names = [rule.name for suite in SUITES for rule in suite.rules]
    assert len(set(names)) == len(names)
    assert set(BROKEN) == set(names)


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_finds_the_row_that_breaks_it(rule: str, tmp_path: Path) -> None:
    suite, change, others = BROKEN[rule]
    verdicts = judge(_settings(tmp_path), _evidence(**{suite: change}), "20260101T000000Z")
    assert {each.rule.name for each in verdicts if not each.passed} == {rule} | others
    [verdict] = [each for each in verdicts if each.rule.name == rule]
    assert (verdict.rows, verdict.broken) == (2, 1)
    [named] = verdict.named
    identified_by = next(each.identified_by for each in SUITES if each.name == suite)
    assert {name: named[name] for name in identified_by if name not in change}.items() <= SOUND[suite].items()


def test_sound_rows_and_no_rows_pass_and_a_store_that_is_away_does_not(tmp_path: Path) -> None:
    empty = pd.DataFrame([SOUND["accuracy"]]).iloc[:0]
    evidence: Evidence = {**_evidence(), "accuracy": empty, "redis": Unjudged("Redis is unavailable")}
    verdicts = judge(_settings(tmp_path), evidence, "20260101T000000Z")
    assert {each.rule.name for each in verdicts if not each.passed} == {
        name for name in BROKEN if name.startswith("redis_")
    }
    assert {each.unjudged for each in verdicts if not each.passed} == {"Redis is unavailable"}
    assert {each.rows for each in verdicts if each.rule.name.startswith("accuracy_")} == {0}


def test_the_pages_need_nothing_from_elsewhere_and_are_those_of_the_newest_reports(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    for number in range(3):
        verdicts = judge(settings, _evidence(windows={"clicks": 4}), f"2026010{number + 1}T000000Z")
    site = tmp_path / SITE
    pages = list(site.rglob("*.html"))
    assert len(pages) == 1 + len(SUITES) + 3 * len(SUITES)
    for page in pages:
        content = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|link|img)[^>]*\s(?:src|href)="([^"]*)"', content)
        assert loaded
        for address in loaded:
            assert (page.parent / address).resolve().is_file(), (page, address)
    [broken] = [each for each in verdicts if each.rule.name == "clicks_of_segments"]
    assert broken.page is not None
    address = broken.page.removeprefix("http://reports.example:8090/")
    shown = (site / address).read_text(encoding="utf-8")
    assert "A window's clicks are the sum of its segments" in shown.replace("&#39;", "'")
    assert "2026-01-01 00:00Z" in shown


def test_old_reports_make_room(tmp_path: Path) -> None:
    kept = tmp_path / RESULTS / "accuracy"
    for number in range(KEPT_REPORTS + 5):
        (kept / f"20250101T0000{number:02}Z").mkdir(parents=True)
    judge(_settings(tmp_path), _evidence(), "20260101T000000Z")
    names = sorted(each.name for each in kept.iterdir())
    assert len(names) == KEPT_REPORTS
    assert names[0] == "20250101T000006Z"
    assert names[-1] == "20260101T000000Z"
