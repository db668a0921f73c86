"""What the administrator fills in."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional


def days(label: object, least: int, most: int, message: object) -> IntegerField:
    return IntegerField(label, validators=[InputRequired(message), NumberRange(least, most, message)])


class HoldForm(FlaskForm):
    """Why somebody is put on hold."""

    because = StringField(_l("Why"), validators=[DataRequired(_l("Say why.")), Length(max=200)])


class GrantForm(FlaskForm):
    """Days that nobody pays for. `seen` is the newest term its page showed: sent twice, the second is refused."""

    tier = SelectField(_l("Tier"), validators=[DataRequired(_l("Choose a tier."))])
    length = RadioField(
        _l("How long"), validators=[DataRequired(_l("Say how long."))], default="months",
        choices=[("months", _l("Months")), ("until", _l("Until a day")), ("life", _l("For life"))],
    )  # fmt: skip
    months = IntegerField(
        _l("Months"), validators=[Optional(), NumberRange(1, 120, _l("Months are 1 to 120."))]
    )  # fmt: skip
    until = DateField(_l("Last day"), validators=[Optional()])
    because = StringField(_l("Why, as the member will read it"), validators=[
        DataRequired(_l("Say why these days are granted.")), Length(max=200)
    ])  # fmt: skip
    seen = HiddenField()


class DocumentForm(FlaskForm):
    """The document that a reduced fee asks for was seen."""

    tier = SelectField(_l("Tier"), validators=[DataRequired(_l("Choose a tier."))])
    until = DateField(_l("Proves it until"), validators=[Optional()])


class PriceForm(FlaskForm):
    """Another fee from a day on."""

    fee = StringField(_l("Fee in euros"), validators=[DataRequired(_l("Write it such as 30.00.")), Length(max=12)])
    from_on = DateField(_l("From"), validators=[DataRequired(_l("Give the first day it is asked."))])


class CloseForm(FlaskForm):
    """Selling a tier no more; choices are set by the view."""

    on = DateField(_l("First day it is no longer sold"), validators=[DataRequired(_l("Give a day."))])
    successor = SelectField(_l("Its holders renew into"))


class NewTierForm(FlaskForm):
    """A new fixed plan."""

    code = StringField(_l("Code"), validators=[DataRequired(_l("Give a code such as young.")), Length(max=31)])
    name = StringField(_l("Name"), validators=[DataRequired(_l("Give a name.")), Length(max=60)])
    fee = StringField(_l("Fee in euros"), validators=[DataRequired(_l("Write it such as 30.00.")), Length(max=12)])
    months = days(_l("Months"), 1, 120, _l("Months are 1 to 120."))
    grace_days = days(_l("Days of grace"), 0, 366, _l("Days of grace are 0 to 366."))
    fixed_start = StringField(_l("The same first day for everybody"), validators=[Length(max=5)])
    bonus_days = days(_l("Bonus days"), 0, 366, _l("Bonus days are 0 to 366."))
    condition = SelectField(
        _l("Who may have it"), validators=[Optional()],
        choices=[
            ("", _l("Everybody")), ("graduated_within", _l("Who graduated lately")),
            ("document", _l("Whose document was seen")),
        ],
    )  # fmt: skip
    graduated_within = IntegerField(
        _l("Graduated at most so many years ago"),
        validators=[Optional(), NumberRange(0, 100, _l("Years are 0 to 100."))],
    )
    reminders = StringField(_l("Reminders, in days from the last day"), validators=[Length(max=100)])
    vat_code = SelectField(
        _l("VAT"), choices=[("exempt", _l("Exempt")), *((rate, f"{rate} %") for rate in ("0", "4", "10", "21"))]
    )


class PapersForm(FlaskForm):
    """The association's particulars; papers.py judges them."""

    name = StringField(_l("Name"), validators=[DataRequired(_l("Give a name.")), Length(max=200)])
    kind = StringField(_l("Kind"), validators=[DataRequired(_l("Give a kind, such as Alumni.")), Length(max=100)])
    contact_email = StringField(
        _l("Address members write to"), validators=[DataRequired(_l("Give an e-mail address.")), Length(max=200)]
    )
    legal_name = StringField(_l("Legal name"), validators=[Length(max=200)])
    tax_id = StringField(_l("NIF"), validators=[Length(max=30)])
    address = TextAreaField(_l("Postal address"), validators=[Length(max=500)])
    iban = StringField(_l("IBAN"), validators=[Length(max=60)])
    bic = StringField(_l("BIC"), validators=[Length(max=20)])
    withdrawal_days = days(_l("Days to withdraw"), 0, 365, _l("Days to withdraw are 0 to 365."))
    renewal_notice_days = days(_l("Days of notice"), 15, 90, _l("Days of notice are 15 to 90."))
    scan_days = days(_l("Days that checks of a card are kept"), 1, 366, _l("Days that checks are kept are 1 to 366."))
