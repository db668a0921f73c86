"""What the administrator fills in about a desk."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

MEMBERSHIP = "-"  # in place of a benefit's code


class DeskForm(FlaskForm):
    """What a desk checks, and what it sees; the benefits are set by the view."""

    benefit = SelectField(_l("It checks"), validators=[InputRequired(_l("Say what it checks."))])
    sees_who = BooleanField(_l("Staff here see name and photo"))


class DeviceForm(FlaskForm):
    """A tablet to be paired."""

    name = StringField(
        _l("What you call it"),
        validators=[DataRequired(_l("Give it a name, such as Blue tablet.")), Length(max=60)],
    )
