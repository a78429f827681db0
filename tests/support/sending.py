"""The load generator by one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctr_platform.loadgen.produce import produce
from ctr_platform.loadgen.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.settings import Settings
    from ctr_platform.loadgen.plan import Plan, TrafficRequest
    from ctr_platform.loadgen.produce import ProduceReport


def send(
    settings: Settings, request: TrafficRequest, on_start: Callable[[Plan], None] = lambda _plan: None
) -> ProduceReport:
    """Return when the topic holds all of it."""
    return produce(
        settings,
        settings.declared_stream(),
        request,
        stop=Stop(),
        on_start=on_start,
        on_progress=lambda _delivery: None,
    )
