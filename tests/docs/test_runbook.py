"""Every check, rule, alert and job has its entry in the runbook, with its three parts."""

from __future__ import annotations

import ast
import re
from textwrap import dedent

import pytest

from ctr_platform.definitions import defs
from ctr_platform.defs.alerts.mending import JOB_THAT_MENDS
from ctr_platform.defs.data_quality.rules import SUITES
from scripts.reference.dagster_graph import jobs
from tests.support.documents import ROOT, RUNBOOK, entries, lacking_parts, page

PARTS = ("Means", "Look at", "Do")
ENTRIES = entries(page(RUNBOOK))
ALERTS = {name: text for name, text in ENTRIES.items() if name.startswith("alert_")}


def checks() -> set[str]:
    return {key.name for key in defs().resolve_asset_graph().asset_check_keys}


def messages(code: str) -> set[str]:
    """Titles of the alerts that Python code makes, and what it posts itself: `…` for what varies."""
    titles = []
    for call in ast.walk(ast.parse(code)):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name == "Alert":
                titles += [each.value for each in call.keywords if each.arg == "title"]
            elif name == "Watched":
                titles += [each.value for each in call.keywords if each.arg in {"never", "stopped"}]
            elif name == "last_heartbeat":
                titles += call.args[2:]
            elif name == "_post":
                titles += call.args[:1]
    return {text for title in titles for text in map(_text, _alternatives(title)) if text}


def _alternatives(node: ast.expr) -> list[ast.expr]:
    """Both titles of a choice between two."""
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def _text(node: ast.expr) -> str:
    """Literal text; of Slack's markup what stands between asterisks."""
    if not isinstance(node, ast.JoinedStr | ast.Constant):
        return ""  # a name: what it stands for is found where it is written
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(each.value) if isinstance(each, ast.Constant) else "…" for each in parts)
    emphasized = re.search(r"\*(.+)\*", text)
    return emphasized[1] if emphasized else text


def told() -> set[str]:
    files = (ROOT / "ctr_platform").rglob("*.py")
    return {each for file in files for each in messages(file.read_text(encoding="utf-8"))}


def job_names() -> set[str]:
    return {job.name for job in jobs(defs().get_repository_def())}


def test_every_check_and_every_job_has_an_entry_and_no_other_has() -> None:
    assert checks().isdisjoint(job_names()), "one anchor would lead to two entries"
    assert ENTRIES.keys() - ALERTS.keys() == checks() | job_names()
    assert {rule.name for suite in SUITES for rule in suite.rules} <= ENTRIES.keys()


def test_every_alert_has_an_entry() -> None:
    assert len(told()) >= 9
    for message in told():
        assert any(f"**Message** `{message}`" in entry for entry in ALERTS.values()), message


def test_no_entry_is_about_a_message_that_nobody_sends() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "ctr_platform").rglob("*.py"))
    for name, entry in ALERTS.items():
        message = re.search(r"\*\*Message\*\* `(.+)`", entry)
        assert message, name
        for piece in message[1].split("…"):
            assert piece.strip(" ()") in code, name


def test_every_section_that_an_alert_names_is_there() -> None:
    """Those of checks and jobs are their names; the others stand in the code."""
    files = (ROOT / "ctr_platform").rglob("*.py")
    named = {
        each for file in files for each in re.findall(r'"(alert_[a-z]+_[a-z_]+)"', file.read_text("utf-8"))
    }
    assert len(named) >= 7
    assert named <= page(RUNBOOK).anchors
    assert checks() | job_names() <= page(RUNBOOK).anchors


def test_the_jobs_that_mend_are_there_and_so_is_what_they_mend() -> None:
    assert JOB_THAT_MENDS.keys() <= checks()
    assert {*JOB_THAT_MENDS.values()} <= job_names()


def test_every_job_says_what_its_failure_leaves() -> None:
    assert [name for name in job_names() if "What it leaves: " not in ENTRIES[name]] == []


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_has_its_parts(name: str) -> None:
    assert lacking_parts(ENTRIES[name], PARTS) == []


class TestAPlantedGapIsFound:
    def test_in_the_parts(self) -> None:
        assert lacking_parts("**Means** Something is wrong.\n\n**Do** \n", PARTS) == ["Look at", "Do"]

    def test_in_the_alerts(self) -> None:
        code = """
            Alert(key="a", title=f"the {name} is gone")
            Alert(key="b", title=each.never)
            Watched(never="none has looked", stopped="nobody looks", name="c")
            last_heartbeat(settings, "c", "no watchdog")
            self._post(f":red: *none answers*: {why}")
        """
        found = {"the … is gone", "none has looked", "nobody looks", "no watchdog", "none answers"}
        assert messages(dedent(code)) == found
