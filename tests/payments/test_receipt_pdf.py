"""A receipt is one page that says who paid whom, for which days, and what of it is tax; the same whenever asked for."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from pypdf import PdfReader

from app.association import get_association
from app.extensions import db
from app.memberships.service import find_term_of_payment
from app.payments import receipts
from app.payments.checkouts import send_refund
from app.payments.receipt_facts import ReceiptFacts
from app.payments.receipt_pdf import draw, receipt_pdf
from app.payments.refunds import request_refund
from tests.cast import Cast, pay
from tests.payments.mailbox import day
from tests.security.test_pages import made_up_app  # noqa: F401 -- a fixture: a second language
from tests.visitor import Visitor

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FACTS = ReceiptFacts(
    number="2026-000123", issued_on=date(2026, 11, 23), issued_at=datetime(2026, 11, 23, 10, tzinfo=UTC),
    issuer="Universitat de Montjuïc Alumni", issuer_lines=("Associació Alumni", "NIF G08000000", "Plaça 1"),
    payer="Łukasz Żółć", payer_number="M-000482", payment_number="P-2026-000123", tier="Plus", months=12,
    days=(date(2026, 11, 23), date(2027, 11, 22)), gift_for=None, cents=5000, currency="EUR", vat_code="exempt",
    method="transfer", value_on=date(2026, 11, 20),
)  # fmt: skip
CORRECTION = replace(FACTS, number="R2026-000007", cents=-5000, corrects="2026-000123", cause="withdrawn")


def text_of(content: bytes) -> str:
    [page] = PdfReader(io.BytesIO(content)).pages
    return " ".join(page.extract_text().split())


def test_a_receipt_names_both_sides_the_days_the_money_and_the_tax(app: Flask) -> None:
    text = text_of(draw(FACTS, ["en"]))
    for said in (
        "Universitat de Montjuïc Alumni", "Associació Alumni", "NIF G08000000", "Plaça 1", "Receipt 2026-000123",
        "Łukasz Żółć, M-000482", "Membership Plus", "23 November 2026 – 22 November 2027",
        "P-2026-000123, Bank transfer", "Value date 20 November 2026", "Exempt from VAT, art. 20.Uno.12 LIVA",
        "Total €50.00", "This is a receipt, not an invoice.",
    ):  # fmt: skip
        assert said in text, (said, text)


def test_a_correction_names_what_it_corrects_and_why_and_is_negative(app: Flask) -> None:
    text = text_of(draw(CORRECTION, ["en"]))
    assert "Rectifying receipt R2026-000007" in text and "Given back to Łukasz Żółć" in text
    assert "Corrects receipt 2026-000123, withdrawal from the contract" in text and "Total −€50.00" in text


def test_a_gift_names_for_whom_and_how_long(app: Flask) -> None:
    text = text_of(draw(replace(FACTS, days=None, gift_for="Bob"), ["en"]))
    assert "Membership Plus, 12 months, a gift for Bob" in text and "Days" not in text


def test_a_taxed_tier_shows_base_and_tax(app: Flask) -> None:
    text = text_of(draw(replace(FACTS, vat_code="21"), ["en"]))
    assert "Without VAT €41.32" in text and "VAT 21% €8.68" in text and "Exempt" not in text


@pytest.mark.parametrize("name", ["Иванова Ёлка", "Núria Col·lell i Muñoz", "Łucja Źdźbło", "Ştefan Ćirić"])
def test_every_letter_of_a_name_is_in_the_face(app: Flask, name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert name in text_of(draw(replace(FACTS, payer=name), ["en", "ru"]))
    assert "missing" not in caplog.text


def test_the_same_receipt_is_the_same_bytes_and_says_its_language_and_title(app: Flask) -> None:
    first = draw(FACTS, ["en"])
    assert first == draw(FACTS, ["en"])
    reader = PdfReader(io.BytesIO(first))
    assert reader.metadata is not None and reader.metadata.title == "Receipt 2026-000123"
    assert reader.trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]
    width, height = reader.pages[0].mediabox[2:]
    assert (round(float(width)), round(float(height))) == (595, 842)


def test_somebody_with_another_language_reads_both(made_up_app: Flask) -> None:  # noqa: F811
    two, one = text_of(draw(FACTS, ["eo", "en"])), text_of(draw(FACTS, ["en"]))
    assert "⟦" not in one and "Receipt 2026-000123" in one
    for said in ("Receipt 2026-000123", "Value date", "This is a receipt, not an invoice.", "Membership Plus"):
        assert said in two.replace("⟦", "").replace("⟧", "")
    assert two.count("Total") == 2 and one.count("Total") == 1


def test_a_receipt_of_the_books_reads_as_they_do(cast: Cast) -> None:
    association = get_association()
    association.legal_name, association.tax_id, association.address = "Associació", "G08000000", "Plaça 1\n08038 BCN"
    payment = pay(cast.mallory, cast.basic, cast.today)
    refund = request_refund(payment, 3000, "test", cast.now)
    db.session.commit()
    send_refund(refund.id)
    term = find_term_of_payment(payment.id)
    receipt, correction = receipts.receipts_of(payment.id)
    assert term is not None
    text = text_of(receipt_pdf(receipt))
    assert f"{day(term.starts_on)} – {day(term.sold_ends_on)}" in text  # as sold, though it ended
    assert "Mallory Camps" in text and "NIF G08000000 Plaça 1 08038 BCN" in text and "Total €30.00" in text
    text = text_of(receipt_pdf(correction))
    assert f"Corrects receipt {receipt.number}, refund" in text and "Total −€30.00" in text


def test_a_payer_opens_their_own_receipt_and_nobody_elses(app: Flask, cast: Cast) -> None:
    receipt = receipts.receipts_of(pay(cast.mallory, cast.basic, cast.today).id)[0]
    number = receipt.number
    response = Visitor(app, "mallory@example.org").get(f"/account/receipts/{number}.pdf")
    assert (response.status_code, response.mimetype) == (200, "application/pdf")
    assert response.headers["Content-Disposition"] == f'inline; filename="{number}.pdf"'
    assert text_of(response.data)
    alice = Visitor(app, "alice@example.org")
    for other in (number, "2026-999999", "R2026-000099", "x", "2026-1", f"{number}0"):
        assert alice.get(f"/account/receipts/{other}.pdf").status_code == 404
    treasurer = Visitor(app, "treasurer@example.org")
    assert treasurer.get(f"/treasury/receipts/{number}.pdf").data == response.data
    assert treasurer.get("/treasury/receipts/2026-999999.pdf").status_code == 404
    assert treasurer.get(f"/account/receipts/{number}.pdf").status_code == 404


def test_the_face_is_there_under_the_name_the_receipts_use(app: Flask) -> None:
    fonts = Path(app.static_folder or "") / "vendor" / "fonts"
    assert {"commissioner-regular.ttf", "commissioner-semibold.ttf"} <= {file.name for file in fonts.iterdir()}
