"""Products and their prices: kept by id, or priced inline where they are used."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import ApiError
from demo.simulator.params import (
    BOOLEAN,
    INTEGER,
    METADATA,
    METADATA_CHANGE,
    STRING,
    STRINGS,
    Clearable,
    Required,
    change_metadata,
)
from demo.simulator.store import Stored

CURRENCIES = ("eur", "usd")
TAX_BEHAVIOUR = ("exclusive", "inclusive", "unspecified")
RECURRING = {"interval": Required(("day", "month", "week", "year")), "interval_count": INTEGER}
LONGEST_YEARS = 3
_PER_YEAR = {"day": 365, "week": 52, "month": 12, "year": 1}

_PRODUCT = {"description": STRING, "images": STRINGS, "metadata": METADATA}
CREATE_PRODUCT = _PRODUCT | {"id": STRING, "name": Required(STRING), "active": BOOLEAN, "url": STRING}
UPDATE_PRODUCT = {
    "name": STRING,
    "description": Clearable(STRING),
    "active": BOOLEAN,
    "images": Clearable(STRINGS),
    "metadata": Clearable(METADATA_CHANGE),
    "default_price": STRING,
}
_PRICE = {"unit_amount": INTEGER, "tax_behavior": TAX_BEHAVIOUR, "product": STRING, "recurring": RECURRING}
CREATE_PRICE = _PRICE | {
    "currency": Required(STRING),
    "product_data": {"id": STRING, "name": Required(STRING), "metadata": METADATA},
    "active": BOOLEAN,
    "lookup_key": STRING,
    "metadata": METADATA,
    "nickname": STRING,
}
UPDATE_PRICE = {"active": BOOLEAN, "metadata": Clearable(METADATA_CHANGE), "nickname": Clearable(STRING)}
PRICE_DATA = _PRICE | {"currency": Required(STRING), "product_data": _PRODUCT | {"name": Required(STRING)}}
SUBSCRIPTION_PRICE_DATA = _PRICE | {
    "currency": Required(STRING),
    "product": Required(STRING),
    "recurring": Required(RECURRING),
}


def create_product(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    if "id" in params and account.store.find("product", params["id"]):
        raise ApiError(400, "Product already exists.", code="resource_already_exists", param="id")
    product = _save_product(account, change, params)
    change.emit("product.created", product)
    return product


def update_product(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    return _update(account, change, account.get("product", object_id), params)


def delete_product(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    product = account.get("product", object_id)
    priced = account.store.rows(
        "SELECT 1 FROM object WHERE kind = 'price' AND json_extract(body, '$.product') = ?", object_id
    )
    if priced:
        raise ApiError(400, "This product cannot be deleted because it has one or more user-created prices.")
    change.emit("product.deleted", product)
    return change.delete(product)


def create_price(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    price = _save_price(account, change, params, "", active=params.get("active", True))
    change.emit("price.created", price)
    return price


def update_price(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    return _update(account, change, account.get("price", object_id, "price"), params)


def price_of(account: Account, change: Change, params: dict[str, Any], at: str) -> Stored:
    """The price that a line names, or a new one from its `price_data`; raises ApiError naming `at`."""
    if "price" in params and "price_data" in params:
        raise ApiError(400, f"You may only specify one of these parameters: price, price_data in {at}.", param=at)
    if "price" in params:
        return account.get("price", params["price"], f"{at}[price]", status=400)
    if "price_data" not in params:
        raise _missing(f"{at}[price_data][currency]")
    return _save_price(account, change, params["price_data"], f"{at}[price_data]", active=False)


def _save_product(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    return change.save(
        {
            "id": params.get("id") or new_id("prod_", 14),
            "object": "product",
            "active": params.get("active", True),
            "created": account.now(),
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images", []),
            "livemode": False,
            "marketing_features": [],
            "metadata": params.get("metadata", {}),
            "name": params["name"],
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": account.now(),
            "url": params.get("url"),
        }
    )


def _save_price(account: Account, change: Change, params: dict[str, Any], at: str, *, active: bool) -> Stored:
    where = "{}[{}]".format if at else "{1}".format
    if "unit_amount" not in params:
        raise _missing(where(at, "unit_amount"))
    if params["unit_amount"] < 0:
        message = "This value must be greater than or equal to 0."
        raise ApiError(400, message, code="parameter_invalid_integer", param=where(at, "unit_amount"))
    if ("product" in params) == ("product_data" in params):
        raise _missing(where(at, "product"))
    currency = params["currency"].lower()
    if currency not in CURRENCIES:
        raise ApiError(400, f"Invalid currency: {currency}.", param=where(at, "currency"))
    if "product" in params:
        product = account.get("product", params["product"], where(at, "product"), status=400)
    else:
        product = _save_product(account, change, params["product_data"])
    return change.save(
        {
            "id": new_id("price_1"),
            "object": "price",
            "active": active,
            "billing_scheme": "per_unit",
            "created": account.now(),
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": params.get("lookup_key"),
            "metadata": params.get("metadata", {}),
            "nickname": params.get("nickname"),
            "product": product["id"],
            "recurring": _recurring(params["recurring"], where(at, "recurring")) if "recurring" in params else None,
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if "recurring" in params else "one_time",
            "unit_amount": params["unit_amount"],
            "unit_amount_decimal": str(params["unit_amount"]),
        }
    )


def _recurring(params: dict[str, Any], at: str) -> dict[str, Any]:
    interval, count = params["interval"], params.get("interval_count", 1)
    if not 1 <= count <= LONGEST_YEARS * _PER_YEAR[interval]:
        raise ApiError(400, f"Invalid interval_count: at most {LONGEST_YEARS} years.", param=f"{at}[interval_count]")
    return {
        "interval": interval,
        "interval_count": count,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _update(account: Account, change: Change, thing: Stored, params: dict[str, Any]) -> Stored:
    before = dict(thing)
    for name, value in params.items():
        if name == "metadata":
            change_metadata(thing, value)
        elif name in thing:
            thing[name] = value or ([] if name == "images" else None if value == "" else value)
    if "updated" in thing:
        thing["updated"] = account.now()
    change.save(thing)
    change.emit(f"{thing['object']}.updated", thing, {k: v for k, v in before.items() if thing[k] != v})
    return thing


def _missing(param: str) -> ApiError:
    return ApiError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)
