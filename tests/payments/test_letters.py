"""Each letter says the fact, once however often its job runs, and nothing that is no longer true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage

import pytest

from app import clock, jobs
from app.association import get_association
from app.extensions import db
from app.memberships.service import find_term_of_payment, offer_for, suspend_days_of_payment, upgrade_offer_for
from app.payments import gifts, receipts, renewal_letters, settling
from app.payments.checkouts import send_refund
from app.payments.ending import end_if_nothing_left
from app.payments.manual import record_payment
from app.payments.models import AutoRenewal, Dispute, Gift, Payment, Receipt
from app.payments.refunds import request_refund
from app.payments.service import GiftTo, Wanted, add_payment, offer_of
from app.people.models import Person
from tests.cast import Cast, pay
from tests.payments.mailbox import Mailbox, day, files_of, html_of, text_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
YEAR = timedelta(days=365)


@pytest.fixture
def mailbox(cast: Cast) -> Mailbox:
    return Mailbox()


def asked(person: Person, cast: Cast, wanted: Wanted | None = None, method: str = "online") -> Payment:
    """Somebody asked for a fee, who has done what there was to do at the provider's page."""
    wanted = wanted or Wanted(cast.basic.id)
    offered = offer_of(person.id, wanted, cast.now, cast.today)
    payment = add_payment(person.id, wanted, offered, method, "test", "en", cast.now, cast.today)
    payment.completed_at = cast.now if method == "online" else None
    db.session.flush()
    return payment


def paid(payment: Payment, cast: Cast, cents: int | None = None) -> Payment:
    amount = cents or payment.amount_cents
    settling.book_received(payment, "provider", amount, "EUR", f"ch_{payment.id}_{amount}", cast.today, cast.now)
    return payment


def given(cast: Cast) -> Payment:
    wanted = Wanted(cast.plus.id, gift=GiftTo("bob@example.org", "Bob", "For your exam.\nAlice"))
    return paid(asked(cast.alice, cast, wanted, "transfer"), cast)


def refunded(payment: Payment, cast: Cast, cents: int, cause: str = "refunded") -> Receipt:
    refund = request_refund(payment, cents, "test", cast.now, cause)
    db.session.commit()
    send_refund(refund.id)
    found = next((it for it in receipts.receipts_of(refund.payment_id) if it.refund_id == refund.id), None)
    assert found is not None
    return found


def disputed(payment: Payment, cast: Cast, status: str) -> Dispute:
    dispute = Dispute(
        payment_id=payment.id, provider_id="dp_1", amount_cents=payment.amount_cents, currency="EUR", status=status,
        reason="fraudulent", opened_at=cast.now, closed_on=cast.today if status in ("won", "lost") else None,
    )  # fmt: skip
    db.session.add(dispute)
    db.session.flush()
    return dispute


