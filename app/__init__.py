"""create_app: extensions, blueprints, error pages, commands. Nothing else."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import get_locale
from werkzeug.middleware.proxy_fix import ProxyFix

import config as settings
from app import api, audit, clock, doctor, errors, formats, jobs, logs, mail, security, static_files
from app.association import get_association
from app.commands import PlainGroup
from app.extensions import babel, csrf, db, limiter, login_manager, migrate

MIGRATIONS = str(settings.ROOT / "migrations")


def create_app(config: settings.Config | None = None) -> Flask:
    """The application for a configuration (default: the environment's). Raises ConfigurationError."""
    config = config or settings.load()
    app = Flask(__name__, instance_path=str(config.INSTANCE.absolute()))
    app.config.from_object(config)
    if config.TRUSTED_PROXIES:
        hops = config.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    logs.configure_logs(app)
    security.set_headers(app)  # first, so that its headers are the last word
    _bind_extensions(app)
    _register_packages(app)
    errors.register_error_pages(app)
    formats.register_filters(app)
    static_files.serve_static_files(app)
    app.context_processor(_page_context)
    if config.PRODUCTION:
        clock.refuse_offset(app)
    return app


def _bind_extensions(app: Flask) -> None:
    from app.cards.keys import CardKeys, InvalidCardKeys
    from app.cards.wallets.setup import check_wallets
    from app.wifi.network import check_wifi

    db.init_app(app)
    migrate.init_app(app, db, directory=MIGRATIONS, render_as_batch=True)
    csrf.init_app(app)
    login_manager.init_app(app)
    limiter.init_app(app)
    babel.init_app(app, default_locale=app.config["DEFAULT_LOCALE"], locale_selector=_locale)
    mail.init_mail(app)
    with app.app_context():
        app.extensions["languages"] = {
            locale.language: (locale.get_language_name(locale.language) or locale.language).capitalize()
            for locale in [Locale("en"), *(found for found in babel.list_translations() if found.language != "en")]
        }
    try:
        app.extensions["card_keys"] = CardKeys.load(app.config["CARD_KEYS"])
    except InvalidCardKeys as error:
        raise settings.ConfigurationError(str(error)) from None
    check_wallets(app)
    check_wifi(app)
    if not app.extensions["card_keys"].of("status"):
        raise settings.ConfigurationError(
            "CARD_KEYS has no key for the status list: python -m app.cards FILE adds one to those in a file."
        )


def _register_packages(app: Flask) -> None:
    from app.accounts import access, signed_in
    from app.accounts import cli as accounts_cli
    from app.accounts import jobs as accounts_jobs
    from app.accounts import views as accounts
    from app.benefits import cli as benefits_cli
    from app.benefits import jobs as benefits_jobs
    from app.cards import checks as cards_checks
    from app.cards import cli as cards_cli
    from app.cards import jobs as cards_jobs
    from app.cards import lost_views, office_views, offline_views, photo_views
    from app.cards import paper_views as paper
    from app.cards import status_views as card_status
    from app.cards import views as cards
    from app.cards.wallets import apple_api
    from app.cards.wallets import jobs as wallets_jobs
    from app.cards.wallets import views as wallets
    from app.discounts import account_views as connections
    from app.discounts import api as openid_api
    from app.discounts import checks as openid_checks
    from app.discounts import cli as openid_cli
    from app.discounts import jobs as openid_jobs
    from app.discounts import views as openid
    from app.memberships import cli as memberships_cli
    from app.payments import (
        account_views,
        auto_renewal_views,
        gift_views,
        outcome_views,
        receipt_views,
        remind_cli,
        reminder_views,
        renewal_link_views,
    )
    from app.payments import cli as payments_cli
    from app.payments import jobs as payments_jobs
    from app.payments import views as payments
    from app.people import cli as people_cli
    from app.portal import benefit_office_views, benefit_views, mails, members_api
    from app.portal import cli as portal_cli
    from app.portal import service_views as own_service
    from app.portal import settings_views as portal_settings
    from app.portal import staff_views as portal  # on one blueprint with the member's pages
    from app.services import api_views, hook_checks, hook_cli, hook_jobs, hook_views, partners_cli
    from app.services import cli as services_cli
    from app.services import jobs as services_jobs
    from app.services import service as services
    from app.services import views as services_views
    from app.treasury import cli as treasury_cli
    from app.treasury import payments_api
    from app.treasury import record_views as recording
    from app.treasury import views as treasury
    from app.verification import announcing_jobs, checks_views, desk_views, install_views, redemptions_api
    from app.verification import api as verification_api
    from app.verification import jobs as verification_jobs
    from app.verification import scan_views as verification  # on one blueprint with the pages
    from app.wifi import admin_views as wifi_office
    from app.wifi import api as radius
    from app.wifi import captive_views, disconnect_jobs, setup_views, usage_jobs
    from app.wifi import checks as wifi_checks
    from app.wifi import cli as wifi_cli
    from app.wifi import front as radius_front
    from app.wifi import jobs as wifi_jobs
    from app.wifi import views as wifi

    access.enforce(app)
    security.refuse_nul(app)
    for package in (signed_in, services, payments, apple_api):
        package.register_checks()
    hook_checks.register()
    cards_checks.register()
    wifi_checks.register()
    openid_checks.register_checks()
    for package_jobs in (
        accounts_jobs, benefits_jobs, services_jobs, cards_jobs, wallets_jobs, payments_jobs, verification_jobs,
        wifi_jobs, disconnect_jobs, usage_jobs, openid_jobs, hook_jobs, announcing_jobs,
    ):  # fmt: skip
        package_jobs.register()
    paying = (
        payments, outcome_views, gift_views, renewal_link_views, auto_renewal_views, account_views, receipt_views,
        reminder_views,
    )  # fmt: skip
    for views in (
        accounts,
        cards,
        offline_views,
        photo_views,
        lost_views,
        office_views,
        card_status,
        paper,
        wallets,
        apple_api,
        *paying,
        verification,
        install_views,
        radius,
        wifi,
        setup_views,
        captive_views,
        wifi_office,
        openid,
        openid_api,
        connections,
        checks_views,
        desk_views,
        treasury,
        recording,
        portal,
        portal_settings,
        benefit_views,
        benefit_office_views,
        mails,
        api_views,
        services_views,
        own_service,
        hook_views,
    ):
        app.register_blueprint(views.bp)
    radius_front.put_in_front(app)
    api.register_api(app, verification_api, members_api, payments_api, redemptions_api)
    for by_token in (apple_api, radius, openid_api):
        csrf.exempt(by_token.bp)
    for elsewhere in (portal_cli, remind_cli):
        elsewhere.add_to(memberships_cli.commands)
    partners_cli.add_to(benefits_cli.commands)
    package_clis = (
        accounts_cli,
        benefits_cli,
        cards_cli,
        memberships_cli,
        payments_cli,
        people_cli,
        services_cli,
        hook_cli,
        treasury_cli,
        wifi_cli,
        openid_cli,
    )
    app.cli.add_command(doctor.doctor)
    for group in (
        portal_cli.association,
        audit.commands,
        clock.commands,
        jobs.commands,
        *(cli.commands for cli in package_clis),
    ):
        app.cli.add_command(PlainGroup(group.name, group.commands, help=group.help))


def _locale() -> str | None:
    if not has_request_context():
        return None  # a job or a command: the default, or what force_locale says
    languages = list(current_app.extensions["languages"])
    chosen = session.get("locale")
    return chosen if chosen in languages else request.accept_languages.best_match(languages)


def _page_context() -> dict[str, Any]:
    if "association" not in g:
        g.association = get_association()
    theme = session.get("theme") if has_request_context() else None
    return {"association": g.association, "lang": str(get_locale() or "en"), "theme": theme or None}
