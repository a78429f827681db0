"""Traffic of another declared stream through a real broker: its own names, types, unit of time and topics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from contract.errors import CtrError
from ctr_platform.defs.reconciliation.decode import VALID, Decoder
from ctr_platform.defs.registry.client import registry_client
from ctr_platform.defs.registry.schemas import WriterSchemas
from ctr_platform.loadgen.outcomes import OutcomeShares
from ctr_platform.loadgen.plan import Plan, TrafficRequest
from ctr_platform.loadgen.replay import ReplayReport, ReplayRequest, replay
from ctr_platform.loadgen.schedule import now_ms
from ctr_platform.loadgen.stop import Stop
from tests.oracle import read_topic
from tests.support.sending import send
from tests.support.streams import declare

if TYPE_CHECKING:
    from pathlib import Path

    from contract.settings import Settings
    from ctr_platform.defs.reconciliation.decode import Decoded
    from ctr_platform.loadgen.produce import ProduceReport
    from tests.support.stack import RunningStack

pytestmark = pytest.mark.stack

MINUTE_MS = 60_000
REPLAY = """
[topics]
raw = "impressions"
error = "impressions_dead"
windows = "impressions_windows"

[replay]
time = { column = "at", format = "iso" }
columns = { position = "place", event_id = "key"%s }
clicked = "yes"
"""
LOG = """\
at,place,campaign,was_clicked,clicked,kind,seconds,local,cost,rate
2026-01-31 09:30:00+00:00,1,a,yes,true,VIEW,1,1,5,0.5
2026-01-31 09:45:00.000400+00:00,2,,no,true,VIEW,1,1,5,0.5
2026-01-31 11:00:00+01:00,3,b,yes,true,CLICK,1,1,5,0.5
2026-01-31T09:15:00Z,4,b,,true,CLICK,1,1,5,0.5
"""


@pytest.fixture(
    params=[("clicked", '{ field = "clicked" }'), ("kind", '{ field = "kind", equals = "CLICK" }')],
    ids=["boolean", "enum"],
)
def settings(brokers: RunningStack, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    field, click = request.param
    more = REPLAY % f', {field} = "was_clicked"'
    folder = declare(tmp_path, ('{ field = "clicked" }', click), more=more)
    return brokers.with_settings(ctr_stream=folder).settings


def sent(settings: Settings, **asked: Any) -> tuple[ProduceReport, Plan]:
    plans: list[Plan] = []
    report = send(settings, TrafficRequest(**asked), plans.append)
    assert report.delivery.complete
    return report, plans[0]


def arrived(settings: Settings) -> Decoded:
    """What the raw topic holds."""
    with registry_client(settings) as client:
        types = WriterSchemas(settings, client, kept=False).event_type
        return Decoder(settings.declared_stream(), types).decode(
            [record.value for record in read_topic(settings, settings.raw_topic)]
        )


def test_outcomes_are_as_intended(settings: Settings) -> None:
    shares = OutcomeShares(late=0.03, malformed=0.02, invalid=0.015, unknown_schema=0.01)
    report, _ = sent(settings, rate=20_000.0, count=10_000, shares=shares)
    found = arrived(settings)
    limit = now_ms() + MINUTE_MS
    invalid = (found.dead == VALID) & ((found.timestamp_ms < 10**12) | (found.timestamp_ms > limit))
    assert settings.raw_topic.endswith(".impressions")
    assert report.intended["invalid"] == invalid.sum() == 150
    dead = Counter(found.dead[found.dead != VALID].tolist())
    assert dead == {"malformed": 200, "unknown_schema": 100}


def test_every_deterministic_window_has_the_announced_figures(settings: Settings) -> None:
    _, plan = sent(settings, deterministic=True, span_ms=2 * MINUTE_MS)
    assert plan.event_time is not None
    assert plan.segments == [f"a/{number}" for number in range(5)]
    assert plan.window_figures == (1200, 204)
    found = arrived(settings)
    windows: Counter[tuple[int, int, int]] = Counter(
        zip(
            ((found.timestamp_ms - plan.event_time.start_ms) // MINUTE_MS).tolist(),
            found.dimensions["position"].tolist(),
            found.click.tolist(),
            strict=True,
        )
    )
    assert windows == {
        (minute, position, click): 204 if click else 996
        for minute in range(2)
        for position in range(5)
        for click in (0, 1)
    }


def replayed(settings: Settings, path: Path) -> ReplayReport:
    bad: dict[int, str] = {}
    report = replay(
        settings,
        settings.declared_stream(),
        ReplayRequest(path=path, past=True),
        stop=Stop(),
        on_bad=bad.__setitem__,
        on_start=lambda _plan: None,
        on_progress=lambda _delivery: None,
    )
    assert bad == {}
    return report


def test_rows_with_exact_times_keep_their_place_in_the_hour(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(LOG)
    report = replayed(settings, path)
    assert [(each.hour, each.rows, each.clicks) for each in report.hours] == [
        (26013109, 3, 1),
        (26013110, 1, 1),
    ]
    first, second = report.hours
    found = arrived(settings)
    clicked = {
        int(position): (int(time) - first.span_start_ms, int(click))
        for position, time, click in zip(
            found.dimensions["position"], found.timestamp_ms, found.click, strict=True
        )
    }
    assert second.span_start_ms == first.span_start_ms + MINUTE_MS
    assert clicked == {4: (15_000, 0), 1: (30_000, 1), 2: (45_000, 0), 3: (60_000, 1)}
    with pytest.raises(CtrError, match="would be late"):
        replayed(settings, path)
