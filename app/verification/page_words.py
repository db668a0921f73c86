"""The words that the scanner's page puts together itself, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

COUNTS = (1, 2, 5)  # in the languages we know, these three need all the forms there are


def page_words() -> dict[str, str | list[str]]:
    """By name. A list is one sentence for each of COUNTS; {age} and the like stay for the page to fill in."""
    return {
        "cannot_tell": _("Cannot tell"),
        "no_answer": _("No answer from the server, and this device has no list yet. Find signal, then ask again."),
        "not_checked": _("This device is signed out. Nothing was checked."),
        "refused": _("The server did not take this scan."),
        "checking": _("Checking: %(benefit)s", benefit="{benefit}"),
        "checking_membership": _("Checking: membership"),
        "tier": _("Tier"),
        "list_from": _("List from"),
        "list": _("List is %(age)s old, good until %(end)s.", age="{age}", end="{end}"),
        "list_over": _("List is %(age)s old and ended %(end)s.", age="{age}", end="{end}"),
        "no_list": _("This device has no list yet."),
        "offline": _("Scanning goes on without signal"),
        "offline_blind": _("Find signal: no card can be called valid"),
        "waiting": [ngettext("%(num)s scan waits to be sent.", "%(num)s scans wait to be sent.", n) for n in COUNTS],
        "to_send": [ngettext("%(num)s to send", "%(num)s to send", n) for n in COUNTS],
        "today": [ngettext("%(num)s scan today.", "%(num)s scans today.", n) for n in COUNTS],
        "unkept": [
            ngettext(
                "%(num)s scan is kept by this page only. Leave it open until it is sent.",
                "%(num)s scans are kept by this page only. Leave it open until they are sent.",
                n,
            )
            for n in COUNTS
        ],
        "only_here": _("Without signal: the scans of this device only."),
        "full": _("This device’s storage is full"),
        "list_unkept": _("Scanning works until this page is closed. Make room on the device."),
        "clock_fast": _("This device’s clock is %(amount)s fast", amount="{amount}"),
        "clock_slow": _("This device’s clock is %(amount)s slow", amount="{amount}"),
        "clock_back": _("This device’s clock was set back"),
        "clock_help": _(
            "Let it set its time by itself. Until then, cards on phones need an ID too while there is no signal."
        ),
        "signed_out": _("This device is signed out"),
        "sign_in_again": _("Sign in to scan on."),
        "pairing_ended": _("This device’s pairing has ended"),
        "pair_again": _("Ask an administrator for a new link and open it here."),
        "not_sent": _("not sent yet"),
        "not_taken": _("not taken"),
        "offline_scan": _("without signal"),
        "flagged": _("to be looked at"),
        "count_signal": _("Counting a use here needs signal."),
        "count_unknown": _("No answer, so nobody knows yet whether it was counted. Ask again: it counts once."),
        "counted_alone": _("Counted. It is sent when there is signal."),
        "counted_mark": _("counted"),
        "not_counted": _("Not counted"),
        "uncounted": _("The scan was taken back, and the use with it."),
        "undo": _("Take back"),
        "undone": _("The scan was taken back."),
        "undone_mark": _("taken back"),
        "too_late": _("The minute for taking it back is over. The scan stays."),
        "not_undone": _("No signal: the scan stays. Try again within the minute."),
    }
