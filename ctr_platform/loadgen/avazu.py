"""What synthetic events look like: the shares that Avazu's click log shows.

The figures were counted in a sample of 23,299 impressions of the public Avazu click log
(2014-10-21 and 22; 3,982 clicks, CTR 17.09 %). Only these aggregates are kept, no rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ctr_platform.loadgen.encoder import Event

T = TypeVar("T")


class SegmentShare(NamedTuple):
    """Impressions and clicks of one segment in the sample."""

    site_category: str
    device_type: int
    impressions: int
    clicks: int


SEGMENT_SHARES: Final = (
    SegmentShare("50e219e0", 1, 8026, 1049),
    SegmentShare("f028772b", 1, 6761, 1241),
    SegmentShare("28905ebd", 1, 4682, 937),
    SegmentShare("3e814130", 1, 1565, 414),
    SegmentShare("50e219e0", 0, 1057, 244),
    SegmentShare("50e219e0", 4, 497, 44),
    SegmentShare("f66779e6", 1, 268, 6),
    SegmentShare("335d28a8", 1, 93, 12),
    SegmentShare("76b2941d", 1, 69, 2),
    SegmentShare("50e219e0", 5, 67, 5),
    SegmentShare("75fa27f6", 1, 64, 11),
    SegmentShare("72722551", 1, 46, 2),
    SegmentShare("0569f928", 1, 31, 0),
    SegmentShare("70fb0e29", 1, 25, 2),
    SegmentShare("dedf689d", 1, 23, 9),
    SegmentShare("c0dd3be3", 1, 17, 4),
    SegmentShare("a818d37a", 1, 6, 0),
    SegmentShare("5378d028", 1, 1, 0),
    SegmentShare("42a36e14", 1, 1, 0),
)

# Value -> impressions of 1,000; what is rarer than that is left out.
_COLUMN_SHARES: Final[Mapping[str, Mapping[int, int]]] = {
    "banner_pos": {0: 750, 1: 249, 7: 1},
    "device_conn_type": {0: 893, 2: 86, 3: 20, 5: 1},
    "C18": {0: 426, 3: 405, 2: 144, 1: 25},
    "C19": {35: 495, 39: 172, 167: 71, 687: 30, 169: 25, 47: 24, 679: 23, 547: 22, 1063: 20, 431: 118},
    "C20": {-1: 515, 100084: 122, 100111: 87, 100075: 73, 100077: 71, 100081: 59, 100148: 73},
    "C21": {23: 196, 221: 155, 157: 133, 79: 129, 43: 90, 61: 75, 48: 71, 68: 65, 32: 62, 117: 24},
}
_BANNER_SIZES: Final = {(320, 50): 945, (300, 250): 37, (216, 36): 14, (728, 90): 4}
"""(C15, C16) -> impressions of 1,000: width and height go together."""

# Column -> distinct values in the sample; their popularity falls off as one over the rank.
_HASHED_COLUMNS: Final = {
    "site_id": 732,
    "site_domain": 615,
    "app_id": 672,
    "app_domain": 51,
    "app_category": 17,
    "device_id": 4247,
    "device_ip": 19_929,
    "device_model": 1947,
}
_NUMBERED_COLUMNS: Final = {"C14": (15_700, 21_895), "C17": (1722, 2527)}
"""Column -> where most of its values lie, `[low, high)`."""

_C1_OF_DEVICE_TYPE: Final = {0: 1002, 1: 1005, 4: 1010, 5: 1010}


def draw_templates(rng: np.random.Generator, count: int) -> list[Event]:
    """`count` events without id, hour and timestamp, distributed as in the sample."""
    segments = _weighted(rng, SEGMENT_SHARES, [share.impressions for share in SEGMENT_SHARES], count)
    return [
        _complete(
            columns, share.site_category, share.device_type, int(chance * share.impressions < share.clicks)
        )
        for columns, share, chance in zip(_draw_columns(rng, count), segments, rng.random(count), strict=True)
    ]


def plain_template(site_category: str, device_type: int, click: int) -> Event:
    """One event of a given segment, without id, hour and timestamp; the same at every call."""
    return _complete(_draw_columns(np.random.default_rng(0), 1)[0], site_category, device_type, click)


def _complete(columns: Event, site_category: str, device_type: int, click: int) -> Event:
    return {
        **columns,
        "site_category": site_category,
        "device_type": device_type,
        "C1": _C1_OF_DEVICE_TYPE[device_type],
        "click": click,
    }


def _draw_columns(rng: np.random.Generator, count: int) -> list[Event]:
    """`count` times every column that does not depend on the segment."""
    drawn: dict[str, list[str] | list[int]] = {}
    for name, distinct in _HASHED_COLUMNS.items():
        values = [f"{number:08x}" for number in rng.integers(1 << 32, size=distinct)]
        drawn[name] = _weighted(rng, values, 1 / np.arange(1, distinct + 1), count)
    for name, (low, high) in _NUMBERED_COLUMNS.items():
        drawn[name] = rng.integers(low, high, count).tolist()
    for name, shares in _COLUMN_SHARES.items():
        drawn[name] = _weighted(rng, list(shares), list(shares.values()), count)
    sizes = _weighted(rng, list(_BANNER_SIZES), list(_BANNER_SIZES.values()), count)
    drawn["C15"] = [width for width, _ in sizes]
    drawn["C16"] = [height for _, height in sizes]
    return [dict(zip(drawn, row, strict=True)) for row in zip(*drawn.values(), strict=True)]


def _weighted(
    rng: np.random.Generator, values: Sequence[T], weights: Sequence[int] | NDArray[np.float64], count: int
) -> list[T]:
    """`count` of `values`, each in proportion to its weight."""
    shares = np.asarray(weights, np.float64)
    return [values[index] for index in rng.choice(len(values), count, p=shares / shares.sum())]
