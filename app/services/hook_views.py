"""The administrator's pages of webhooks: where each service is told, of what, and how it went."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from app import clock
from app.accounts import access
from app.errors import Refusal
from app.extensions import db
from app.services import hook_log, hook_messages, hooks
from app.services.hook_forms import NewWebhookForm, WebhookForm
from app.services.hook_models import WebhookEndpoint
from app.services.hook_words import event_words, reason_words
from app.services.service import list_services

bp = Blueprint("webhooks", __name__, url_prefix="/admin/webhooks")

Form = TypeVar("Form", bound=WebhookForm)
PAGE = 25
STATES = ("waiting", "delivered", "failed")


@bp.get("")
@access.admin
def index() -> ResponseReturnValue:
    return _index_page(_new_form())


@bp.post("")
@access.admin
def add() -> ResponseReturnValue:
    """The secret is shown this once."""
    form = _new_form()
    if not form.validate_on_submit():
        return _index_page(form), 400
    try:
        endpoint, secret = hooks.add_endpoint(int(form.service.data), form.url.data.strip(), form.chosen(), clock.now())
    except Refusal as refusal:
        db.session.rollback()
        return _index_page(_with_error(form, refusal)), refusal.status
    db.session.commit()
    return _secret_page(endpoint, secret)


@bp.get("/<int:endpoint_id>")
@access.admin
def endpoint(endpoint_id: int) -> ResponseReturnValue:
    return _endpoint_page(_endpoint(endpoint_id))


@bp.post("/<int:endpoint_id>")
@access.admin
def change(endpoint_id: int) -> ResponseReturnValue:
    found, form = _endpoint(endpoint_id), WebhookForm()
    if not form.validate_on_submit():
        return _endpoint_page(found, form), 400
    try:
        hooks.change_endpoint(found, form.url.data.strip(), form.chosen(), clock.now())
    except Refusal as refusal:
        db.session.rollback()
        return _endpoint_page(_endpoint(endpoint_id), _with_error(form, refusal)), refusal.status
    return _done(endpoint_id, _("Kept."))


@bp.post("/<int:endpoint_id>/secret")
@access.admin
def rotate(endpoint_id: int) -> ResponseReturnValue:
    found = _endpoint(endpoint_id)
    secret = hooks.rotate_secret(found, clock.now())
    db.session.commit()
    return _secret_page(found, secret)


@bp.post("/<int:endpoint_id>/secret/end")
@access.admin
def end_secret(endpoint_id: int) -> ResponseReturnValue:
    hooks.end_old_secret(_endpoint(endpoint_id), clock.now())
    return _done(endpoint_id, _("The older secret signs no more."))


@bp.post("/<int:endpoint_id>/test")
@access.admin
def test(endpoint_id: int) -> ResponseReturnValue:
    hook_messages.send_test(_endpoint(endpoint_id), clock.now())
    return _done(endpoint_id, _("On its way. Reload in a few seconds to see how it went."))


@bp.post("/<int:endpoint_id>/disable")
@access.admin
def disable(endpoint_id: int) -> ResponseReturnValue:
    hooks.disable_endpoint(_endpoint(endpoint_id), "administrator", clock.now())
    return _done(endpoint_id, _("Disabled. What happens from now on waits."))


@bp.post("/<int:endpoint_id>/enable")
@access.admin
def enable(endpoint_id: int) -> ResponseReturnValue:
    hooks.enable_endpoint(_endpoint(endpoint_id), request.form.get("missed") == "send", clock.now())
    return _done(endpoint_id, _("Enabled."))


@bp.post("/<int:endpoint_id>/remove")
@access.admin
def remove(endpoint_id: int) -> ResponseReturnValue:
    hooks.remove_endpoint(_endpoint(endpoint_id), clock.now())
    db.session.commit()
    flash(_("Removed."), "ok")
    return redirect(url_for("webhooks.index"), 303)


@bp.post("/<int:endpoint_id>/deliveries/<int:delivery_id>/resend")
@access.admin
def resend(endpoint_id: int, delivery_id: int) -> ResponseReturnValue:
    delivery = hook_log.get_delivery(delivery_id)
    if delivery.endpoint_id != endpoint_id:
        raise hook_log.unknown_delivery()
    hook_log.resend(delivery, clock.now())
    return _done(endpoint_id, _("On its way again, with the same id. Reload in a few seconds to see how it went."))


def _endpoint(endpoint_id: int) -> WebhookEndpoint:
    return hooks.get_endpoint(endpoint_id)


def _done(endpoint_id: int, said: str) -> ResponseReturnValue:
    db.session.commit()
    flash(said, "ok")
    return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint_id), 303)


def _new_form() -> NewWebhookForm:
    form = NewWebhookForm()
    form.service.choices = [(str(it.id), it.name) for it in list_services()]
    return form


def _with_error(form: Form, refusal: Refusal) -> Form:
    form.url.errors = [*form.url.errors, refusal.detail]
    return form


def _index_page(form: NewWebhookForm) -> str:
    counts = hook_log.count_by_state()
    endpoints = [_shown(it, counts.get(it.id, {})) for it in hooks.list_endpoints()]
    return render_template("services/webhooks.html", endpoints=endpoints, form=form)


def _endpoint_page(found: WebhookEndpoint, form: WebhookForm | None = None) -> str:
    now, page = clock.now(), request.args.get("page", 0, int)
    page, state = min(max(page, 0), 10**6), next((it for it in STATES if it == request.args.get("state")), None)
    if form is None:
        boxes = zip(("membership", "entitlement", "card"), hooks.EVENTS, strict=True)
        ticked = {name: event in found.wants for name, event in boxes}
        form = WebhookForm(formdata=None, data={"url": found.url, **ticked})
    rows, has_more = hook_log.deliveries_to(found.id, state, page, PAGE)
    attempts = hook_log.attempts_of([row.id for row in rows])
    log = [
        SimpleNamespace(
            id=row.id, message_id=row.message_id, event=event_words(row.message.type),
            created_at=row.message.created_at, state=row.state, next_at=row.next_at,
            attempts=[
                SimpleNamespace(
                    at=it.at, words=reason_words(it.reason, it.status), ms=it.milliseconds, answer=it.answer
                )
                for it in attempts[row.id]
            ],
        )
        for row in rows
    ]  # fmt: skip
    return render_template(
        "services/webhook.html", endpoint=_shown(found, hook_log.count_by_state().get(found.id, {})), form=form,
        log=log, old_secret_ends_at=hooks.old_secret_ends_at(found, now), csrf=FlaskForm(), state=state, page=page,
        has_more=has_more,
    )  # fmt: skip


def _shown(it: WebhookEndpoint, counts: dict[str, int]) -> SimpleNamespace:
    state = "disabled" if it.disabled_at else "failing" if it.failing_from_at else "works"
    if state == "works" and not counts.get("delivered"):
        state = "new"
    return SimpleNamespace(
        id=it.id, service=it.service.name, url=it.url, events=[event_words(event) for event in it.wants], state=state,
        disabled_at=it.disabled_at, because=it.disabled_because, failing_from_at=it.failing_from_at,
        waiting=counts.get("waiting", 0), delivered=counts.get("delivered", 0), failed=counts.get("failed", 0),
    )  # fmt: skip


def _secret_page(found: WebhookEndpoint, secret: str) -> str:
    return render_template("services/webhook_secret.html", endpoint=found, secret=secret)
