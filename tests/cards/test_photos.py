"""A member's photo: theirs to choose and to delete, changed only when staff agree, seen by nobody else."""

from __future__ import annotations

import re
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app import clock, jobs
from app.audit import AuditEntry
from app.cards import photos
from app.cards.models import Photo
from app.cards.pictures import MOST_BYTES
from app.extensions import db
from tests.cards.pictures import a_picture, opened
from tests.cast import Cast
from tests.payments.mailbox import Mailbox
from tests.visitor import Visitor

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FIRST, SECOND, THIRD = a_picture((300, 200)), a_picture((200, 300)), a_picture((250, 250))


def choose(visitor: Visitor, content: bytes = FIRST, position: str = "50") -> TestResponse:
    """The form as a browser sends it."""
    fields = {"csrf_token": visitor.token(), "position": position}
    parts = [f'--line\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()]
    file = b'--line\r\nContent-Disposition: form-data; name="picture"; filename="me.jpg"\r\n\r\n'
    return visitor._send(
        "POST", "/card/photo", data=b"".join(parts) + file + content + b"\r\n--line--\r\n",
        content_type="multipart/form-data; boundary=line",
    )  # fmt: skip


def said(response: TestResponse) -> str:
    return " ".join(response.get_data(as_text=True).split())


def pictures_on(page: TestResponse) -> list[str]:
    return re.findall(r'src="(/card/photo/\d+\.jpg)"', page.get_data(as_text=True))


def letters() -> list[EmailMessage]:
    """What was written about photos."""
    jobs.work_off(clock.now)
    return [letter for letter in Mailbox().all() if "photo" in letter["Subject"]]


def audited() -> list[str]:
    query = sa.select(AuditEntry.action).where(AuditEntry.subject.like("photo:%")).order_by(AuditEntry.id)
    return list(db.session.execute(query).scalars())


def waiting_id(person_id: int) -> int:
    found = photos.waiting_photo_of(person_id)
    assert found is not None
    return found.id


def test_the_first_photo_is_on_the_card_at_once(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    assert pictures_on(alice.get("/card")) == []
    assert choose(alice).status_code == 303
    assert "Your photo is on your card." in said(alice.get("/card/photo"))
    (address,) = pictures_on(alice.get("/card"))
    picture = alice.get(address)
    assert (picture.mimetype, picture.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert opened(picture.data).size == (480, 480)
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert audited() == ["photo_added"]


def test_another_photo_waits_and_the_old_one_stays_until_staff_approve(app: Flask, cast: Cast) -> None:
    alice, admin = Visitor(app, "alice@example.org"), Visitor(app, "admin@example.org")
    choose(alice)
    before = pictures_on(alice.get("/card"))
    choose(alice, SECOND)
    assert "Your photo waits for the association to look at it." in said(alice.get("/card/photo"))
    assert pictures_on(alice.get("/card")) == before
    wanted = waiting_id(cast.alice.id)
    assert len(pictures_on(alice.get("/card/photo"))) == 2
    assert "Photos" in said(admin.get("/admin"))
    assert cast.alice.full_name in said(admin.get("/admin/photos"))
    assert admin.post(f"/admin/photos/{wanted}/approve").status_code == 303
    assert pictures_on(alice.get("/card")) == [f"/card/photo/{wanted}.jpg"]
    assert "No photo waits" in said(admin.get("/admin/photos"))
    assert audited() == ["photo_added", "photo_offered", "photo_approved"]
    db.session.expire_all()
    old = db.session.query(Photo).filter(Photo.id != wanted).one()
    assert old.jpeg is None and old.removed_at is not None  # nothing of the picture stays


def test_approving_twice_or_after_it_was_taken_back_changes_nothing(app: Flask, cast: Cast) -> None:
    alice, admin = Visitor(app, "alice@example.org"), Visitor(app, "admin@example.org")
    choose(alice)
    choose(alice, SECOND)
    wanted = waiting_id(cast.alice.id)
    alice.post("/card/photo/remove", {"photo": str(wanted)})
    shown = pictures_on(alice.get("/card"))
    for _twice in range(2):
        admin.post(f"/admin/photos/{wanted}/approve")
        assert "waits no more" in said(admin.get("/admin/photos"))
    admin.post(f"/admin/photos/{wanted}/refuse", {"reason": "face"})
    assert pictures_on(alice.get("/card")) == shown
    assert letters() == []


def test_staff_approve_the_very_photo_they_saw(app: Flask, cast: Cast) -> None:
    alice, admin = Visitor(app, "alice@example.org"), Visitor(app, "admin@example.org")
    choose(alice)
    shown = pictures_on(alice.get("/card"))
    choose(alice, SECOND)
    seen = waiting_id(cast.alice.id)
    choose(alice, THIRD)  # in the place of the one that waits
    assert waiting_id(cast.alice.id) != seen
    admin.post(f"/admin/photos/{seen}/approve")
    assert pictures_on(alice.get("/card")) == shown
    assert len(photos.waiting_photos()) == 1


def test_a_refused_photo_is_deleted_and_its_owner_is_told_why(app: Flask, cast: Cast) -> None:
    alice, admin = Visitor(app, "alice@example.org"), Visitor(app, "admin@example.org")
    choose(alice)
    shown = pictures_on(alice.get("/card"))
    choose(alice, SECOND)
    wanted = waiting_id(cast.alice.id)
    refused = admin.post(f"/admin/photos/{wanted}/refuse")
    assert refused.status_code == 400 and "Say why." in said(refused)
    for _twice in range(2):
        admin.post(f"/admin/photos/{wanted}/refuse", {"reason": "somebody_else"})
    (letter,) = letters()
    assert letter["To"] == "alice@example.org" and letter["Subject"] == "Your photo was not taken for the card"
    text = " ".join(letter.get_body(("plain",)).get_content().split())
    assert "Choose one of you alone." in text and "stays on your card" in text
    assert pictures_on(alice.get("/card")) == shown
    assert audited() == ["photo_added", "photo_offered", "photo_refused"]
    db.session.expire_all()
    assert db.session.get_one(Photo, wanted).jpeg is None


def test_who_deletes_a_photo_and_chooses_another_has_that_one_looked_at(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    choose(alice)
    shown = photos.photo_of(cast.alice.id)
    assert shown is not None
    for _twice in range(2):
        assert alice.post("/card/photo/remove", {"photo": str(shown.id)}).status_code == 303
    assert pictures_on(alice.get("/card")) == []
    choose(alice, SECOND)
    assert pictures_on(alice.get("/card")) == []
    admin = Visitor(app, "admin@example.org")
    assert "there was one before" in said(admin.get("/admin/photos"))
    admin.post(f"/admin/photos/{waiting_id(cast.alice.id)}/approve")
    assert len(pictures_on(alice.get("/card"))) == 1
    assert audited() == ["photo_added", "photo_removed", "photo_offered", "photo_approved"]


def test_staff_take_down_a_photo_that_should_not_be_there(app: Flask, cast: Cast) -> None:
    alice, admin = Visitor(app, "alice@example.org"), Visitor(app, "admin@example.org")
    choose(alice)
    path = f"/admin/people/{cast.alice.member_number}/photo/remove"
    assert admin.post(path).status_code == 400
    for _twice in range(2):
        assert admin.post(path, {"reason": "unfit"}).status_code == 303
    assert pictures_on(alice.get("/card")) == []
    (letter,) = letters()
    assert letter["Subject"] == "Your photo is no longer on your card"
    assert audited() == ["photo_added", "photo_taken_down"]


@SQLITE
def test_nobody_else_sees_a_photo(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    choose(alice)
    choose(alice, SECOND)
    addresses = pictures_on(alice.get("/card/photo"))
    for address in addresses:
        number = re.search(r"\d+", address)[0]
        assert alice.get(address).status_code == 200
        assert Visitor(app, "bob@example.org").get(address).status_code == 404
        assert Visitor(app).get(address).status_code == 302
        for who, status in (("admin", 200), ("treasurer", 403), ("scanner", 403), ("alice", 403), ("bob", 403)):
            assert Visitor(app, f"{who}@example.org").get(f"/admin/photos/{number}.jpg").status_code == status
    bob = Visitor(app, "bob@example.org")
    assert bob.post("/card/photo/remove", {"photo": re.search(r"\d+", addresses[0])[0]}).status_code == 303
    assert len(pictures_on(alice.get("/card/photo"))) == 2
    alice.post("/card/photo/remove", {"photo": re.search(r"\d+", addresses[0])[0]})
    assert [alice.get(address).status_code for address in addresses].count(404) == 1


@SQLITE
def test_a_photo_may_be_larger_than_other_forms_but_not_endless(app: Flask, cast: Cast) -> None:
    alice = Visitor(app, "alice@example.org")
    whole = a_picture((3000, 2000), "PNG") + b"\0" * 2_000_000
    assert choose(alice, whole).status_code == 303
    refused = choose(alice, b"\xff\xd8\xff" + b"\0" * (MOST_BYTES + 200_000))
    assert refused.status_code == 413
    assert "8 MB at most" in said(refused)
    assert alice.post("/account", {"theme": "x" * 1_100_000}).status_code == 413


@SQLITE
@pytest.mark.parametrize(
    ("content", "position", "words"),
    [
        (b"GIF89a" + b"\0" * 300, "50", "not a picture we can read"),
        (b"", "50", "not a picture we can read"),
        (FIRST[:900], "50", "damaged or incomplete"),
        (FIRST, "101", "Choose a part of the picture."),
        (FIRST, "x", "Choose a part of the picture."),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field(
    app: Flask, cast: Cast, content: bytes, position: str, words: str
) -> None:
    alice = Visitor(app, "alice@example.org")
    refused = choose(alice, content, position=position)
    assert refused.status_code == 400
    assert words in said(refused) and 'role="alert"' in said(refused)
    assert photos.photo_of(cast.alice.id) is None


def test_two_uploads_at_once_leave_one_shown_and_one_waiting_at_most(app: Flask, cast: Cast) -> None:
    """The database refuses a second shown or waiting photo, whatever the code thinks."""
    now = clock.now()
    for approved_at in (now, None):
        db.session.add(Photo(person_id=cast.alice.id, jpeg=b"x", uploaded_at=now, approved_at=approved_at))
        db.session.commit()
        db.session.add(Photo(person_id=cast.alice.id, jpeg=b"x", uploaded_at=now, approved_at=approved_at))
        with pytest.raises(sa.exc.IntegrityError):
            db.session.flush()
        db.session.rollback()


@SQLITE
def test_an_account_of_nobody_in_the_register_has_no_photo(app: Flask, cast: Cast) -> None:
    scanner = Visitor(app, "scanner@example.org")
    assert scanner.get("/card/photo").status_code == 404
    assert choose(scanner).status_code == 404
