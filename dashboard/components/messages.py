"""What a page says of itself: what is away and since when, how fresh the rest is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import streamlit as st

from dashboard.components import stores
from dashboard.view_models.labels import markdown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.user_context.formatting import UserContext
    from dashboard.view_models.live import LiveData
    from dashboard.view_models.outages import Outage

SILENT_AFTER_S: Final = 30
"""Documents follow the events within a second; silence this long is worth a word."""

AWAY_ICON: Final = ":material/cloud_off:"


def render_outages(user: UserContext, outages: Sequence[Outage], consequences: dict[str, str]) -> None:
    """Say which stores are away, since when, and what that means for the page.

    Args:
        user: who reads it.
        outages: of now.
        consequences: by store, what is missing or shown instead.
    """
    for outage in outages:
        st.warning(
            "\n\n".join(
                [
                    consequences[outage.store],
                    user.t(
                        "Since {moment}. {reason}. The page recovers by itself.",
                        moment=user.seconds(_moment(outage.since_s)),
                        reason=outage.reason.rstrip("."),
                    ),
                ]
            ),
            title=user.t("{store} does not answer", store=outage.store),
            icon=AWAY_ICON,
        )


def render_state(user: UserContext, live_data: LiveData) -> None:
    """Say what keeps a live page from being complete, and how fresh it is."""
    # A place of its own, so that what follows stays where it is when a message comes or goes.
    with st.container():
        if live_data.away("Redis") and live_data.away("Postgres"):
            st.error(
                "\n\n".join(
                    user.t(
                        "{store} since {moment}: {reason}",
                        store=outage.store,
                        moment=user.seconds(_moment(outage.since_s)),
                        reason=outage.reason,
                    )
                    for outage in live_data.outages
                )
                + "\n\n"
                + user.t("The page recovers by itself."),
                title=user.t("Neither store answers"),
                icon=AWAY_ICON,
            )
        else:
            render_outages(
                user,
                live_data.outages,
                {
                    "Redis": user.t(
                        "There are no live figures; only final windows are shown, from Postgres."
                    ),
                    "Postgres": user.t("There is no history; only windows that Redis still holds are shown."),
                },
            )
        _render_waiting(user, live_data)
        st.caption(" · ".join(_freshness(user, live_data)))


def render_read_at(user: UserContext, at_s: float) -> None:
    """Say how old the page's figures are."""
    st.caption(_read_at(user, at_s))


def _read_at(user: UserContext, at_s: float) -> str:
    return user.t("Read at {moment}", moment=f"{user.seconds(_moment(at_s))} {user.zone_name}")


def _render_waiting(user: UserContext, live_data: LiveData) -> None:
    since = _silent_since(live_data)
    if not live_data.windows and not live_data.outages:
        st.info(
            user.t("Windows appear here as soon as the job has counted an event."),
            title=user.t("Waiting for events"),
            icon=":material/hourglass_empty:",
        )
    elif since is not None:
        st.info(
            user.t(
                "Nothing was counted since {moment}: no events come in, or the job stands still.",
                # A Korean sentence begins with it, and Markdown takes `2026. ` for the number of a list.
                moment=markdown_text(user.moment(since)),
            ),
            title=user.t("Waiting for events"),
            icon=":material/hourglass_empty:",
        )


def _silent_since(live_data: LiveData) -> datetime | None:
    """Since when nothing has been counted; None while something is, or where nobody can know."""
    if live_data.away("Redis") or not live_data.windows:
        return None
    if live_data.written_ms is None:
        return live_data.windows[0].window.end
    return _moment(live_data.written_ms / 1000) if live_data.silence_s > SILENT_AFTER_S else None


def _freshness(user: UserContext, live_data: LiveData) -> list[str]:
    said = [_read_at(user, live_data.at_s)]
    if live_data.written_ms is not None:
        said.append(user.t("newest figure written {ago}", ago=user.ago(live_data.silence_s)))
    if live_data.beyond_documents:
        said.append(user.t(":orange[the chosen segments of an open window may lack their smallest]"))
    said.append(_supervision(user, live_data))
    return said


def _supervision(user: UserContext, live_data: LiveData) -> str:
    """Whether somebody looks after the job."""
    if live_data.away("Postgres"):
        return user.t("whether the job is looked after is not known")
    if live_data.supervisor is None:
        return user.t(":red[nobody looks after the job]")
    looked = user.t("the job was last looked after {ago}", ago=user.ago(live_data.supervisor.age_s))
    return f":red[{looked}]" if live_data.supervisor.age_s > stores.settings().heartbeat_alarm else looked


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, tz=UTC)
