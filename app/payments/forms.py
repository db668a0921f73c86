"""What a member fills in to pay. Never an amount: that comes from our tables."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, StringField
from wtforms.validators import DataRequired, Length


class TierForm(FlaskForm):
    """Choosing a tier; its choices are set by the view."""

    tier = RadioField(_l("Tier"), validators=[DataRequired(_l("Choose a tier."))])


class NewcomerForm(TierForm):
    """The same for somebody who is not in the register yet."""

    given_name = StringField(
        _l("Given name"), validators=[DataRequired(_l("Tell us your given name.")), Length(max=100)]
    )
    family_name = StringField(
        _l("Family name"), validators=[DataRequired(_l("Tell us your family name.")), Length(max=100)]
    )
