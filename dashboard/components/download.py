"""What a chart or a table shows, as a CSV file."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboard.user_context.formatting import UserContext


FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet may carry out a text that begins so, and category names come with the events.
See https://owasp.org/www-community/attacks/CSV_Injection."""


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows of the same columns, as RFC 4180 says; moments in UTC by ISO 8601, numbers with a point.

    A text that a spreadsheet could take for a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows({column: _harmless(cell) for column, cell in row.items()} for row in rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULAS) else cell


def offer_csv(user: UserContext, rows: Sequence[Mapping[str, Any]], name: str) -> None:
    """Draw the button that downloads the rows as `name`.csv."""
    st.download_button(
        user.t("CSV"),
        # Written when it is asked for, not at every refresh.
        lambda: csv_of(rows),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"csv-{name}",
        help=user.t("Download the shown figures as a CSV file"),
        on_click="ignore",
        type="tertiary",
        disabled=not rows,
    )
