"""Synthetic events, as a stream's declaration describes them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from ctr_platform.loadgen.click_log import sample_events
from ctr_platform.loadgen.clicks import click_field
from ctr_platform.loadgen.drawing import field_draws, weighted
from ctr_platform.loadgen.own_fields import OwnFields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contract.stream.load import DeclaredStream
    from contract.stream.traffic import Segment
    from ctr_platform.loadgen.clicks import ClickField
    from ctr_platform.loadgen.encoder import Event

KNOWN_SEGMENTS: Final = 6
"""Of deterministic traffic, at the most."""

_CTR_PERCENT: Final = 5.0
"""Where nobody says one."""

_LOOKED_AT: Final = 10_000
"""So many events show which segments are the largest, where nobody says it."""


@dataclass(frozen=True)
class KnownSegment:
    """A segment of deterministic traffic."""

    values: tuple[Any, ...]
    """Of the dimensions, in their order."""
    not_clicked: Event
    clicked: Event


class Events(Protocol):
    """Where synthetic events come from; without id and time."""

    def draw(self, rng: np.random.Generator, count: int) -> list[Event]:
        """So many events."""
        ...

    def known(self) -> list[KnownSegment]:
        """The largest segments, the same at every call."""
        ...


def events_of(stream: DeclaredStream) -> Events:
    """Return what makes a stream's events.

    Raises:
        UsageError: its sample cannot be used.
    """
    return Described(stream) if stream.sample is None else Sampled(stream)


class Described:
    """Events as `[traffic]` describes them, and the schema where that is silent."""

    def __init__(self, stream: DeclaredStream) -> None:
        traffic = stream.declaration.traffic
        self._click = click_field(stream)
        self._dimensions = [each.field for each in stream.declaration.dimensions]
        self._segments = traffic.segments
        percent = _CTR_PERCENT if traffic.ctr_percent is None else traffic.ctr_percent
        self._ctr = [
            *(each.clicks / each.impressions for each in traffic.segments),
        ] or [percent / 100]
        self._together = traffic.together
        in_segments = set(traffic.segments[0].values) if traffic.segments else set()
        elsewhere = {
            self._click.name,
            *in_segments,
            *(name for each in traffic.together for name in each.fields),
        }
        self._draws = field_draws(stream, OwnFields(stream).names | elsewhere)

    def draw(self, rng: np.random.Generator, count: int) -> list[Event]:
        """So many events, distributed as described."""
        which = weighted(
            rng, range(len(self._ctr)), [each.impressions for each in self._segments] or [1], count
        )
        return [
            self._complete(
                columns, self._segments[number] if self._segments else None, chance < self._ctr[number]
            )
            for columns, number, chance in zip(
                self._columns(rng, count), which, rng.random(count).tolist(), strict=True
            )
        ]

    def known(self) -> list[KnownSegment]:
        """The largest of the declared segments, or else of drawn ones."""
        if not self._segments:
            return known_segments(
                self.draw(np.random.default_rng(0), _LOOKED_AT), self._dimensions, self._click
            )
        columns = self._columns(np.random.default_rng(0), 1)[0]
        largest = sorted(self._segments, key=lambda each: -each.impressions)
        return known_segments(
            [self._complete(columns, each, clicked=False) for each in largest], self._dimensions, self._click
        )

    def _columns(self, rng: np.random.Generator, count: int) -> list[Event]:
        """`count` times every field that does not depend on the segment."""
        drawn: dict[str, list[Any]] = {name: each.draw(rng, count) for name, each in self._draws.items()}
        for together in self._together:
            rows = weighted(rng, together.values, together.weights, count)
            drawn.update(zip(together.fields, map(list, zip(*rows, strict=True)), strict=True))
        if not drawn:
            return [{}] * count
        return [dict(zip(drawn, row, strict=True)) for row in zip(*drawn.values(), strict=True)]

    def _complete(self, columns: Event, segment: Segment | None, clicked: bool) -> Event:  # noqa: FBT001
        values = {} if segment is None else segment.values
        return {**columns, **values, self._click.name: self._click.yes if clicked else self._click.no}


class Sampled:
    """Rows of a declared sample, at random."""

    def __init__(self, stream: DeclaredStream) -> None:
        self._click = click_field(stream)
        self._dimensions = [each.field for each in stream.declaration.dimensions]
        self._events = sample_events(stream)

    def draw(self, rng: np.random.Generator, count: int) -> list[Event]:
        """So many rows, each as often as any other."""
        return [self._events[number] for number in rng.integers(len(self._events), size=count).tolist()]

    def known(self) -> list[KnownSegment]:
        """The segments with the most rows."""
        return known_segments(self._events, self._dimensions, self._click)


def known_segments(
    events: Sequence[Event], dimensions: Sequence[str], click: ClickField
) -> list[KnownSegment]:
    """Return the most frequent segments; of as frequent ones, the first."""
    keys = [tuple(event.get(name) for name in dimensions) for event in events]
    first = dict(zip(reversed(keys), reversed(events), strict=True))
    return [
        KnownSegment(
            values=key,
            not_clicked={**first[key], click.name: click.no},
            clicked={**first[key], click.name: click.yes},
        )
        for key, _ in Counter(keys).most_common(KNOWN_SEGMENTS)
    ]
