"""What the administrator fills in about a webhook."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from app.services.hooks import EVENTS, LONGEST_URL


class WebhookForm(FlaskForm):
    """Where a service is told, and of what."""

    url = StringField(
        _l("Address"),
        validators=[DataRequired(_l("Give the address that the service told you.")), Length(max=LONGEST_URL)],
    )
    membership = BooleanField(_l("A membership changes"), default=True)
    entitlement = BooleanField(_l("What somebody is entitled to changes"), default=True)
    card = BooleanField(_l("A card counts no longer"), default=True)

    def validate_card(self, _field: BooleanField) -> None:
        if not self.chosen():
            raise ValidationError(_("Choose at least one."))

    def chosen(self) -> list[str]:
        """The events that are ticked."""
        ticked = (self.membership.data, self.entitlement.data, self.card.data)
        return [event for event, is_ticked in zip(EVENTS, ticked, strict=True) if is_ticked]


class NewWebhookForm(WebhookForm):
    """The services are set by the view."""

    service = SelectField(_l("Service"), validators=[InputRequired(_l("Choose a service."))])
