"""The text of a notification, in the markup that Slack and its likes understand.

Titles and details hold what others wrote: categories, exceptions, addresses. It is shown as it is, as far as
that can neither break a line nor look like markup, a link or a line of the platform's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.settings import Settings
    from ctr_platform.defs.alerts.alert import Alert
    from ctr_platform.defs.alerts.store import Notification, Notifications

MAX_LINES: Final = 20
"""A message lists no more alerts; it says how many it leaves out."""

MAX_TITLE: Final = 200
MAX_DETAIL: Final = 500
"""Characters: twenty such alerts are half of what Slack takes of a message."""

_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""What Slack wants escaped, and all that it lets be escaped."""

_REPLACEMENTS: Final = _ENTITIES | {"*": "\u2217", "`": "\u02cb", "~": "\u223c", "_": "\u02cd"}
"""And look-alikes of what makes text bold, code, struck out and italic, for which there is no escape."""

_MARKUP: Final = re.compile(r"[&<>*`~]|(?<![^\W_])_|_(?![^\W_])")
"""All of these; not the underscore within a name such as windows_exact, which marks nothing."""

_EMOJI: Final = re.compile(r":(?=[a-z][a-z0-9_+-]*:)")
_MARKDOWN_LINK: Final = re.compile(r"\](?=\()")
"""As Mattermost reads it, which takes Slack's messages too."""

_NO_TEXT: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
"""Line ends and other white space, control characters, and those that hide text or turn its direction."""

_URL_CHARACTERS: Final = "%/?#[]@!$&'()*+,;=:~"
"""What may stand in an address besides letters, digits and `-._`; all else is percent-encoded."""


def message(settings: Settings, notifications: Notifications) -> str:
    """All of it as text, a line each."""
    lines = [
        *(alert_line(settings, ":red_circle:", each) for each in notifications.opened),
        *(alert_line(settings, ":hourglass: still:", each) for each in notifications.lasting),
        *(recovery_line(each) for each in notifications.recovered),
    ]
    more = len(lines) - MAX_LINES
    return "\n".join([*lines[:MAX_LINES], *([f"... and {more} more"] if more > 0 else [])])


def alert_line(settings: Settings, mark: str, alert: Notification) -> str:
    """What is wrong, where and how much, since when; the page that shows it, and what to do."""
    since = f"{alert.opened_at:%Y-%m-%d %H:%M} UTC"
    acknowledged = f", acknowledged by {plain(alert.acknowledged_by, 80)}" if alert.acknowledged_by else ""
    return " ".join(
        [
            f"{mark} {statement(alert.title, alert.detail)} (since {since}{acknowledged})",
            *links(settings, alert),
        ]
    )


def recovery_line(alert: Notification) -> str:
    """That it is over, and how long it lasted."""
    ended = alert.recovered_at or alert.opened_at
    minutes = round((ended - alert.opened_at).total_seconds() / 60)
    return f":large_green_circle: over: {statement(alert.title, alert.detail)} (after {minutes} min)"


def statement(title: str, detail: str) -> str:
    """Title and detail, as one line of markup."""
    return f"*{plain(title, MAX_TITLE)}*" + (f": {plain(detail, MAX_DETAIL)}" if detail.strip() else "")


def plain(text: str, length: int) -> str:
    """Text of others as markup that shows it: one line, cut behind so many characters."""
    line = _NO_TEXT.sub(" ", text).strip()
    if len(line) > length:
        line = line[: length - 1].rstrip() + "\u2026"
    line = _MARKUP.sub(lambda found: _REPLACEMENTS[found[0]], line)
    return _EMOJI.sub("\u2236", _MARKDOWN_LINK.sub("] ", line))


def link(url: str, label: str) -> str:
    """A link that ends where it should, whatever the address holds."""
    return f"<{quote(url, safe=_URL_CHARACTERS).replace('&', '&amp;')}|{label}>"


def links(settings: Settings, alert: Alert | Notification) -> Iterator[str]:
    """Where it shows, where it is mended, and what the runbook says of it."""
    if alert.url:
        yield link(alert.url, "open")
    if alert.mend_url:
        yield link(alert.mend_url, "mend")
    if alert.runbook:
        section = f"{settings.runbook_url}#{alert.runbook}"
        yield link(section, "runbook") if "://" in section else section
