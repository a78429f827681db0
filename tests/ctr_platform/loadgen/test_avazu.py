"""Synthetic events look like the log they imitate."""

from __future__ import annotations

from collections import Counter

import fastavro
import numpy as np

from ctr_platform.loadgen.avazu import SEGMENT_SHARES, draw_templates, plain_template
from ctr_platform.loadgen.encoder import EventWriter

COUNT = 40_000


def test_segments_and_clicks_have_the_shares_of_the_log() -> None:
    templates = draw_templates(np.random.default_rng(1), COUNT)
    found = Counter((each["site_category"], each["device_type"]) for each in templates)
    clicks = Counter((each["site_category"], each["device_type"]) for each in templates if each["click"])
    total = sum(share.impressions for share in SEGMENT_SHARES)
    assert abs(clicks.total() / COUNT - sum(share.clicks for share in SEGMENT_SHARES) / total) < 0.01
    for share in SEGMENT_SHARES[:6]:
        segment = (share.site_category, share.device_type)
        assert abs(found[segment] / COUNT - share.impressions / total) < 0.01
        assert abs(clicks[segment] / found[segment] - share.clicks / share.impressions) < 0.05


def test_the_log_s_totals() -> None:
    assert sum(share.impressions for share in SEGMENT_SHARES) == 23_299
    assert sum(share.clicks for share in SEGMENT_SHARES) == 3_982


def test_a_template_lacks_only_what_an_event_adds() -> None:
    added: dict[str, str | int] = {"id": "x", "hour": 14102100, "timestamp": 1}
    for template in (draw_templates(np.random.default_rng(1), 1)[0], plain_template("f028772b", 1, 1)):
        assert EventWriter(1).encode({**template, **added})
        assert not added.keys() & template.keys()
        schema = EventWriter(1)._schema
        assert fastavro.validate({**template, **added}, schema, strict=True)
