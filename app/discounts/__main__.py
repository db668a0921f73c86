"""python -m app.discounts: what to set OIDC_KEYS to, the first time."""

from app.discounts.keys import OpenIdKeys

print(OpenIdKeys.first().dump())
