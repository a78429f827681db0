"""What a page says of itself: what is away and since when, how fresh the rest is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import streamlit as st

from dashboard.parts import stores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.content.board import Board
    from dashboard.content.outages import Outage
    from dashboard.reader.wording import Reader

SILENT_AFTER_S: Final = 30
"""Documents follow the events within a second; silence this long is worth a word."""

AWAY_ICON: Final = ":material/cloud_off:"


def say_outages(reader: Reader, outages: Sequence[Outage], consequences: dict[str, str]) -> None:
    """Say which stores are away, since when, and what that means for the page.

    Args:
        reader: who reads it.
        outages: of now.
        consequences: by store, what is missing or shown instead.
    """
    for outage in outages:
        st.warning(
            "\n\n".join(
                [
                    consequences[outage.store],
                    reader.text(
                        "Since {moment}. {reason}. The page recovers by itself.",
                        moment=reader.seconds(_moment(outage.since_s)),
                        reason=outage.reason.rstrip("."),
                    ),
                ]
            ),
            title=reader.text("{store} does not answer", store=outage.store),
            icon=AWAY_ICON,
        )


def say_state(reader: Reader, board: Board) -> None:
    """Say what keeps a live page from being complete, and how fresh it is."""
    # A place of its own, so that what follows stays where it is when a message comes or goes.
    with st.container():
        if board.away("Redis") and board.away("Postgres"):
            st.error(
                "\n\n".join(
                    reader.text(
                        "{store} since {moment}: {reason}",
                        store=outage.store,
                        moment=reader.seconds(_moment(outage.since_s)),
                        reason=outage.reason,
                    )
                    for outage in board.outages
                )
                + "\n\n"
                + reader.text("The page recovers by itself."),
                title=reader.text("Neither store answers"),
                icon=AWAY_ICON,
            )
        else:
            say_outages(
                reader,
                board.outages,
                {
                    "Redis": reader.text(
                        "There are no live figures; only final windows are shown, from Postgres."
                    ),
                    "Postgres": reader.text(
                        "There is no history; only windows that Redis still holds are shown."
                    ),
                },
            )
        _say_waiting(reader, board)
        st.caption(" · ".join(_freshness(reader, board)))


def say_read_at(reader: Reader, at_s: float) -> None:
    """Say how old the page's figures are."""
    st.caption(_read_at(reader, at_s))


def _read_at(reader: Reader, at_s: float) -> str:
    return reader.text("Read at {moment}", moment=f"{reader.seconds(_moment(at_s))} {reader.zone_name}")


def _say_waiting(reader: Reader, board: Board) -> None:
    since = _silent_since(board)
    if not board.windows and not board.outages:
        st.info(
            reader.text("Windows appear here as soon as the job has counted an event."),
            title=reader.text("Waiting for events"),
            icon=":material/hourglass_empty:",
        )
    elif since is not None:
        st.info(
            reader.text(
                "Nothing was counted since {moment}: no events come in, or the job stands still.",
                moment=reader.moment(since),
            ),
            title=reader.text("Waiting for events"),
            icon=":material/hourglass_empty:",
        )


def _silent_since(board: Board) -> datetime | None:
    """Since when nothing has been counted; None while something is, or where nobody can know."""
    if board.away("Redis") or not board.windows:
        return None
    if board.written_ms is None:
        return board.windows[0].window.end
    return _moment(board.written_ms / 1000) if board.silence_s > SILENT_AFTER_S else None


def _freshness(reader: Reader, board: Board) -> list[str]:
    said = [_read_at(reader, board.at_s)]
    if board.written_ms is not None:
        said.append(reader.text("newest figure written {ago}", ago=reader.ago(board.silence_s)))
    if board.beyond_documents:
        said.append(reader.text(":orange[the chosen segments of an open window may lack their smallest]"))
    said.append(_supervision(reader, board))
    return said


def _supervision(reader: Reader, board: Board) -> str:
    """Whether somebody looks after the job."""
    if board.away("Postgres"):
        return reader.text("whether the job is looked after is not known")
    if board.supervisor is None:
        return reader.text(":red[nobody looks after the job]")
    looked = reader.text("the job was last looked after {ago}", ago=reader.ago(board.supervisor.age_s))
    return f":red[{looked}]" if board.supervisor.age_s > stores.settings().heartbeat_alarm else looked


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, tz=UTC)
