"""What is filled in about Wi-Fi."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.wifi.rules import LONGEST_LABEL


class DeviceForm(FlaskForm):
    """What the member calls a device."""

    label = StringField(
        _l("Name of the device"),
        validators=[
            DataRequired(_l("Give the device a name, such as My phone.")),
            Length(max=LONGEST_LABEL, message=_l("Give the device a shorter name, of 60 letters at most.")),
        ],
    )
