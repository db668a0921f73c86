"""Memberships' front door: tiers, offers, terms, and what is true of a day."""

from __future__ import annotations

from app.memberships.conditions import condition_words, meets_condition, record_seen_document
from app.memberships.grants import CARRIED_OVER, grant, grant_term
from app.memberships.history import standing_as_known
from app.memberships.holds import (
    hold_person,
    holds_of,
    is_on_hold,
    lift_suspension_of_payment,
    release_person,
    suspend_days_of_payment,
)
from app.memberships.offers import (
    PricedOffer,
    choose_renewal_tier,
    find_renewal_choice,
    gift_dates,
    gift_offer,
    offer_for,
    renewal_tier,
    renewed_offer,
    tiers_on_sale,
)
from app.memberships.reminders import (
    DueReminder,
    are_reminders_stopped,
    due_reminders,
    note_reminder,
    stop_reminders,
)
from app.memberships.rules import FOR_LIFE, NEVER, Offer, Standing, TermDates
from app.memberships.selling import sell_gift, sell_term
from app.memberships.stacks import end_terms_of_payment, restore_terms_of_payment
from app.memberships.standings import (
    Membership,
    count_by_status,
    count_by_tier,
    membership_of,
    memberships_of,
    standing_of,
    standings_of,
)
from app.memberships.terms import (
    ended_word,
    find_term_of_payment,
    lock_person,
    tell_of_change,
    terms_of,
)
from app.memberships.tiers import (
    add_tier,
    close_tier,
    current_successor,
    find_tier,
    get_tier,
    get_tier_by_id,
    is_closed,
    list_tiers,
    price_on,
    set_price,
)
from app.memberships.upgrades import upgrade_offer_for, upgrade_offers
from app.memberships.years import OwnYear, own_year_of

__all__ = [
    "CARRIED_OVER", "FOR_LIFE", "NEVER", "DueReminder", "Membership", "Offer", "OwnYear", "PricedOffer", "Standing",
    "TermDates", "add_tier", "are_reminders_stopped", "choose_renewal_tier", "close_tier", "condition_words",
    "count_by_status", "count_by_tier", "current_successor", "due_reminders", "end_terms_of_payment", "ended_word",
    "find_renewal_choice", "find_term_of_payment", "find_tier", "get_tier", "get_tier_by_id", "gift_dates",
    "gift_offer", "grant", "grant_term", "hold_person", "holds_of", "is_closed", "is_on_hold",
    "lift_suspension_of_payment", "list_tiers", "lock_person", "meets_condition", "membership_of", "memberships_of",
    "note_reminder", "offer_for", "own_year_of", "price_on", "record_seen_document", "release_person", "renewal_tier",
    "renewed_offer", "restore_terms_of_payment", "sell_gift", "sell_term", "set_price", "standing_as_known",
    "standing_of", "standings_of", "stop_reminders", "suspend_days_of_payment", "tell_of_change", "terms_of",
    "tiers_on_sale", "upgrade_offer_for", "upgrade_offers",
]  # fmt: skip
