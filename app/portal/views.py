"""Pages that gather: the landing, the member's home, why a member, the administrator's home."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, current_app, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_login import current_user
from flask_wtf import FlaskForm

from app import clock, jobs
from app.accounts import access
from app.accounts import service as accounts
from app.accounts.signed_in import current_account, current_person
from app.benefits.service import benefit_names
from app.cards.qr import qr_svg
from app.cards.service import find_card
from app.errors import problem
from app.extensions import is_migrated
from app.memberships.service import (
    Membership,
    count_by_status,
    count_by_tier,
    list_tiers,
    membership_of,
    memberships_of,
    offer_for,
    price_on,
)
from app.payments import ledger
from app.payments import service as payments
from app.payments.receipts import find_receipt
from app.people.models import Person
from app.people.service import count_people, find_people, get_person, number_in
from app.portal.explaining import explain, term_rows
from app.services.service import list_services
from app.verification.service import last_scan_of_person, last_use_of_services

bp = Blueprint("portal", __name__)
MOST_FOUND = 50


@bp.get("/")
@access.public
def index() -> ResponseReturnValue:
    if not current_user.is_authenticated:
        return _landing()
    person = current_person()
    if person is not None:
        return _home(person)
    if len(current_account().persons) > 1:
        return redirect(url_for("accounts.choose_person"))
    for role, endpoint in (
        ("treasurer", "treasury.index"),
        ("admin", "portal.admin"),
        ("scanner", "verification.scan"),
    ):
        if current_user.has_role(role):
            return redirect(url_for(endpoint))
    return redirect(url_for("payments.join"))


@bp.get("/account")
@access.signed_in
def account() -> ResponseReturnValue:
    return _account_page()


@bp.post("/account")
@access.signed_in
def change_account() -> ResponseReturnValue:
    """Keep theme and language in this browser."""
    theme, language = request.form.get("theme", ""), request.form.get("language", "")
    session["theme"] = theme if theme in ("light", "dark") else ""
    if language in current_app.extensions["languages"]:
        session["locale"] = language
    return redirect(url_for("portal.account"), 303)


@bp.get("/account/why")
@access.signed_in
def why() -> ResponseReturnValue:
    person = current_person()
    if person is None:
        return redirect(url_for("payments.join"))
    now, today = clock.now(), clock.today()
    return render_template(
        "portal/why.html", because=_sentence(explain(person, now, today)["because"]), today=today,
        membership=membership_of(person.id, now, today), terms=term_rows(person),
    )  # fmt: skip


@bp.get("/admin")
@access.admin
def admin() -> ResponseReturnValue:
    now, today = clock.now(), clock.today()
    used, held = last_use_of_services(), count_by_tier(today)
    services = list_services()
    tiers = [
        SimpleNamespace(
            code=t.code, name=t.name, fee_cents=price_on(t, today).fee_cents, currency=price_on(t, today).currency,
            months=t.months, grace_days=t.grace_days, members=held.get(t.id, 0), benefits=benefit_names(t),
        )
        for t in list_tiers()
    ]  # fmt: skip
    return render_template(
        "portal/admin.html",
        worker=SimpleNamespace(seen_at=jobs.last_seen(), is_alive=jobs.is_worker_alive(now)),
        dead_jobs=[
            SimpleNamespace(id=j.id, name=j.name, failed_at=j.run_at, error=j.last_error) for j in jobs.find_dead()
        ],
        waiting_jobs=jobs.count_waiting(),
        counts=SimpleNamespace(people=count_people(), **count_by_status(today)),
        tiers=tiers,
        desks=[
            SimpleNamespace(name=s.name, benefit=s.benefit.name if s.benefit else None, last_scan_at=used.get(s.id))
            for s in services
            if s.has_scope("scan")
        ],
        services=[
            SimpleNamespace(name=s.name, scopes=s.scopes.split(","), last_used_at=used.get(s.id))
            for s in services
            if not s.has_scope("scan")
        ],
    )


@bp.get("/admin/people")
@access.staff("register")
def people() -> ResponseReturnValue:
    """Find one person by name, member number or address."""
    wanted = request.args.get("text", "").strip()[:100]
    now, today = clock.now(), clock.today()
    found = find_people(wanted, MOST_FOUND + 1)
    standings = memberships_of([it.id for it in found], now, today)
    rows = [
        SimpleNamespace(
            full_name=it.full_name, member_number=it.member_number, email=it.email, membership=standings[it.id]
        )
        for it in found[:MOST_FOUND]
    ]  # fmt: skip
    return render_template("portal/people.html", text=wanted, people=rows, is_cut=len(found) > MOST_FOUND)


@bp.get("/admin/people/<number>")
@access.staff("register")
def person(number: str) -> ResponseReturnValue:
    """Staff's record of one person: why a member today."""
    now, today = clock.now(), clock.today()
    found = get_person(number_in(number) or 0)
    card, scan = find_card(found.id), last_scan_of_person(found.id)
    degrees = [", ".join(str(part) for part in (d.name, d.faculty, d.graduation_year) if part) for d in found.degrees]
    shown = SimpleNamespace(
        full_name=found.full_name, member_number=found.member_number, email=found.email, phone=found.phone,
        language=found.language, student_id=found.student_id, degrees=degrees,
    )  # fmt: skip
    return render_template(
        "portal/person.html", person=shown, because=_sentence(explain(found, now, today)["because"]),
        membership=membership_of(found.id, now, today), terms=term_rows(found), payments=_payment_rows(found),
        card=SimpleNamespace(
            issued_on=clock.day_of(card.issued_at), last_scan_at=scan.checked_at if scan else None,
            last_scan_reason=scan.reason if scan else None,
        ) if card else None,
    )  # fmt: skip