def test_a_receipt_says_until_when_one_is_a_member_and_brings_the_receipt(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    term = find_term_of_payment(payment.id)
    letter = mailbox.only("mail_receipt", payment_id=payment.id)
    assert term is not None
    assert letter["Subject"] == f"A member until {day(term.ends_on)}"
    assert letter["To"] == "mallory@example.org"
    text = text_of(letter)
    assert "Welcome, Mallory." in text and "It does not renew by itself." in text
    assert f"{payment.number} of member {cast.mallory.member_number}" in text
    assert 'href="http://127.0.0.1:8000/card"' in html_of(letter)
    [number] = [receipt.number for receipt in receipts.receipts_of(payment.id)]
    [(name, content)] = files_of(letter).items()
    assert name == f"{number}.pdf" and content.startswith(b"%PDF-")


def test_one_fee_orders_one_receipt_and_the_worker_sends_it(cast: Cast, mailbox: Mailbox) -> None:
    mailbox.empty()
    payment = paid(asked(cast.mallory, cast), cast)
    settling.acknowledge(payment, cast.now)  # told again
    db.session.commit()
    jobs.work_off(clock.now)
    assert [letter["To"] for letter in mailbox.all() if "mallory" in letter["To"]] == ["mallory@example.org"]


def test_renewing_rejoining_and_renewing_by_itself_read_as_what_they_are(cast: Cast, mailbox: Mailbox) -> None:
    renewal = paid(asked(cast.alice, cast, Wanted(cast.plus.id, auto_renewal=True)), cast)
    text = text_of(mailbox.only("mail_receipt", payment_id=renewal.id))
    assert "Thank you, Alice." in text and "It renews by itself: we announce day and price to you before" in text
    back = paid(asked(cast.carol, cast), cast)
    assert "Welcome back, Carol." in text_of(mailbox.only("mail_receipt", payment_id=back.id))


def test_an_upgrade_is_told_as_one(cast: Cast, mailbox: Mailbox) -> None:
    base = pay(cast.mallory, cast.basic, cast.today - timedelta(days=30))
    term = find_term_of_payment(base.id)
    offered = upgrade_offer_for(cast.mallory.id, cast.plus, cast.now, cast.today)
    upgrade = paid(asked(cast.mallory, cast, Wanted(cast.plus.id, is_upgrade=True)), cast)
    letter = mailbox.only("mail_receipt", payment_id=upgrade.id)
    assert term is not None and letter["Subject"] == f"Plus until {day(term.sold_ends_on)}"
    assert f"You have Plus from {day(cast.today)} on; your last day stays the same." in text_of(letter)
    assert f"€{offered.fee_cents // 100}.{offered.fee_cents % 100:02d}" in text_of(letter)


def test_money_that_came_after_the_offer_names_the_days_it_bought_instead(cast: Cast, mailbox: Mailbox) -> None:
    payment = asked(cast.mallory, cast, method="transfer")
    payment.offer_holds_until = cast.today - timedelta(days=1)
    payment.offer_anchor_on = payment.offer_starts_on = cast.today - timedelta(days=31)
    payment.offer_ends_on -= timedelta(days=31)
    paid(payment, cast)
    letter = mailbox.only("mail_receipt", payment_id=payment.id)
    assert (
        letter["Subject"]
        == f"A member until {day(offer_for(None, cast.basic, cast.now, cast.today).offer.dates.ends_on)}"
    )
    assert f"The offer held until {day(payment.offer_holds_until)} and the money came later" in text_of(letter)


def test_more_than_was_due_is_said_to_be_safe(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast, method="transfer"), cast, 3500)
    assert "€5.00 more came than was due. It is safe" in text_of(mailbox.only("mail_receipt", payment_id=payment.id))


def test_no_receipt_speaks_of_days_that_ended_before_it_left(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast, method="transfer"), cast)
    refunded(payment, cast, 3000)
    assert mailbox.after("mail_receipt", payment_id=payment.id) == []


@pytest.mark.parametrize("cause, line", [("refunded", "goes back to you"), ("withdrawn", "goes back to you")])
def test_money_given_back_is_told_with_the_correction_and_what_is_left(
    cast: Cast, mailbox: Mailbox, cause: str, line: str
) -> None:
    payment = pay(cast.mallory, cast.basic, cast.today - timedelta(days=10))
    receipt = refunded(payment, cast, 3000, cause)
    letter = mailbox.only("mail_rectified", receipt_id=receipt.id)
    assert letter["Subject"] == f"€30.00 {line}"
    assert f"Corrects {receipts.receipts_of(payment.id)[0].number}" in text_of(letter)
    assert f"Your membership ended on {day(cast.today - timedelta(days=1))}." in text_of(letter)
    assert list(files_of(letter)) == [f"{receipt.number}.pdf"]


def test_a_part_given_back_leaves_the_days(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast, method="transfer"), cast)
    term = find_term_of_payment(payment.id)
    letter = mailbox.only("mail_rectified", receipt_id=refunded(payment, cast, 1000).id)
    assert term is not None and f"You are a member until {day(term.ends_on)}." in text_of(letter)


