"""Fifty stops and starts on one session cluster: its processes hold no more afterwards than before."""

from __future__ import annotations

import os
from typing import Final

import pytest

from ctr_platform.devstack.service_list import DATA_SERVICES
from tests.support.pipeline import pipeline
from tests.support.restarts import classes_left, leaks, restart, table
from tests.support.stack import running_stack
from tests.support.submitter import submitting

pytestmark = [pytest.mark.drill, pytest.mark.timeout(3600)]

CYCLES: Final = int(os.environ.get("DRILL_RESTARTS", "50"))
"""Each takes some ten seconds on a free machine."""


NO_SOFT_REFERENCES: Final = "-XX:SoftRefLRUPolicyMSPerMB=0"
"""The JDK refers softly to classes of ended jobs until memory is short; here, until the next collection."""


def test_fifty_restarts_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", NO_SOFT_REFERENCES)
    with (
        running_stack(DATA_SERVICES) as stack,
        submitting() as submitter,
        pipeline(stack, submitter) as job,
    ):
        history = []
        for held in restart(job, CYCLES):
            history.append(held)
            print(table([held]).splitlines()[1:], flush=True)
        print(table(history))
    assert leaks(history) + classes_left(history) == []
