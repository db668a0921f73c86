"""What the administrator fills in about a benefit."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, NumberRange, Optional

AMOUNT = _l("Write it such as 12.00.")


class BenefitForm(FlaskForm):
    """A benefit as it is or shall be; tiers and partners are set by the view."""

    name = StringField(_l("Name"), validators=[DataRequired(_l("Give a name.")), Length(max=80)])
    description = TextAreaField(_l("How to use it"), validators=[Length(max=500)])
    kind = RadioField(
        _l("Who gives it"), default="campus",
        choices=[("campus", _l("The campus")), ("partner", _l("A partner outside"))],
    )  # fmt: skip
    partner = SelectField(_l("Service that provides it"), validators=[Optional()])
    tiers = SelectMultipleField(_l("Tiers that have it"), coerce=int)
    in_grace = BooleanField(_l("Also in the days of grace"), default=True)
    available_from = DateField(_l("From"), validators=[Optional()])
    available_until = DateField(_l("Last day"), validators=[Optional()])
    limit_count = IntegerField(
        _l("How often"), validators=[Optional(), NumberRange(1, 1000, _l("A limit is 1 to 1000."))]
    )
    limit_period = SelectField(
        _l("In each"), default="month", validators=[Optional()],
        choices=[("day", _l("day")), ("month", _l("month")), ("term", _l("year of membership"))],
    )  # fmt: skip
    value = StringField(_l("What one use is worth to a member, in euros"), validators=[Length(max=12, message=AMOUNT)])
    cost = StringField(_l("What one use costs the association, in euros"), validators=[Length(max=12, message=AMOUNT)])
    discount_percent = IntegerField(
        _l("Takes off a price, in percent"),
        validators=[Optional(), NumberRange(1, 100, _l("A percentage is 1 to 100."))],
    )
    discount = StringField(_l("Takes off a price, in euros"), validators=[Length(max=12, message=AMOUNT)])
    offline_ok = BooleanField(_l("Desks count it without signal too"))
    by_code = BooleanField(_l("Members draw codes for it"))


class NewBenefitForm(BenefitForm):
    """And the code that services ask for it by."""

    code = StringField(_l("Code"), validators=[DataRequired(_l("Give a code such as library.")), Length(max=31)])
