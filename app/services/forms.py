"""What the administrator fills in about a service."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

MEMBERSHIP = "-"  # in place of a benefit's code


class ServiceForm(FlaskForm):
    """What a service may ask, and which benefit it means; scopes and benefits are set by the view."""

    scopes = SelectMultipleField(_l("It may"), validators=[InputRequired(_l("Choose what it may do."))])
    benefit = SelectField(_l("The benefit it means when it names none"), validators=[InputRequired()])


class NewServiceForm(ServiceForm):
    name = StringField(_l("Name"), validators=[DataRequired(_l("Give it a name, such as Library.")), Length(max=60)])


class KeyForm(FlaskForm):
    label = StringField(_l("What you call the key"), validators=[Length(max=60)])


class ServicePersonForm(FlaskForm):
    email = StringField(_l("Address"), validators=[DataRequired(_l("Give the address they sign in with."))])
