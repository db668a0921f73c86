"""Money that came by hand, as staff type it in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from app.money import parse_amount


class RecordForm(FlaskForm):
    """One fee that came by transfer or in cash; choices are set by the view."""

    what = RadioField(_l("What it is for"), validators=[DataRequired(_l("Choose what the money is for."))])
    amount = StringField(_l("Amount in euros"), validators=[Length(max=12, message=_l("Write it such as 30.00."))])
    method = SelectField(_l("How it came"), validators=[DataRequired(_l("Choose how the money came."))])
    value_on = DateField(_l("Value date"), validators=[DataRequired(_l("Give the day it came."))])


def read_amount(text: str) -> int:
    """ "30.00" or "30,00" -> 3000. Raises Refusal."""
    return parse_amount(text.strip().replace(",", "."))
