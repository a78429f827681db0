"""Replay of a click log: each hour of the log spread over a span of event time.

Where the log has hours only, evenly; else each row keeps its place within its hour.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from contract.errors import CtrError, UsageError
from ctr_platform.defs.kafka.topics import describe_topics, ensure_topics
from ctr_platform.defs.registry.subject import ensure_subject
from ctr_platform.loadgen.click_log import read_rows
from ctr_platform.loadgen.encoder import EventWriter
from ctr_platform.loadgen.lateness import refuse_if_late
from ctr_platform.loadgen.own_fields import HOUR_MS, OwnFields
from ctr_platform.loadgen.producer import Delivery, EventProducer
from ctr_platform.loadgen.schedule import MINUTE_MS, Schedule, next_minute_ms, now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from contract.settings import Settings
    from contract.stream.load import DeclaredStream
    from ctr_platform.loadgen.log_columns import Row
    from ctr_platform.loadgen.stop import Stop

LONGEST_SPAN_MS: Final = 60 * MINUTE_MS
SHORTEST_SPAN_MS: Final = 1000

_BATCH: Final = 1000
"""Rows handed to the client at once when they are sent as fast as it goes."""
_TICK_S: Final = 0.01
_GLANCE_S: Final = 0.1
"""Longest sleep of a live replay: how soon its progress moves."""


@dataclass(frozen=True, kw_only=True)
class ReplayRequest:
    """What to replay; `past`: over the event time that ends now, instead of from now on."""

    path: Path
    hour_as_ms: int = MINUTE_MS
    past: bool = False


@dataclass(kw_only=True)
class HourReport:
    """One hour of the log: where it went, and what of it was sent."""

    hour: int
    """YYMMDDHH of the log, UTC."""
    span_start_ms: int
    span_end_ms: int
    rows: int = 0
    clicks: int = 0
    first_event_ms: int | None = None
    last_event_ms: int | None = None

    def add(self, row: Row, event_ms: int) -> None:
        """Count a row that is sent."""
        self.rows += 1
        self.clicks += row.click
        self.first_event_ms = event_ms if self.first_event_ms is None else self.first_event_ms
        self.last_event_ms = event_ms


@dataclass(frozen=True, kw_only=True)
class ReplayReport:
    """What was sent, hour by hour."""

    hours: list[HourReport]
    bad_rows: int
    delivery: Delivery
    seconds: float
    foreign: int | None
    """Records that others appended during a replay into the past, which may have made events late."""

    @property
    def rows(self) -> int:
        """Rows sent."""
        return sum(each.rows for each in self.hours)

    @property
    def clicks(self) -> int:
        """Clicks among them."""
        return sum(each.clicks for each in self.hours)


@dataclass
class _Survey:
    """What a first reading of the file found."""

    rows: Counter[int] = field(default_factory=Counter)
    """Hour -> good rows."""
    bad: int = 0
    in_order: bool = True


@dataclass(frozen=True, kw_only=True)
class ReplayPlan:
    """Where the hours go."""

    spans: dict[int, Schedule]
    """Hour -> where it begins, and the event times of its rows if the log has hours only, in its order."""
    span_ms: int
    """Of an hour."""
    rows: int
    start_ms: int
    end_ms: int


def replay(  # noqa: PLR0913 - what it is told and what it tells
    settings: Settings,
    stream: DeclaredStream,
    request: ReplayRequest,
    *,
    stop: Stop,
    on_bad: Callable[[int, str], None],
    on_start: Callable[[ReplayPlan], None],
    on_progress: Callable[[Delivery], None],
) -> ReplayReport:
    """Send the file's rows as events until done or a stop is requested.

    `stream` is the one that the settings declare.
    Rows go to the partitions in turn, so each partition gets them in event-time order and none runs
    ahead. `on_bad` gets line number and reason of a row that cannot be sent.

    Raises:
        CtrError: the file cannot be used, events would be late, or Kafka or the registry do not answer.
    """
    if not SHORTEST_SPAN_MS <= request.hour_as_ms <= LONGEST_SPAN_MS:
        raise UsageError("--hour-as: choose 1s to 60m for an hour of the log.")
    survey = _survey(request.path, stream, on_bad)
    partitions = {each.name: each.partitions for each in ensure_topics(settings)}[settings.raw_topic]
    writer = EventWriter(stream, ensure_subject(settings).id)
    own = OwnFields(stream)
    plan = _plan(request, survey.rows, now_ms())
    if request.past:
        refuse_if_late(settings, stream, plan.start_ms)
    before = _appended(settings)
    on_start(plan)
    producer = EventProducer(settings, stop, lambda: on_progress(producer.delivery))
    hours = {
        hour: HourReport(
            hour=hour, span_start_ms=schedule.start_ms, span_end_ms=schedule.start_ms + request.hour_as_ms
        )
        for hour, schedule in plan.spans.items()
    }
    started = now_ms()
    sent = 0
    rows = _timed(request.path, stream, plan, in_order=survey.in_order)
    for batch in _batches(rows, stop, live=not request.past, on_wait=lambda: on_progress(producer.delivery)):
        values: list[list[bytes]] = [[] for _ in range(partitions)]
        for number, (row, event_ms) in enumerate(batch, start=sent):
            values[number % partitions].append(writer.encode(own.with_times(row.event, event_ms)))
        if not producer.send(values):
            break
        sent += len(batch)
        for row, event_ms in batch:
            hours[row.hour].add(row, event_ms)
        on_progress(producer.delivery)
    delivery = producer.finish()
    return ReplayReport(
        hours=list(hours.values()),
        bad_rows=survey.bad,
        delivery=delivery,
        seconds=(now_ms() - started) / 1000,
        foreign=_appended(settings) - before - delivery.delivered if request.past else None,
    )


def _survey(path: Path, stream: DeclaredStream, on_bad: Callable[[int, str], None]) -> _Survey:
    """Read the whole file once, to know how many rows each hour has.

    Raises:
        CtrError: it has no good row.
    """
    survey = _Survey()

    def count_bad(line: int, reason: str) -> None:
        survey.bad += 1
        on_bad(line, reason)

    latest = (0, 0)
    for row in read_rows(path, stream, count_bad):
        survey.rows[row.hour] += 1
        survey.in_order &= _place(row) >= latest
        latest = _place(row)
    if not survey.rows:
        raise UsageError(f"{path} has no row that can be sent.")
    return survey


def _place(row: Row) -> tuple[int, int]:
    """By what rows are in order."""
    return row.hour, row.within_us or 0


def _plan(request: ReplayRequest, rows: Counter[int], now: int) -> ReplayPlan:
    """One span after the other in the order of the hours; on minute boundaries if spans are whole minutes."""
    span = request.hour_as_ms
    whole_minutes = span % MINUTE_MS == 0
    if request.past:
        start = (now // MINUTE_MS * MINUTE_MS if whole_minutes else now) - span * len(rows)
    else:
        start = next_minute_ms(now) if whole_minutes else now
    return ReplayPlan(
        spans={
            hour: Schedule.over_span(start + place * span, span, rows[hour])
            for place, hour in enumerate(sorted(rows))
        },
        span_ms=span,
        rows=rows.total(),
        start_ms=start,
        end_ms=start + span * len(rows),
    )


def _timed(
    path: Path, stream: DeclaredStream, plan: ReplayPlan, *, in_order: bool
) -> Iterator[tuple[Row, int]]:
    """The good rows with their event times, hour by hour.

    A log that is not in order is sorted in memory.

    Raises:
        CtrError: the file is no longer what was surveyed.
    """
    rows: Iterable[Row] = read_rows(path, stream, lambda _line, _reason: None)
    sent: Counter[int] = Counter()
    for row in rows if in_order else sorted(rows, key=_place):
        schedule = plan.spans.get(row.hour)
        if schedule is None:
            raise CtrError(f"{path} changed while it was read: replay it once it is complete.")
        yield row, _event_ms(row, schedule, plan.span_ms, sent[row.hour])
        sent[row.hour] += 1


def _event_ms(row: Row, schedule: Schedule, span_ms: int, number: int) -> int:
    if row.within_us is None:
        return schedule.time(number)
    return schedule.start_ms + row.within_us * span_ms // (HOUR_MS * 1000)


def _batches(
    rows: Iterable[tuple[Row, int]], stop: Stop, *, live: bool, on_wait: Callable[[], None]
) -> Iterator[list[tuple[Row, int]]]:
    """Rows in batches, each when its last row is due, until a stop is requested."""
    batch: list[tuple[Row, int]] = []
    for row, event_ms in rows:
        early = live and event_ms > now_ms()
        if batch and (early or len(batch) == _BATCH):
            yield batch
            batch = []
        while early and not stop.requested and (ahead_ms := event_ms - now_ms()) > 0:
            on_wait()
            stop.wait(min(max(ahead_ms / 1000, _TICK_S), _GLANCE_S))
        if stop.requested:
            return
        batch.append((row, event_ms))
    yield batch


def _appended(settings: Settings) -> int:
    """Offsets given so far in the raw topic, all partitions together."""
    return sum(
        each.end
        for topic in describe_topics(settings)
        if topic.name == settings.raw_topic
        for each in topic.partitions
    )
