"""Notify people: one message for all that is new, to the log and, where there is one, to a webhook."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import httpx

from contract.errors import CtrError
from ctr_platform.defs.alerts.store import Notifications, pending_notifications, record_alerts
from warehouse.engine import warehouse_errors, writing_engine

if TYPE_CHECKING:
    from collections.abc import Collection

    from contract.settings import Settings
    from ctr_platform.defs.alerts.alert import Alert

ANSWER_WITHIN_S: Final = 10.0
"""A webhook takes a message in well under a second; a sensor must not hang on one."""

MAX_LINES: Final = 20
"""A message lists no more alerts; it says how many it leaves out."""

LOG: Final = logging.getLogger(__name__)


def notify(
    settings: Settings, source: str, alerts: Collection[Alert], unknown: Collection[str] = ()
) -> Notifications:
    """Record what a source knows to be wrong now, and notify people of what is new to them.

    They are notified of an alert when it begins, again every `ALERT_REPEAT` while it lasts, and when it is
    over. What could not be delivered is sent the next time.

    Raises:
        CtrError: the webhook does not take the message.
        WarehouseUnavailable: the alert store is unavailable: nobody has been notified.
    """
    engine = writing_engine(settings.postgres_url, "ctr-alerts")
    with warehouse_errors(settings.postgres_url):
        with engine.begin() as connection:
            record_alerts(connection, source, alerts, unknown)
        with (
            engine.begin() as connection,
            pending_notifications(connection, settings.alert_repeat) as notifications,
        ):
            if notifications:
                LOG.warning("%s", message(notifications))
                post(settings, message(notifications))
    return notifications


def message(notifications: Notifications) -> str:
    """All of it as text, a line each, in the markup that Slack and its likes understand."""
    marked = (
        *((":red_circle:", each) for each in notifications.opened),
        *((":hourglass: still:", each) for each in notifications.lasting),
        *((":large_green_circle: over:", each) for each in notifications.recovered),
    )
    lines = [_line(mark, alert) for mark, alert in marked]
    more = len(lines) - MAX_LINES
    return "\n".join([*lines[:MAX_LINES], *([f"... and {more} more"] if more > 0 else [])])


def _line(mark: str, alert: Alert) -> str:
    detail = f": {alert.detail}" if alert.detail else ""
    link = f" <{alert.url}|open>" if alert.url else ""
    return f"{mark} *{alert.title}*{detail}{link}"


def post(settings: Settings, text: str) -> None:
    """Send a message to the webhook, if there is one.

    Raises:
        CtrError: the webhook does not take it.
    """
    url = settings.alert_webhook_url.get_secret_value()
    if not url:
        return
    try:
        httpx.post(url, json={"text": text}, timeout=ANSWER_WITHIN_S).raise_for_status()
    except httpx.HTTPError as error:
        # Its text may hold the address, which is a secret.
        what = (
            f"status {error.response.status_code}"
            if isinstance(error, httpx.HTTPStatusError)
            else type(error).__name__
        )
        raise CtrError(f"the webhook of ALERT_WEBHOOK_URL did not take an alert ({what})") from None
