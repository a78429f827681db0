"""What deterministic traffic announces."""

from __future__ import annotations

from ctr_platform.cli.run_traffic import _announcement
from ctr_platform.loadgen.plan import Plan


def test_the_announcement_names_the_segments_and_sums_them_up() -> None:
    plan = Plan(
        event_time=None,
        send_time=None,
        rate=100.0,
        windows=3,
        segments=["a/1", "b/2"],
        window_figures=(3000, 510),
    )
    said = _announcement(plan, 3000, 510)
    assert "each of 3 1 min windows has 6,000 impressions and 1,020 clicks (CTR 17.00 %)" in said
    assert said.endswith("3,000 and 510 in each of the segments a/1, b/2.")
