"""How a device joins: a page of steps for each system, and the files that do most of it."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from app.accounts import access
from app.wifi import profiles
from app.wifi.network import get_network
from app.wifi.systems import SYSTEMS
from app.wifi.views import get_device

bp = Blueprint("wifi_setup", __name__)


@bp.get("/wifi/<credential_id>/setup/<system>")
@access.signed_in
def steps(credential_id: str, system: str) -> ResponseReturnValue:
    if system not in SYSTEMS:
        abort(404)
    network, device = get_network(), get_device(credential_id)
    return render_template(
        "wifi/setup.html", network=network, device=device, system=system, systems=SYSTEMS,
        **profiles.terminal_texts(network, device.username),
    )  # fmt: skip


@bp.get("/wifi/<credential_id>/carnet.mobileconfig")
@access.signed_in
def apple(credential_id: str) -> ResponseReturnValue:
    network, device = get_network(), get_device(credential_id)
    profile = profiles.apple_profile(network, device.username)
    return _file(profile, profiles.APPLE_TYPE, f"{network.realm}.mobileconfig")


@bp.get("/wifi/<credential_id>/carnet.eap-config")
@access.signed_in
def geteduroam(credential_id: str) -> ResponseReturnValue:
    network, device = get_network(), get_device(credential_id)
    content = profiles.eap_config(network, device.username, str(get_locale() or "en"))
    return _file(content, profiles.GETEDUROAM_TYPE, f"{network.realm}.eap-config")


@bp.get("/wifi/authority.pem")
@access.public
def authority() -> ResponseReturnValue:
    """The certificate that the RADIUS server's must be signed by; it is no secret."""
    network = get_network()
    return _file(network.authorities_pem.encode(), profiles.CA_TYPE, profiles.certificate_name(network))


def _file(content: bytes, mimetype: str, name: str) -> Response:
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
