"""The OpenID provider: Authlib's server over our rows.

Authorization code with PKCE (S256), and client credentials. No refresh tokens: an hour later the browser comes again,
which takes no click while the connection lasts. Nothing here commits.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError, InvalidScopeError, TokenMixin, grants
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core.grants import OpenIDCode
from flask import Response
from joserfc.jwk import RSAKey

from app import clock
from app.discounts import rules, service, tokens
from app.discounts.claims import claims_of, issuer, seconds_elsewhere, subject_claims
from app.discounts.keys import openid_keys
from app.discounts.models import OpenIdClient, OpenIdCode, OpenIdConnection, OpenIdToken
from app.services.service import SCOPES as API_SCOPES

LONGEST_NONCE = 255
AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


@dataclass(frozen=True)
class Client(ClientMixin):
    """An organisation, as Authlib asks after it."""

    row: OpenIdClient

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_default_redirect_uri(self) -> None:
        """None: it is always named."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        allowed = rules.granted(scope or "", self.row.scopes.split())
        return " ".join(allowed) if "openid" in allowed else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.row.redirect_uris.split()

    def check_client_secret(self, client_secret: str) -> bool:
        return service.has_secret(self.row, client_secret, clock.now())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in AUTH_METHODS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "client_credentials")


@dataclass(frozen=True)
class Allowed:
    """Somebody who let an organisation know who they are, as the code is drawn."""

    connection: OpenIdConnection
    signed_in_at: datetime


@dataclass(frozen=True)
class Code:
    """An authorization code that was just used up, as Authlib asks after it."""

    row: OpenIdCode
    code_challenge_method = "S256"

    @property
    def code_challenge(self) -> str:
        return self.row.code_challenge

    def get_redirect_uri(self) -> str:
        return self.row.redirect_uri

    def get_scope(self) -> str:
        return self.row.scopes

    def get_nonce(self) -> str | None:
        return self.row.nonce

    def get_auth_time(self) -> int:
        return seconds_elsewhere(self.row.signed_in_at)

    def get_acr(self) -> None:
        """Not said."""

    def get_amr(self) -> None:
        """Not said."""


@dataclass(frozen=True)
class Token(TokenMixin):
    """An access token that is good now."""

    row: OpenIdToken

    def check_client(self, client: Client) -> bool:
        return self.row.client_id == client.row.id

    def get_scope(self) -> str:
        return self.row.scopes

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def save_authorization_code(self, code: str, request: Any) -> None:
        sent, allowed = request.payload.data, request.user
        tokens.keep_code(
            code, allowed.connection, request.payload.redirect_uri, request.scope, sent.get("nonce") or None,
            sent["code_challenge"], allowed.signed_in_at, clock.now(),
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """Used up by this, whatever is wrong with the rest of the request."""
        row = tokens.use_code(client.row, code, clock.now())
        return Code(row) if row is not None else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It stays a while, so that it is known when it comes again."""

    def authenticate_user(self, authorization_code: Code) -> OpenIdConnection:
        return authorization_code.row.connection


class ClientCredentialsGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


class S256(CodeChallenge):
    """PKCE for everybody, and never `plain`, which is what leaving the method out means (RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        sent = grant.request.payload.data
        if not sent.get("code_challenge") or not sent.get("code_challenge_method"):
            raise InvalidRequestError("PKCE is required: send code_challenge and code_challenge_method=S256.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):
    """Says who signed in, where and when. What is true of them is asked at userinfo, where it is never old."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """A nonce is the organisation's to check; ours is to take only what a column takes."""
        if len(nonce) > LONGEST_NONCE or "\0" in nonce:
            raise InvalidRequestError("This nonce is too long.")
        return False

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": issuer(), "aud": [client.get_client_id()]}

    def get_encode_header(self, client: Client) -> dict[str, Any]:
        return {"alg": "RS256", "typ": "JWT", "kid": openid_keys().signing_key(clock.today()).kid}

    def resolve_client_private_key(self, client: Client) -> RSAKey:
        return openid_keys().signing_key(clock.today()).private

    def generate_user_info(self, user: OpenIdConnection, scope: str) -> dict[str, Any]:
        return subject_claims(user)


class Introspection(IntrospectionEndpoint):
    """What an organisation's own token is worth now (RFC 7662), with the claims as userinfo says them."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        return find_token(token_string)

    def check_permission(self, token: Token, client: Client, request: Any) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        row = token.row
        said = {
            "active": True, "scope": row.scopes, "client_id": row.client.client_id, "token_type": "Bearer",
            "iss": issuer(), "aud": row.client.client_id, "exp": seconds_elsewhere(row.expires_at),
            "iat": seconds_elsewhere(row.created_at),
        }  # fmt: skip
        return said | (claims_of(row.connection, row.scopes, clock.now(), clock.today()) if row.connection else {})


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        return find_token(token_string)

    def revoke_token(self, token: Token, request: Any) -> None:
        tokens.revoke_token(token.row, clock.now())


class Issuer(IssuerParameter):
    def get_issuer(self) -> str:
        return issuer()


class Bearer(BearerTokenValidator):
    def authenticate_token(self, token_string: str) -> Token | None:
        return find_token(token_string)


def find_token(token: str) -> Token | None:
    row = tokens.find_token(token, clock.now())
    return Token(row) if row is not None else None


def query_client(client_id: str) -> Client | None:
    row = service.find_client(client_id)
    return Client(row) if row is not None else None


def new_token(grant_type: str, client: Client, scope: str | None = None, **_other: Any) -> dict[str, Any]:
    """An access token of an hour at most, for whatever grant (Authlib's own ones last ten days)."""
    if grant_type == "client_credentials":
        own = [it for it in client.row.service.scopes.split(",") if it in API_SCOPES and it != "openid"]
        wanted = (scope or " ".join(own)).split()
        if not wanted or not set(wanted) <= set(own):
            raise InvalidScopeError("Ask for scopes of this service.")
        scope = " ".join(wanted)
    start = tokens.ALONE if grant_type == "client_credentials" else ""
    life = int(tokens.TOKEN_LIFE.total_seconds())
    return {
        "token_type": "Bearer",
        "access_token": f"{start}{secrets.token_urlsafe(32)}",
        "expires_in": life,
        "scope": scope,
    }


def save_token(token: dict[str, Any], request: Any) -> None:
    code = request.authorization_code.row if request.authorization_code else None
    tokens.keep_token(token["access_token"], request.client.row, code, token["scope"], clock.now())


def refuse(error: OAuth2Error) -> Response:
    """What Authlib says of an error: to the program that asks, or back where the browser came from, with our name."""
    response: Response = server.handle_error_response(None, error)
    if response.location:
        response.location = add_params_to_uri(response.location, {"iss": issuer()})
    return response


server = AuthorizationServer(query_client=query_client, save_token=save_token)
server.register_token_generator("default", new_token)
server.register_grant(AuthorizationCodeGrant, [S256(required=True), IdToken()])
server.register_grant(ClientCredentialsGrant)
server.register_endpoint(Introspection)
server.register_endpoint(Revocation)
server.register_extension(Issuer())
bearers = ResourceProtector()
bearers.register_token_validator(Bearer())
