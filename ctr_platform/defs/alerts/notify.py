"""Notify people: one message for all that is new, to the log and, where there is one, to a webhook.

What is due is claimed by one notifier, for a while; then it is posted; then that is written down. So a slow
webhook holds no lock and no transaction, and of two who notify at once one sends.
"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING, Final

import httpx

from contract.errors import CtrError
from ctr_platform.defs.alerts.message import message
from ctr_platform.defs.alerts.store import claim_due, record_alerts, record_notified, release
from warehouse.engine import warehouse_errors, writing_engine

if TYPE_CHECKING:
    from collections.abc import Collection

    from contract.settings import Settings
    from ctr_platform.defs.alerts.alert import Alert
    from ctr_platform.defs.alerts.store import Notifications

ANSWER_WITHIN_S: Final = 10.0
"""A webhook takes a message in well under a second; a sensor must not hang on one. To connect, to send and to
be answered may take so long each: all of it is within the lease."""

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
    notifier = uuid.uuid4().hex
    with warehouse_errors(settings.postgres_url):
        with engine.begin() as connection:
            record_alerts(connection, source, alerts, unknown)
        with engine.begin() as connection:
            due = claim_due(connection, settings.alert_repeat, notifier)
    if not due:
        return due
    text = message(settings, due)
    LOG.warning("%s", text)
    # No transaction is open meanwhile. If the process ends before the next one, the message is sent again
    # when the lease has: rather twice than never.
    try:
        post(settings, text)
    except CtrError:
        with warehouse_errors(settings.postgres_url), engine.begin() as connection:
            release(connection, notifier)
        raise
    with warehouse_errors(settings.postgres_url), engine.begin() as connection:
        record_notified(connection, notifier, due)
    return due


def post(settings: Settings, text: str) -> None:
    """Send a message to the webhook, if there is one.

    Raises:
        CtrError: the webhook does not take it.
    """
    url = settings.alert_webhook_url.get_secret_value()
    if not url:
        return
    try:
        # Whatever the answer's body holds, and however slowly it comes, nobody waits for it.
        with httpx.stream("POST", url, json={"text": text}, timeout=ANSWER_WITHIN_S) as answer:
            answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Its text may hold the address, which is a secret.
        what = (
            f"status {error.response.status_code}"
            if isinstance(error, httpx.HTTPStatusError)
            else type(error).__name__
        )
        raise CtrError(f"the webhook of ALERT_WEBHOOK_URL did not take an alert ({what})") from None
