"""The quality page: accuracy of every verified window, and what became of the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from dashboard.charts.plot import plot
from dashboard.charts.quality import accuracy_figure, refused_figure
from dashboard.parts import stores
from dashboard.parts.address import preferences
from dashboard.parts.download import offer_csv
from dashboard.parts.headings import heading
from dashboard.parts.messages import say_outages, say_read_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from dashboard.content.record import Record
    from dashboard.reader.wording import Reader
    from warehouse.quality_reads import Verification

CHART_HEIGHT_PX: Final = 300


def draw_quality(reader: Reader, span: timedelta) -> None:
    """Draw the page."""
    record = stores.record(span)
    with st.container():
        say_outages(
            reader, record.outages, {"Postgres": reader.text("What was verified cannot be shown without it.")}
        )
        say_read_at(reader, record.at_s)
    st.link_button(reader.text("Quality report"), stores.settings().quality_url, icon=":material/fact_check:")
    if record.outages:
        return
    _draw_fates(reader, record)
    for window_type, verifications in record.verifications.items():
        with st.container(border=True):
            _draw_accuracy(reader, window_type, verifications)


def _draw_fates(reader: Reader, record: Record) -> None:
    read = record.total("records_read")
    unaccounted = read - sum(record.total(fate) for fate in ("counted", "late", "dead"))
    with st.grid(5, min_column_width=150):
        for name, count in (
            (reader.text("Records read"), read),
            (reader.text("Counted"), record.total("counted")),
            (reader.text("Late"), record.total("late")),
            (reader.text("Dead"), record.total("dead")),
        ):
            st.metric(name, reader.count(count), border=True, height="stretch")
        colour = "red" if unaccounted else "green"
        st.metric(
            reader.text("Unaccounted for"),
            f":{colour}[{reader.count(unaccounted)}]",
            border=True,
            height="stretch",
            help=reader.text("Records read less counted, late and dead ones: always 0."),
        )
    with st.container(border=True):
        row = heading(reader.text("Late and dead records by reason"))
        if not read:
            st.caption(reader.text("No records were read in this span."))
            return
        with row:
            offer_csv(reader, _fate_rows(record), "fates")
        if not record.total("late") + record.total("dead"):
            st.caption(reader.text("None of {read} records was late or dead.", read=reader.count(read)))
            return
        plot(
            refused_figure(reader, record.fates, record.bucket),
            key="refused",
            height_px=CHART_HEIGHT_PX,
            alt=reader.text(
                "Of {read} records {late} were late and {dead} dead",
                read=reader.count(read),
                late=reader.count(record.total("late")),
                dead=reader.count(record.total("dead")),
            ),
        )


def _draw_accuracy(reader: Reader, window_type: str, verifications: Sequence[Verification]) -> None:
    row = heading(reader.text("Accuracy of {length} windows", length=_length(reader, window_type)))
    if not verifications:
        st.caption(reader.text("No window of this kind was verified in this span."))
        return
    with row:
        offer_csv(reader, _verification_rows(verifications), f"accuracy-{window_type}")
    inexact = [each for each in verifications if not each.exact]
    lowest = min(each.accuracy for each in verifications)
    said = reader.text(
        "{number} windows verified, {inexact} not exact, the lowest at {lowest}",
        number=reader.count(len(verifications)),
        inexact=reader.count(len(inexact)),
        lowest=reader.rate(lowest),
    )
    st.caption(said)
    alarm = preferences().accuracy_min
    plot(
        accuracy_figure(
            reader, verifications, stores.settings().accuracy_alarm_percent if alarm is None else alarm
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
            alt=reader.text("The windows that are not exact, the newest first"),
        )


def _length(reader: Reader, window_type: str) -> str:
    return reader.text("1 min") if window_type == "1min" else reader.text("5 min")


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


def _fate_rows(record: Record) -> list[dict[str, Any]]:
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
        for each in record.fates
    ]