def test_a_lost_dispute_is_the_banks_doing(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    receipt = receipts.issue_rectifying(disputed(payment, cast, "lost"), 3000, cast.now, cast.today)
    letter = mailbox.only("mail_rectified", receipt_id=receipt.id)
    assert letter["Subject"] == "Your bank took €30.00 back"
    assert files_of(letter)


def test_money_that_came_back_after_all_brings_another_receipt(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    receipt = receipts.issue_again(payment, 3000, cast.now, cast.today)
    letter = mailbox.only("mail_receipt_again", receipt_id=receipt.id)
    assert letter["Subject"] == "Your payment of €30.00 counts again"
    assert list(files_of(letter)) == [f"{receipt.number}.pdf"] and "You are a member until" in text_of(letter)


def test_a_newcomer_whose_debit_is_on_its_way_has_no_card_yet(cast: Cast, mailbox: Mailbox) -> None:
    payment = asked(cast.mallory, cast)
    letter = mailbox.only("mail_debit_pending", payment_id=payment.id)
    assert letter["Subject"] == "Your bank is moving the money"
    assert "Please don’t pay a second time." in text_of(letter)
    assert "Your membership and your card begin on the day the money comes" in text_of(letter)
    assert f'href="http://127.0.0.1:8000/payments/{payment.number}/done"' in html_of(letter)


def test_a_member_whose_debit_is_on_its_way_stays_one(cast: Cast, mailbox: Mailbox) -> None:
    text = text_of(mailbox.only("mail_debit_pending", payment_id=asked(cast.alice, cast, Wanted(cast.plus.id)).id))
    assert "Nothing changes until then: you are a member until" in text


def test_a_debit_that_came_meanwhile_is_not_announced(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    assert mailbox.after("mail_debit_pending", payment_id=payment.id) == []
    assert mailbox.after("mail_not_paid", payment_id=payment.id) == []


def test_a_debit_that_failed_says_that_nothing_was_taken(cast: Cast, mailbox: Mailbox) -> None:
    payment = asked(cast.mallory, cast)
    settling.close_payment(payment, "failed", cast.now)
    letter = mailbox.only("mail_not_paid", payment_id=payment.id)
    assert letter["Subject"] == "The bank refused the debit"
    assert "Nothing was taken, Mallory" in text_of(letter)
    assert 'href="http://127.0.0.1:8000/join?tier=basic"' in html_of(letter)


def test_a_second_debit_that_fails_is_a_second_letter(cast: Cast, mailbox: Mailbox) -> None:
    payment = asked(cast.mallory, cast)
    ids = []
    for intent in ("pi_1", "pi_2"):
        payment.stripe_payment_intent_id = intent
        ids.append(mailbox.only("mail_not_paid", payment_id=payment.id)["Message-ID"])
    assert ids[0] != ids[1]


def test_a_transfer_is_ordered_with_all_that_the_bank_asks_for(cast: Cast, mailbox: Mailbox) -> None:
    association = get_association()
    association.iban, association.legal_name = "ES9121000418450200051332", "Associació Alumni"
    payment = asked(cast.mallory, cast, method="transfer")
    letter = mailbox.only("mail_transfer_order", payment_id=payment.id)
    assert letter["Subject"] == f"Transfer €30.00 by {day(payment.offer_holds_until)}"
    text = text_of(letter)
    assert "IBAN ES91 2100 0418 4502 0005 1332" in text and "to Associació Alumni." in text
    assert "Reference RF" in text and "Amount €30.00" in text


def test_what_is_missing_is_asked_for_each_time_something_came(cast: Cast, mailbox: Mailbox) -> None:
    get_association().iban = "ES9121000418450200051332"
    payment = paid(asked(cast.mallory, cast, method="transfer"), cast, 2500)
    first = mailbox.only("mail_rest_due", payment_id=payment.id)
    assert first["Subject"] == "€5.00 is missing"
    assert "€25.00 of €30.00 came" in text_of(first) and "IBAN ES91" in text_of(first)
    paid(payment, cast, 200)
    second = mailbox.only("mail_rest_due", payment_id=payment.id)
    assert second["Subject"] == "€3.00 is missing" and second["Message-ID"] != first["Message-ID"]
    paid(payment, cast, 300)
    assert mailbox.after("mail_rest_due", payment_id=payment.id) == []


def test_money_for_days_already_covered_is_safe_until_it_is_decided(cast: Cast, mailbox: Mailbox) -> None:
    pay(cast.mallory, cast.basic, cast.today)
    twice = record_payment(
        cast.mallory, cast.basic, 3000, "transfer", cast.today, "test", "en", cast.now, cast.today, again=True
    )
    letter = mailbox.only("mail_unallocated", payment_id=twice.id)
    assert letter["Subject"] == "€30.00 came that was not due"
    assert "Your money is safe" in text_of(letter)
    refund = request_refund(twice, 3000, "test", cast.now)
    db.session.commit()
    send_refund(refund.id)
    assert mailbox.after("mail_unallocated", payment_id=twice.id) == []


def test_a_hold_and_its_end_are_told_while_they_are_true(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    dispute = disputed(payment, cast, "open")
    suspend_days_of_payment(payment.id, "dispute", cast.now, cast.now)
    letter = mailbox.only("mail_on_hold", payment_id=payment.id)
    assert letter["Subject"] == "Your membership is on hold" and "your card does not work" in text_of(letter)
    assert mailbox.after("mail_off_hold", payment_id=payment.id) == []
    dispute.status, dispute.closed_on = "won", cast.today
    letter = mailbox.only("mail_off_hold", payment_id=payment.id)
    assert letter["Subject"] == "Your membership is no longer on hold" and "Your card works again." in text_of(letter)
    assert mailbox.after("mail_on_hold", payment_id=payment.id) == []


def test_a_gift_is_told_to_both_and_its_receipt_goes_to_the_giver(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    receipt = mailbox.only("mail_receipt", payment_id=payment.id)
    assert (receipt["To"], receipt["Subject"]) == ("alice@example.org", "Your gift for Bob is paid")
    assert files_of(receipt) and "We have sent the link to bob@example.org." in text_of(receipt)
    letter = mailbox.only("mail_gift", payment_id=payment.id)
    assert (letter["To"], letter["Subject"]) == ("bob@example.org", "Alice Soler gives you a membership")
    assert "> For your exam. > Alice" in text_of(letter) and "12 months" in text_of(letter)
    assert "http://127.0.0.1:8000/gift/" in html_of(letter) and not files_of(letter)


def test_an_accepted_gift_is_told_to_the_giver_and_offered_no_more(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    term = gifts.accept(db.session.get_one(Gift, payment.id), cast.bob, cast.now, cast.today)
    letter = mailbox.only("mail_gift_accepted", payment_id=payment.id)
    assert (letter["To"], letter["Subject"]) == ("alice@example.org", "Bob accepted your gift")
    assert f"Last day {day(term.ends_on)}" in text_of(letter)
    assert mailbox.after("mail_gift", payment_id=payment.id) == []


def test_a_gift_that_was_given_back_is_not_offered(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    receipt = refunded(payment, cast, 5000)
    assert mailbox.after("mail_gift", payment_id=payment.id) == []
    assert "The gift is cancelled." in text_of(mailbox.only("mail_rectified", receipt_id=receipt.id))


def test_whoever_accepted_a_gift_is_told_that_its_days_ended_and_not_for_how_much(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    term = gifts.accept(db.session.get_one(Gift, payment.id), cast.mallory, cast.now, cast.today)
    given_days = f"{term.starts_on.day} {term.starts_on:%b %Y} – {term.sold_ends_on.day} {term.sold_ends_on:%b %Y}"
    refunded(payment, cast, 5000)
    letter = mailbox.only("mail_gift_ended", payment_id=payment.id)
    assert (letter["To"], letter["Subject"]) == ("mallory@example.org", "The gift from Alice Soler has ended")
    text = text_of(letter)
    assert f"Tier Plus Days it gave {given_days}" in text and "No day of membership is left." in text
    assert "€" not in text and payment.number not in text and not files_of(letter)


def test_who_had_days_of_their_own_reads_how_long_they_are_a_member(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    own = pay(cast.mallory, cast.basic, cast.today)
    gifts.accept(db.session.get_one(Gift, payment.id), cast.mallory, cast.now, cast.today)
    refunded(payment, cast, 5000)
    term = find_term_of_payment(own.id)
    text = text_of(mailbox.only("mail_gift_ended", payment_id=payment.id))
    assert term is not None and f"You are a member until {day(term.ends_on)}." in text


def test_a_gift_that_ended_is_told_once_by_refund_and_by_lost_dispute(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    gifts.accept(db.session.get_one(Gift, payment.id), cast.mallory, cast.now, cast.today)
    refunded(payment, cast, 5000)
    end_if_nothing_left(payment, "dispute_lost", cast.today, cast.now)  # a second word of the same
    ordered = db.session.query(jobs.Job).filter_by(name="mail_gift_ended").count()
    unaccepted = given(cast)
    refunded(unaccepted, cast, 5000)
    assert (ordered, db.session.query(jobs.Job).filter_by(name="mail_gift_ended").count()) == (1, 1)
    assert mailbox.after("mail_gift_ended", payment_id=unaccepted.id) == []


def test_a_gift_whose_money_is_here_again_has_not_ended(cast: Cast, mailbox: Mailbox) -> None:
    payment = given(cast)
    gifts.accept(db.session.get_one(Gift, payment.id), cast.mallory, cast.now, cast.today)
    assert mailbox.after("mail_gift_ended", payment_id=payment.id) == []


def test_a_withdrawal_is_acknowledged_with_what_and_when(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    refund = request_refund(payment, 3000, "test", cast.now, "withdrawn")
    letter = mailbox.only("mail_withdrawal", refund_id=refund.id)
    assert letter["Subject"] == "We received your withdrawal"
    at = refund.requested_at.astimezone(clock.zone())
    assert f"Contract {payment.number} Withdrawn {at.day} {at:%b %Y, %H:%M} Goes back €30.00" in text_of(letter)


def renewing(cast: Cast, person: Person | None = None, **changes: object) -> AutoRenewal:
    person = person or cast.mallory
    standing = find_term_of_payment(pay(person, cast.plus, cast.today - timedelta(days=340)).id)
    assert standing is not None
    renewal = AutoRenewal(
        person_id=person.id, tier_id=cast.plus.id, fee_cents=5000, currency="EUR",
        charge_on=standing.ends_on + timedelta(days=1), locale="en", stripe_payment_method_id="pm_1", on_at=cast.now,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(renewal, name, value)
    db.session.add(renewal)
    db.session.commit()
    return renewal


def told(letter: Callable[..., None], cast: Cast, **arguments: object) -> list[EmailMessage]:
    """What a letter about renewing sends: its job's handler, called twice (no provider is asked here)."""
    box = Mailbox()
    box.empty()
    for _ in range(2):
        letter(cast.now, **arguments)
    return box.all()


def test_a_renewal_is_announced_with_price_and_day_and_how_to_stop_it(cast: Cast) -> None:
    renewal = renewing(cast)
    on, charge_on = renewal.charge_on, renewal.charge_on.isoformat()
    [letter] = told(renewal_letters.mail_renewal_notice, cast, auto_renewal_id=renewal.id, charge_on=charge_on)
    assert letter["Subject"].strip() == f"€50.00 on {day(on)}: your membership renews"
    text = text_of(letter)
    dates = offer_for(cast.mallory.id, cast.plus, cast.now, cast.today).offer.dates
    assert f"We take it on {day(on)}" in text and f"New last day {day(dates.ends_on)}" in text
    assert "Switch it off: http://127.0.0.1:8000/auto-renewal/off/" in text


def test_a_renewal_moved_or_switched_off_is_not_announced(cast: Cast) -> None:
    renewal = renewing(cast)
    then = (renewal.charge_on + timedelta(days=1)).isoformat()
    assert told(renewal_letters.mail_renewal_notice, cast, auto_renewal_id=renewal.id, charge_on=then) == []
    charge_on = renewal.charge_on.isoformat()
    renewal.off_at, renewal.off_because = cast.now, "member"
    db.session.commit()
    assert told(renewal_letters.mail_renewal_notice, cast, auto_renewal_id=renewal.id, charge_on=charge_on) == []


def test_a_refused_charge_says_when_it_is_tried_again(cast: Cast) -> None:
    renewal = renewing(cast)
    again = cast.today + timedelta(days=3)
    handler, arguments = renewal_letters.mail_renewal_failed, {"auto_renewal_id": renewal.id, "attempt": 1}
    [letter] = told(handler, cast, **arguments, next_on=again.isoformat())
    assert letter["Subject"] == "We could not take €50.00"
    assert f"We try again on {day(again)}" in text_of(letter)


def test_a_renewal_that_stopped_says_how_to_renew_by_hand(cast: Cast) -> None:
    renewal = renewing(cast, off_at=cast.now, off_because="unpaid")
    [letter] = told(renewal_letters.mail_renewal_stopped, cast, auto_renewal_id=renewal.id)
    assert letter["Subject"] == "Your membership no longer renews by itself"
    text = text_of(letter)
    assert "we have stopped trying" in text and "Renew for €50.00: http://127.0.0.1:8000/renew/link/" in text


def test_a_letter_is_in_the_language_of_its_reader_where_it_is_spoken(cast: Cast, mailbox: Mailbox) -> None:
    payment = paid(asked(cast.mallory, cast), cast)
    for language in ("en", "xx", None):  # one that is spoken, one that is not, none
        cast.mallory.language = language
        assert '<html lang="en">' in html_of(mailbox.only("mail_receipt", payment_id=payment.id))


def test_nobody_without_an_address_is_written_to(cast: Cast, mailbox: Mailbox) -> None:
    cast.mallory.email = None
    pending = asked(cast.mallory, cast)
    assert mailbox.after("mail_debit_pending", payment_id=pending.id) == []
    paid(pending, cast)
    disputed(pending, cast, "open")
    again = receipts.issue_again(pending, 3000, cast.now, cast.today)
    assert mailbox.after("mail_receipt", payment_id=pending.id) == []
    assert mailbox.after("mail_on_hold", payment_id=pending.id) == []
    assert mailbox.after("mail_receipt_again", receipt_id=again.id) == []
    refund = request_refund(pending, 3000, "test", cast.now, "withdrawn")
    assert mailbox.after("mail_withdrawal", refund_id=refund.id) == []
    receipt = receipts.issue_rectifying(refund, 3000, cast.now, cast.today)
    assert mailbox.after("mail_rectified", receipt_id=receipt.id) == []
    cast.carol.email = None
    renewal = renewing(cast, cast.carol, off_at=cast.now, off_because="unpaid")
    assert told(renewal_letters.mail_renewal_stopped, cast, auto_renewal_id=renewal.id) == []
