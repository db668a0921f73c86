"""The customer portal through the API: what it may offer, and the address of its page for one customer."""

from typing import Any
from urllib.parse import urlsplit

from demo.simulator.account import Account, Change, new_id
from demo.simulator.customers import customer_of
from demo.simulator.errors import ApiError
from demo.simulator.params import (
    BOOLEAN,
    METADATA,
    METADATA_CHANGE,
    STRING,
    STRINGS,
    Clearable,
    Required,
    change_metadata,
)
from demo.simulator.store import Stored

CANCEL_MODES = ("at_period_end", "immediately")
FLOWS = ("payment_method_update", "subscription_cancel")
CREATE_SESSION = {
    "customer": Required(STRING),
    "return_url": STRING,
    "configuration": STRING,
    "locale": STRING,
    "flow_data": {
        "type": Required(FLOWS),
        "subscription_cancel": {"subscription": Required(STRING)},
        "after_completion": {"type": Required(("redirect",)), "redirect": {"return_url": Required(STRING)}},
    },
}
_FEATURES = {
    "customer_update": {"enabled": Required(BOOLEAN), "allowed_updates": STRINGS},
    "invoice_history": {"enabled": Required(BOOLEAN)},
    "payment_method_update": {"enabled": Required(BOOLEAN)},
    "subscription_cancel": {"enabled": Required(BOOLEAN), "mode": CANCEL_MODES, "proration_behavior": ("none",)},
    "subscription_update": {"enabled": Required(BOOLEAN)},
}
_PROFILE = dict.fromkeys(("headline", "privacy_policy_url", "terms_of_service_url"), STRING)
CREATE_CONFIGURATION = {
    "features": Required(_FEATURES),
    "business_profile": _PROFILE,
    "default_return_url": STRING,
    "metadata": METADATA,
    "name": STRING,
}
UPDATE_CONFIGURATION = {
    "features": _FEATURES,
    "active": BOOLEAN,
    "business_profile": _PROFILE,
    "default_return_url": Clearable(STRING),
    "metadata": Clearable(METADATA_CHANGE),
    "name": Clearable(STRING),
}
_DEFAULT = {"payment_method_update": {"enabled": True}, "subscription_cancel": {"enabled": True}}


def create_portal_session(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    customer_of(account, params["customer"], "customer", 400)
    if "configuration" in params:
        configuration = account.get("billing_portal.configuration", params["configuration"], "configuration", 400)
    else:
        configuration = _default_configuration(account, change)
    flow = params.get("flow_data")
    for name, url in (
        ("return_url", params.get("return_url")),
        ("flow_data[after_completion][redirect][return_url]", _redirect_of(flow)),
    ):
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise ApiError(400, "Not a valid URL", code="url_invalid", param=name)
    if flow and flow["type"] == "subscription_cancel":
        wanted = flow.get("subscription_cancel", {}).get("subscription", "")
        account.get("subscription", wanted, "flow_data[subscription_cancel][subscription]", 400)
    secret = new_id("", 40)
    session = change.save(
        {
            "id": new_id("bps_1"),
            "object": "billing_portal.session",
            "configuration": configuration["id"],
            "created": account.now(),
            "customer": params["customer"],
            "customer_account": None,
            "flow": _flow(flow) if flow else None,
            "livemode": False,
            "locale": params.get("locale"),
            "on_behalf_of": None,
            "return_url": params.get("return_url") or configuration["default_return_url"],
            "url": f"{account.public_url}/portal/{secret}",
        }
    )
    account.store.set_setting(f"portal {secret}", session["id"])
    change.emit("billing_portal.session.created", session)
    return session


def session_by(account: Account, secret: str) -> Stored:
    """The session whose page has this secret in its address."""
    return account.get("billing_portal.session", account.store.setting(f"portal {secret}", ""), "session")


def create_configuration(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    return _save_configuration(account, change, params, is_default=False)


def update_configuration(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    configuration = account.get("billing_portal.configuration", object_id, "configuration")
    change_metadata(configuration, params.get("metadata"))
    features = {name: configuration["features"][name] | value for name, value in params.get("features", {}).items()}
    configuration["features"] = configuration["features"] | features
    configuration["business_profile"] = configuration["business_profile"] | params.get("business_profile", {})
    for name in ("default_return_url", "name"):
        configuration[name] = params.get(name, configuration[name]) or None
    configuration.update(active=params.get("active", configuration["active"]), updated=account.now())
    change.save(configuration)
    change.emit("billing_portal.configuration.updated", configuration)
    return configuration


def _default_configuration(account: Account, change: Change) -> Stored:
    """The account's own, made when it is first needed."""
    found = account.store.setting("portal configuration", None)
    if found:
        return account.get("billing_portal.configuration", found)
    made = _save_configuration(account, change, {"features": _DEFAULT}, is_default=True)
    account.store.set_setting("portal configuration", made["id"])
    return made


def _save_configuration(account: Account, change: Change, params: dict[str, Any], *, is_default: bool) -> Stored:
    features = {
        "customer_update": {"allowed_updates": [], "enabled": False},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": False, "payment_method_configuration": None},
        "subscription_cancel": {
            "cancellation_reason": {"enabled": False, "options": []},
            "enabled": False,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
        "subscription_update": {
            "billing_cycle_anchor": None,
            "default_allowed_updates": [],
            "enabled": False,
            "proration_behavior": "none",
            "schedule_at_period_end": {"conditions": []},
            "trial_update_behavior": "end_trial",
        },
    }
    wanted = {name: features[name] | value for name, value in params["features"].items()}
    configuration = change.save(
        {
            "id": new_id("bpc_1"),
            "object": "billing_portal.configuration",
            "active": True,
            "application": None,
            "business_profile": dict.fromkeys(_PROFILE) | params.get("business_profile", {}),
            "created": account.now(),
            "default_return_url": params.get("default_return_url"),
            "features": features | wanted,
            "is_default": is_default,
            "livemode": False,
            "login_page": {"enabled": False, "url": None},
            "metadata": params.get("metadata", {}),
            "name": params.get("name"),
            "updated": account.now(),
        }
    )
    change.emit("billing_portal.configuration.created", configuration)
    return configuration


def _flow(flow: dict[str, Any]) -> dict[str, Any]:
    url = _redirect_of(flow)
    after = (
        {"redirect": {"return_url": url}, "type": "redirect"} if url else {"redirect": None, "type": "portal_homepage"}
    )
    cancel = flow.get("subscription_cancel")
    return {
        "after_completion": after | {"hosted_confirmation": None},
        "subscription_cancel": {"retention": None, "subscription": cancel["subscription"]} if cancel else None,
        "subscription_pause": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
        "type": flow["type"],
    }


def _redirect_of(flow: dict[str, Any] | None) -> str | None:
    url: str | None = (flow or {}).get("after_completion", {}).get("redirect", {}).get("return_url")
    return url
