"""What is filled in about cards and photos."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, IntegerRangeField, RadioField
from wtforms.validators import DataRequired, NumberRange

from app.cards.pictures import ACCEPTED


class PhotoForm(FlaskForm):
    """A picture, and where along its longer side the square lies, in percent."""

    picture = FileField(
        _l("Photo"), validators=[FileRequired(_l("Choose a photo first."))], render_kw={"accept": ACCEPTED}
    )
    position = IntegerRangeField(
        _l("Which part of it"), default=50, validators=[NumberRange(0, 100, _l("Choose a part of the picture."))]
    )


class PhotoIdForm(FlaskForm):
    """Which photo is removed: the page may be older than what is there."""

    photo = HiddenField(validators=[DataRequired()])


class RefusePhotoForm(FlaskForm):
    """Why a photo is refused or taken down."""

    reason = RadioField(
        _l("Why"), validators=[DataRequired(_l("Say why."))],
        choices=[
            ("face", _l("The face cannot be recognised")),
            ("somebody_else", _l("It shows somebody else, or several people")),
            ("no_photo", _l("It is no photo of a person")), ("unfit", _l("It does not belong on a card")),
        ],
    )  # fmt: skip


class ReplaceCardForm(FlaskForm):
    """The card that a new one replaces: sent twice, it replaces one."""

    card = HiddenField(validators=[DataRequired()])
