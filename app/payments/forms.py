"""What a member fills in to pay. Never an amount: that comes from our tables."""

from __future__ import annotations

import unicodedata

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, EmailField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from app.people.service import is_email


def plain_lines(text: str | None) -> str:
    """Text without control characters but line ends."""
    lines = (text or "").replace("\r\n", "\n").strip()
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) != "Cc")


def one_line(text: str | None) -> str:
    return " ".join(plain_lines(text).split())


class TierForm(FlaskForm):
    """Choosing a tier; its choices are set by the view."""

    tier = RadioField(_l("Tier"), validators=[DataRequired(_l("Choose a tier."))], validate_choice=False)

    def validate_tier(self, field: RadioField) -> None:
        if field.data not in {code for code, _name in field.choices or ()}:
            raise ValidationError(_l("This tier is not on sale for you. Choose another."))


class FeeForm(TierForm):
    """One's own fee, and whether the next ones are taken without asking."""

    auto_renewal = BooleanField(_l("Renew for me, until I stop it"))


class NamesForm(FlaskForm):
    """For somebody who is not in the register yet."""

    given_name = StringField(
        _l("Given name"), validators=[DataRequired(_l("Tell us your given name.")), Length(max=100)]
    )
    family_name = StringField(
        _l("Family name"), validators=[DataRequired(_l("Tell us your family name.")), Length(max=100)]
    )


class NewcomerForm(FeeForm, NamesForm):
    """A first fee."""


class GiftForm(TierForm):
    """A tier for somebody else."""

    recipient_name = StringField(
        _l("Their name"),
        validators=[
            DataRequired(_l("Tell us whom it is for.")),
            Length(max=100, message=_l("That is too long for a name.")),
        ],
        filters=[one_line],
    )
    recipient_email = EmailField(
        _l("Their e-mail address"),
        validators=[
            DataRequired(_l("Type the address the gift goes to.")),
            Length(max=254, message=_l("That is too long for an e-mail address.")),
        ],
        filters=[one_line],
    )
    message = TextAreaField(
        _l("Your message"),
        validators=[Optional(), Length(max=500, message=_l("Keep it within 500 characters."))],
        filters=[plain_lines],
    )

    def validate_recipient_email(self, field: EmailField) -> None:
        if not is_email(field.data or ""):
            raise ValidationError(_l("That is not a whole e-mail address, such as marta@example.org."))


class NewGiverForm(GiftForm, NamesForm):
    """A gift of somebody who is not in the register yet."""