@bp.get("/privacy")
@access.public
def privacy() -> ResponseReturnValue:
    return render_template("portal/privacy.html")


@bp.get("/accessibility")
@access.public
def accessibility() -> ResponseReturnValue:
    return render_template("portal/accessibility.html")


@bp.get("/healthz")
@access.public
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
@access.public
def readyz() -> ResponseReturnValue:
    """The database answers, is migrated, and a worker was seen."""
    if not is_migrated():
        return problem(503, "not_migrated", "The database is behind the code: run flask db upgrade.")
    if not jobs.is_worker_alive(clock.now()):
        return problem(503, "no_worker", "No worker has been seen for two minutes: start flask jobs work.")
    return jsonify(status="ok")


def _landing() -> str:
    today = clock.today()
    tiers = [
        SimpleNamespace(
            code=t.code, name=t.name, fee_cents=price_on(t, today).fee_cents, currency=price_on(t, today).currency,
            months=t.months, benefits=benefit_names(t),
        )
        for t in list_tiers()
    ]  # fmt: skip
    picture = qr_svg(current_app.config["BASE_URL"], "")
    return render_template("portal/landing.html", tiers=tiers, code_svg=picture)


def _home(person: Person) -> str:
    now, today = clock.now(), clock.today()
    membership = membership_of(person.id, now, today)
    waiting = payments.find_open_payment(person.id)
    pending = waiting if waiting is not None and waiting.completed_at is not None else None
    return render_template(
        "portal/home.html", today=today, person=person, membership=membership,
        renewal=None if pending else _renewal(person, membership, now, today), pending=pending and SimpleNamespace(
            number=pending.number, amount_cents=pending.amount_cents, currency=pending.currency,
            asked_on=pending.opened_on,
        ),
        has_card=membership.is_valid and find_card(person.id) is not None,
        benefits=benefit_names(membership.tier) if membership.tier and membership.is_valid else [],
        payments=_payment_rows(person),
    )  # fmt: skip


def _renewal(person: Person, membership: Membership, now: Any, today: Any) -> SimpleNamespace | None:
    """What one press would buy; None where nothing may be bought now."""
    tiers = list_tiers()
    tier = membership.tier or (tiers[0] if tiers else None)
    if tier is None or membership.has_future or membership.status == "suspended":
        return None
    offered = offer_for(person.id, tier, now, today)
    return SimpleNamespace(
        tier=tier, price_cents=offered.fee_cents, currency=offered.currency, ends_on=offered.offer.dates.ends_on
    )


def _payment_rows(person: Person) -> list[SimpleNamespace]:
    """Payments that moved money or still may, newest first."""
    rows = []
    for payment in payments.payments_of(person.id):
        found = payments.view(payment)
        if found.state in ("open", "closed"):
            continue
        receipt = find_receipt(payment.id)
        balance: ledger.Balance = found.balance
        state = "partly_refunded" if found.state == "paid" and balance.refunded_cents else found.state
        rows.append(
            SimpleNamespace(
                number=payment.number, paid_on=payment.paid_on, on=payment.paid_on or payment.opened_on,
                receipt_number=receipt.number if receipt else None, tier=payment.tier,
                amount_cents=payment.amount_cents, currency=payment.currency,
                state="waiting" if state == "pending" else state, person_name=person.full_name,
                member_number=person.member_number, method=None, fee_cents=balance.provider_fee_cents,
                counts=payment.paid_at is not None,
            )
        )  # fmt: skip
    return rows


def _account_page() -> str:
    now = clock.now()
    it, owner = current_account(), current_person()
    devices = [
        SimpleNamespace(id=s.id, label=s.device, last_seen_at=s.last_seen_at, is_current=s.id == current_user.row.id)
        for s in accounts.list_sessions(it, now)
    ]
    shown = SimpleNamespace(
        full_name=owner.full_name if owner else it.email, member_number=owner.member_number if owner else "",
        email=it.email, phone=owner.phone if owner else None, language=None,
    )  # fmt: skip
    languages = current_app.extensions["languages"]
    return render_template(
        "portal/account.html", person=shown, devices=devices, languages=list(languages.items()), form=FlaskForm(),
        lang=str(get_locale()),
    )  # fmt: skip


def _sentence(text_: str) -> str:
    return text_[:1].upper() + text_[1:] + "."
