"""What a visitor types to sign in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import EmailField, StringField
from wtforms.validators import DataRequired, Length, Regexp, ValidationError

from app.people.service import is_email


class SignInForm(FlaskForm):
    email = EmailField(
        _l("E-mail"),
        validators=[
            DataRequired(_l("Type your e-mail address.")),
            Length(max=254, message=_l("That is too long for an e-mail address.")),
        ],
        filters=[lambda text: text.strip() if text else text],
        render_kw={"autocomplete": "email", "inputmode": "email"},
    )

    def validate_email(self, field: EmailField) -> None:
        if not is_email(field.data or ""):
            raise ValidationError(_l("That is not a whole e-mail address, such as marta@example.org."))


class CodeForm(FlaskForm):
    code = StringField(
        _l("Code"),
        validators=[
            DataRequired(_l("Type the 8 digits from the mail.")),
            Regexp(r"\s*(\d\s*){8}\Z", message=_l("The code has 8 digits.")),
        ],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )
