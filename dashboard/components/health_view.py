"""The health page: services, the job, its checkpoints and lags, and who looks after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.job_metrics import job_metrics_figure
from dashboard.charts.plot import plot
from dashboard.components import stores
from dashboard.components.download import offer_csv
from dashboard.components.headings import heading
from dashboard.components.messages import render_outages, render_read_at
from dashboard.view_models.labels import markdown_text
from warehouse.models.operation import FOLLOWER, SUPERVISOR, WATCHDOG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.health import HealthData
    from warehouse.quality_reads import JobMetricsSample, OpenAlert

GOOD: Final = ":green[:material/check_circle:]"
BAD: Final = ":red[:material/error:]"

CHART_HEIGHT_PX: Final = 220
MEBIBYTE: Final = 1 << 20


def render_health(user: UserContext) -> None:
    """Draw the page."""
    settings = stores.settings()
    health = stores.health()
    with st.container():
        render_outages(
            user,
            health.outages,
            {"Postgres": user.t("What the watchers have seen cannot be shown without it.")},
        )
        render_read_at(user, health.at_s)
    with st.container(horizontal=True):
        for name, url, icon in (
            ("Dagster", settings.dagster_ui_url, ":material/account_tree:"),
            ("Flink", settings.flink_ui_url or settings.flink_rest_url, ":material/water:"),
            (user.t("Quality report"), settings.quality_url, ":material/fact_check:"),
        ):
            st.link_button(name, url, icon=icon)
    left, right = st.columns(2)
    with left.container(border=True, height="stretch"):
        _render_services(user, health)
    with right.container(border=True, height="stretch"):
        _render_watchers(user, health)
    if health.outages:
        return
    with st.container(border=True):
        _render_job(user, health)
    if health.health_checks:
        _render_job_metrics(user, health.health_checks)


def _render_services(user: UserContext, health: HealthData) -> None:
    heading(user.t("Services"))
    good, bad = user.t("answers"), user.t("does not answer")
    st.dataframe(
        [
            {
                "service": each.service,
                "state": [bad if each.problem else good],
                "took": None if each.problem else each.took_ms,
                "address": each.problem or each.address,
            }
            for each in health.services
        ],
        key="services",
        hide_index=True,
        column_config={
            "service": st.column_config.TextColumn(user.t("Service")),
            "state": st.column_config.MultiselectColumn(
                user.t("State"), options=[good, bad], color=["green", "red"]
            ),
            "took": st.column_config.NumberColumn(user.t("Answer, ms"), format="%.1f"),
            "address": st.column_config.TextColumn(user.t("Address, or what is wrong")),
        },
        alt=user.t("Services and whether they answer"),
    )


def _render_watchers(user: UserContext, health: HealthData) -> None:
    heading(user.t("Watchers and alerts"))
    alarm_s = stores.settings().heartbeat_alarm
    for name, title in (
        (SUPERVISOR, user.t("Supervisor of the job")),
        (FOLLOWER, user.t("Follower of the reconciliation")),
        (WATCHDOG, user.t("Watchdog of both")),
    ):
        record_heartbeat = health.heartbeats.get(name)
        if record_heartbeat is None:
            never = user.t("has never looked")
            st.markdown(f"{BAD} **{title}**: {never}")
        else:
            mark = BAD if record_heartbeat.age_s > alarm_s else GOOD
            looked = user.t("looked {ago}", ago=user.ago(record_heartbeat.age_s))
            st.markdown(f"{mark} **{title}**: {looked}  \n:gray[{markdown_text(record_heartbeat.detail)}]")
    if not health.alerts:
        none = user.t("No alert is open.")
        st.markdown(f"{GOOD} {none}")
    for alert in health.alerts:
        since = user.t("since {moment}", moment=user.moment(alert.opened_at))
        states = "".join(f", {state}" for state in _states(user, alert))
        st.markdown(
            f"{_mark(alert)} **{markdown_text(alert.title)}** {since}{states}  \n"
            f":gray[{markdown_text(alert.detail)}]"
        )
    if health.alerts:
        st.caption(user.t("Answer by `ctr alerts acknowledge` or `ctr alerts mute`, or by Dagster's jobs."))


def _mark(alert: OpenAlert) -> str:
    """Red is what somebody has yet to take in hand."""
    if alert.muted_until is not None:
        return ":gray[:material/notifications_off:]"
    if alert.acknowledged_at is not None:
        return ":orange[:material/assignment_ind:]"
    return ":red[:material/notifications_active:]"


def _states(user: UserContext, alert: OpenAlert) -> Iterator[str]:
    if alert.acknowledged_at is not None:
        yield user.t(
            "acknowledged by {name}: {why}",
            name=markdown_text(alert.acknowledged_by or ""),
            why=markdown_text(alert.acknowledged_why or ""),
        )
    if alert.muted_until is not None:
        yield user.t("muted until {moment}", moment=user.moment(alert.muted_until))


def _render_job(user: UserContext, health: HealthData) -> None:
    heading(user.t("Flink job"))
    newest = health.newest
    if newest is None:
        none = user.t("No job was seen in the last minute.")
        st.markdown(f"{BAD} {none}")
        return
    st.caption(
        user.t(
            "{job}, looked at {ago}",
            job=newest.job_id,
            ago=user.ago(health.at_s - newest.observed_at.timestamp()),
        )
    )
    size = newest.checkpoint_bytes
    with st.grid(6, min_column_width=150):
        for name, value in (
            (user.t("Checkpoint age"), user.duration(newest.checkpoint_age_s)),
            (
                user.t("Checkpoint size"),
                None if size is None else user.t("{number} MiB", number=user.decimal(size / MEBIBYTE)),
            ),
            (
                user.t("Checkpoints failed"),
                user.t(
                    "{failed} of {all}",
                    failed=user.count(newest.checkpoints_failed),
                    all=user.count(newest.checkpoints_failed + newest.checkpoints_completed),
                ),
            ),
            (
                user.t("Consumer lag"),
                None if newest.records_waiting is None else user.count(newest.records_waiting),
            ),
            (
                user.t("Watermark lag"),
                None if newest.watermark_lag_s is None else user.duration(newest.watermark_lag_s),
            ),
            (
                user.t("Backpressured"),
                None if newest.backpressured_percent is None else user.rate(newest.backpressured_percent),
            ),
        ):
            st.metric(name, value)


def _render_job_metrics(user: UserContext, health_checks: Sequence[JobMetricsSample]) -> None:
    moments = [each.observed_at for each in health_checks]
    charts: tuple[tuple[str, str, str, Mapping[str, Sequence[float | None]]], ...] = (
        (
            "consumer-lag",
            user.t("Consumer lag"),
            user.t("Records"),
            {user.t("Consumer lag"): [each.records_waiting for each in health_checks]},
        ),
        (
            "watermark-lag",
            user.t("Watermark lag and age of the newest checkpoint"),
            user.t("Seconds"),
            {
                user.t("Watermark lag"): [each.watermark_lag_s for each in health_checks],
                user.t("Checkpoint age"): [each.checkpoint_age_s for each in health_checks],
            },
        ),
        (
            "load",
            user.t("Load"),
            "%",
            {
                user.t("Busy"): [each.busy_percent for each in health_checks],
                user.t("Backpressured"): [each.backpressured_percent for each in health_checks],
                user.t("Heap"): [each.heap_percent for each in health_checks],
            },
        ),
        (
            "checkpoints",
            user.t("Checkpoint duration"),
            user.t("Milliseconds"),
            {user.t("Checkpoint duration"): [each.checkpoint_duration_ms for each in health_checks]},
        ),
    )
    with st.grid(2, min_column_width=360):
        for key, title, unit, lines in charts:
            with st.container(border=True):
                row = heading(title)
                with row:
                    offer_csv(user, _rows(moments, lines), key)
                plot(
                    job_metrics_figure(user, moments, lines, unit),
                    key=key,
                    height_px=CHART_HEIGHT_PX,
                    alt=_said(user, title, lines),
                )


def _said(user: UserContext, title: str, lines: Mapping[str, Sequence[float | None]]) -> str:
    newest = ", ".join(
        f"{name}: {'-' if values[-1] is None else user.decimal(values[-1])}" for name, values in lines.items()
    )
    return user.t("{title} in the last hour; now {newest}", title=title, newest=newest)


def _rows(moments: Sequence[Any], lines: Mapping[str, Sequence[float | None]]) -> list[dict[str, Any]]:
    return [
        {"observed_at": moment.isoformat(), **{name: values[row] for name, values in lines.items()}}
        for row, moment in enumerate(moments)
    ]
