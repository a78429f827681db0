"""The quality page: accuracy of every verified window, and what became of the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.quality import accuracy_figure, refused_figure
from dashboard.components import stores
from dashboard.components.address import preferences
from dashboard.components.download import offer_csv
from dashboard.components.headings import heading
from dashboard.components.messages import render_outages, render_read_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.quality import QualityData
    from warehouse.quality_reads import Verification

CHART_HEIGHT_PX: Final = 300


def render_quality(user: UserContext, span: timedelta) -> None:
    """Draw the page."""
    quality = stores.quality(span)
    with st.container():
        render_outages(
            user, quality.outages, {"Postgres": user.t("What was verified cannot be shown without it.")}
        )
        render_read_at(user, quality.at_s)
    st.link_button(user.t("Quality report"), stores.settings().quality_url, icon=":material/fact_check:")
    if quality.outages:
        return
    _render_outcomes(user, quality)
    for window_type, verifications in quality.verifications.items():
        with st.container(border=True):
            _render_accuracy(user, window_type, verifications)


def _render_outcomes(user: UserContext, quality: QualityData) -> None:
    read = quality.total("records_read")
    unaccounted = read - sum(quality.total(outcome) for outcome in ("counted", "late", "dead"))
    with st.grid(5, min_column_width=150):
        for name, count in (
            (user.t("Records read"), read),
            (user.t("Counted"), quality.total("counted")),
            (user.t("Late"), quality.total("late")),
            (user.t("Dead"), quality.total("dead")),
        ):
            st.metric(name, user.count(count), border=True, height="stretch")
        colour = "red" if unaccounted else "green"
        st.metric(
            user.t("Unaccounted for"),
            f":{colour}[{user.count(unaccounted)}]",
            border=True,
            height="stretch",
            help=user.t("Records read less counted, late and dead ones: always 0."),
        )
    with st.container(border=True):
        row = heading(user.t("Late and dead records by reason"))
        if not read:
            st.caption(user.t("No records were read in this span."))
            return
        with row:
            offer_csv(user, _outcome_rows(quality), "outcomes")
        if not quality.total("late") + quality.total("dead"):
            st.caption(user.t("None of {read} records was late or dead.", read=user.count(read)))
            return
        plot(
            refused_figure(user, quality.outcomes, quality.bucket),
            key="refused",
            height_px=CHART_HEIGHT_PX,
            alt=user.t(
                "Of {read} records {late} were late and {dead} dead",
                read=user.count(read),
                late=user.count(quality.total("late")),
                dead=user.count(quality.total("dead")),
            ),
        )


def _render_accuracy(user: UserContext, window_type: str, verifications: Sequence[Verification]) -> None:
    row = heading(user.t("Accuracy of {length} windows", length=_length(user, window_type)))
    if not verifications:
        st.caption(user.t("No window of this kind was verified in this span."))
        return
    with row:
        offer_csv(user, _verification_rows(verifications), f"accuracy-{window_type}")
    inexact = [each for each in verifications if not each.exact]
    lowest = min(each.accuracy for each in verifications)
    said = user.t(
        "{number} windows verified, {inexact} not exact, the lowest at {lowest}",
        number=user.count(len(verifications)),
        inexact=user.count(len(inexact)),
        lowest=user.rate(lowest),
    )
    st.caption(said)
    alarm = preferences().accuracy_min
    plot(
        accuracy_figure(
            user, verifications, stores.settings().accuracy_alarm_percent if alarm is None else alarm
        ),
        key=f"accuracy-{window_type}",
        height_px=CHART_HEIGHT_PX,
        alt=said,
    )
    if inexact:
        st.dataframe(
            _verification_rows(inexact),
            key=f"inexact-{window_type}",
            hide_index=True,
            alt=user.t("The windows that are not exact, the newest first"),
        )


def _length(user: UserContext, window_type: str) -> str:
    return user.t("1 min") if window_type == "1min" else user.t("5 min")


def _verification_rows(verifications: Sequence[Verification]) -> list[dict[str, Any]]:
    return [
        {
            "window_start": each.window_start.isoformat(),
            "accuracy_percent": each.accuracy,
            "expected_impressions": each.expected_impressions,
            "actual_impressions": each.actual_impressions,
            "expected_clicks": each.expected_clicks,
            "actual_clicks": each.actual_clicks,
            "late": each.late,
            "checked_at": each.checked_at.isoformat(),
        }
        for each in verifications
    ]


def _outcome_rows(quality: QualityData) -> list[dict[str, Any]]:
    return [
        {
            "from": each.start.isoformat(),
            "records_read": each.records_read,
            "counted": each.counted,
            "late": each.late,
            "malformed": each.malformed,
            "unknown_schema": each.unknown_schema,
            "invalid": each.invalid,
        }
        for each in quality.outcomes
    ]
