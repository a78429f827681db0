"""What a chart or a table shows, as a CSV file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.reader.wording import Reader


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows of the same columns; moments in UTC by ISO 8601, numbers with a decimal point."""
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()


def offer_csv(reader: Reader, rows: Sequence[Mapping[str, Any]], name: str) -> None:
    """Draw the button that downloads the rows as `name`.csv."""
    st.download_button(
        reader.text("CSV"),
        # Written when it is asked for, not at every refresh.
        lambda: csv_of(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"csv-{name}",
        help=reader.text("Download the shown figures as a CSV file"),
        on_click="ignore",
        type="tertiary",
        disabled=not rows,
    )
