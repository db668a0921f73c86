"""What an organisation's program calls: tokens, claims, keys, and where all of that stands. No cookie is looked at."""

from __future__ import annotations

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, jsonify, url_for
from flask.typing import ResponseReturnValue

from app import clock
from app.accounts import access
from app.discounts import rules
from app.discounts.claims import claims_of, issuer
from app.discounts.keys import openid_keys
from app.discounts.provider import AUTH_METHODS, bearers, refuse, server
from app.extensions import db, limiter

bp = Blueprint("openid_api", __name__)

PER_ADDRESS = "600 per minute"


@bp.post("/oauth/token")
@access.public
@limiter.limit(PER_ADDRESS)
def token() -> ResponseReturnValue:
    openid_keys()
    response: ResponseReturnValue = server.create_token_response()
    db.session.commit()  # a refused try, too, uses up its code
    return response


@bp.route("/oauth/userinfo", methods=["GET", "POST"])
@access.public
@limiter.limit(PER_ADDRESS)
def userinfo() -> ResponseReturnValue:
    """The claims as they are now."""
    try:
        row = bearers.acquire_token("openid").row
    except OAuth2Error as error:
        return refuse(error)
    return jsonify(claims_of(row.connection, row.scopes, clock.now(), clock.today()))


@bp.post("/oauth/introspect")
@access.public
@limiter.limit(PER_ADDRESS)
def introspect() -> ResponseReturnValue:
    response: ResponseReturnValue = server.create_endpoint_response("introspection")
    return response


@bp.post("/oauth/revoke")
@access.public
@limiter.limit(PER_ADDRESS)
def revoke() -> ResponseReturnValue:
    response: ResponseReturnValue = server.create_endpoint_response("revocation")
    db.session.commit()
    return response


@bp.get("/oauth/jwks")
@access.public
def jwks() -> ResponseReturnValue:
    """Apart from the keys of cards (/.well-known/jwks.json), whose kind many OpenID programs do not know."""
    response = jsonify(openid_keys().public_jwks())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/.well-known/openid-configuration")
@access.public
def configuration() -> ResponseReturnValue:
    """OpenID Connect Discovery 1.0."""
    at = {
        name: issuer() + url_for(endpoint)
        for name, endpoint in (
            ("authorization_endpoint", "openid.authorize"), ("token_endpoint", ".token"),
            ("userinfo_endpoint", ".userinfo"), ("introspection_endpoint", ".introspect"),
            ("revocation_endpoint", ".revoke"), ("jwks_uri", ".jwks"),
        )
    }  # fmt: skip
    auth = {
        f"{name}_endpoint_auth_methods_supported": AUTH_METHODS for name in ("token", "introspection", "revocation")
    }  # fmt: skip
    return jsonify(
        issuer=issuer(), **at, **auth,
        response_types_supported=["code"], response_modes_supported=["query"],
        grant_types_supported=["authorization_code", "client_credentials"], subject_types_supported=["pairwise"],
        id_token_signing_alg_values_supported=["RS256"], code_challenge_methods_supported=["S256"],
        scopes_supported=list(rules.SCOPES), claims_supported=list(rules.CLAIMS),
        prompt_values_supported=["none", "login", "consent", "select_account"],
        authorization_response_iss_parameter_supported=True, claims_parameter_supported=False,
        request_parameter_supported=False, request_uri_parameter_supported=False,
    )  # fmt: skip


@bp.errorhandler(OAuth2Error)
def not_over_https(error: OAuth2Error) -> ResponseReturnValue:
    return refuse(error)
