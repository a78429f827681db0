"""The health page: services, the job, its checkpoints and lags, and who looks after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.vitals import signs_figure
from dashboard.parts import stores
from dashboard.parts.download import offer_csv
from dashboard.parts.headings import heading
from dashboard.parts.messages import say_outages, say_read_at
from warehouse.models import SUPERVISOR, WATCHDOG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.content.pipeline import Pipeline
    from dashboard.reader.wording import Reader
    from warehouse.quality_reads import VitalSigns

GOOD: Final = ":green[:material/check_circle:]"
BAD: Final = ":red[:material/error:]"

CHART_HEIGHT_PX: Final = 220
MEBIBYTE: Final = 1 << 20


def draw_health(reader: Reader) -> None:
    """Draw the page."""
    settings = stores.settings()
    pipeline = stores.pipeline()
    with st.container():
        say_outages(
            reader,
            pipeline.outages,
            {"Postgres": reader.text("What the watchers have seen cannot be shown without it.")},
        )
        say_read_at(reader, pipeline.at_s)
    with st.container(horizontal=True):
        for name, url, icon in (
            ("Dagster", settings.dagster_ui_url, ":material/account_tree:"),
            ("Flink", settings.flink_ui_url or settings.flink_rest_url, ":material/water:"),
            (reader.text("Quality report"), settings.quality_url, ":material/fact_check:"),
        ):
            st.link_button(name, url, icon=icon)
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        _draw_services(reader, pipeline)
    with right.container(border=True, height="stretch"):
        _draw_watchers(reader, pipeline)
    if pipeline.outages:
        return
    with st.container(border=True):
        _draw_job(reader, pipeline)
    if pipeline.signs:
        _draw_signs(reader, pipeline.signs)


def _draw_services(reader: Reader, pipeline: Pipeline) -> None:
    heading(reader.text("Services"))
    good, bad = reader.text("answers"), reader.text("does not answer")
    st.dataframe(
        [
            {
                "service": each.service,
                "state": [bad if each.problem else good],
                "took": None if each.problem else each.took_ms,
                "address": each.problem or each.address,
            }
            for each in pipeline.services
        ],
        key="services",
        hide_index=True,
        column_config={
            "service": st.column_config.TextColumn(reader.text("Service")),
            "state": st.column_config.MultiselectColumn(
                reader.text("State"), options=[good, bad], color=["green", "red"]
            ),
            "took": st.column_config.NumberColumn(reader.text("Answer, ms"), format="%.1f"),
            "address": st.column_config.TextColumn(reader.text("Address, or what is wrong")),
        },
        alt=reader.text("Services and whether they answer"),
    )


def _draw_watchers(reader: Reader, pipeline: Pipeline) -> None:
    heading(reader.text("Watchers and alerts"))
    alarm_s = stores.settings().heartbeat_alarm
    for name, title in (
        (SUPERVISOR, reader.text("Supervisor of the job")),
        (WATCHDOG, reader.text("Watchdog of the supervisor")),
    ):
        beat = pipeline.beats.get(name)
        if beat is None:
            never = reader.text("has never looked")
            st.markdown(f"{BAD} **{title}**: {never}")
        else:
            mark = BAD if beat.age_s > alarm_s else GOOD
            looked = reader.text("looked {ago}", ago=reader.ago(beat.age_s))
            st.markdown(f"{mark} **{title}**: {looked}  \n:gray[{_plain(beat.detail)}]")
    if not pipeline.alerts:
        none = reader.text("No alert is open.")
        st.markdown(f"{GOOD} {none}")
    for alert in pipeline.alerts:
        since = reader.text("since {moment}", moment=reader.moment(alert.opened_at))
        st.markdown(
            f":red[:material/notifications_active:] **{_plain(alert.title)}** {since}  \n"
            f":gray[{_plain(alert.detail)}]"
        )


def _draw_job(reader: Reader, pipeline: Pipeline) -> None:
    heading(reader.text("Flink job"))
    newest = pipeline.newest
    if newest is None:
        none = reader.text("No job was seen in the last minute.")
        st.markdown(f"{BAD} {none}")
        return
    st.caption(
        reader.text(
            "{job}, looked at {ago}",
            job=newest.job_id,
            ago=reader.ago(pipeline.at_s - newest.observed_at.timestamp()),
        )
    )
    size = newest.checkpoint_bytes
    with st.grid(6, min_column_width=150):
        for name, value in (
            (reader.text("Checkpoint age"), reader.duration(newest.checkpoint_age_s)),
            (
                reader.text("Checkpoint size"),
                None if size is None else reader.text("{number} MiB", number=reader.decimal(size / MEBIBYTE)),
            ),
            (
                reader.text("Checkpoints failed"),
                reader.text(
                    "{failed} of {all}",
                    failed=reader.count(newest.checkpoints_failed),
                    all=reader.count(newest.checkpoints_failed + newest.checkpoints_completed),
                ),
            ),
            (
                reader.text("Consumer lag"),
                None if newest.records_waiting is None else reader.count(newest.records_waiting),
            ),
            (
                reader.text("Watermark lag"),
                None if newest.watermark_lag_s is None else reader.duration(newest.watermark_lag_s),
            ),
            (
                reader.text("Backpressured"),
                None if newest.backpressured_percent is None else reader.rate(newest.backpressured_percent),
            ),
        ):
            st.metric(name, value)


def _draw_signs(reader: Reader, signs: Sequence[VitalSigns]) -> None:
    moments = [each.observed_at for each in signs]
    charts: tuple[tuple[str, str, str, Mapping[str, Sequence[float | None]]], ...] = (
        (
            "consumer-lag",
            reader.text("Consumer lag"),
            reader.text("Records"),
            {reader.text("Consumer lag"): [each.records_waiting for each in signs]},
        ),
        (
            "watermark-lag",
            reader.text("Watermark lag and age of the newest checkpoint"),
            reader.text("Seconds"),
            {
                reader.text("Watermark lag"): [each.watermark_lag_s for each in signs],
                reader.text("Checkpoint age"): [each.checkpoint_age_s for each in signs],
            },
        ),
        (
            "load",
            reader.text("Load"),
            "%",
            {
                reader.text("Busy"): [each.busy_percent for each in signs],
                reader.text("Backpressured"): [each.backpressured_percent for each in signs],
                reader.text("Heap"): [each.heap_percent for each in signs],
            },
        ),
        (
            "checkpoints",
            reader.text("Checkpoint duration"),
            reader.text("Milliseconds"),
            {reader.text("Checkpoint duration"): [each.checkpoint_duration_ms for each in signs]},
        ),
    )
    with st.grid(2, min_column_width=360):
        for key, title, unit, lines in charts:
            with st.container(border=True):
                row = heading(title)
                with row:
                    offer_csv(reader, _rows(moments, lines), key)
                plot(
                    signs_figure(reader, moments, lines, unit),
                    key=key,
                    height_px=CHART_HEIGHT_PX,
                    alt=_said(reader, title, lines),
                )


def _said(reader: Reader, title: str, lines: Mapping[str, Sequence[float | None]]) -> str:
    newest = ", ".join(
        f"{name}: {'-' if values[-1] is None else reader.decimal(values[-1])}"
        for name, values in lines.items()
    )
    return reader.text("{title} in the last hour; now {newest}", title=title, newest=newest)


def _rows(moments: Sequence[Any], lines: Mapping[str, Sequence[float | None]]) -> list[dict[str, Any]]:
    return [
        {"observed_at": moment.isoformat(), **{name: values[row] for name, values in lines.items()}}
        for row, moment in enumerate(moments)
    ]


def _plain(text: str) -> str:
    """Text of others as it is, whatever of it is markup."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()#+-!:~$<>|" else letter for letter in text)
