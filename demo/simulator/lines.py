"""The lines of a Checkout session, priced inline, and what it keeps for its PaymentIntent."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import ApiError, no_such
from demo.simulator.params import INTEGER, METADATA, STRING, STRINGS, Required
from demo.simulator.store import Stored

_PRODUCT_DATA = {"name": Required(STRING), "description": STRING, "images": STRINGS, "metadata": METADATA}
LINE_ITEM = {
    "price": STRING,
    "price_data": {
        "currency": Required(STRING),
        "unit_amount": INTEGER,
        "product_data": _PRODUCT_DATA,
        "tax_behavior": ("exclusive", "inclusive", "unspecified"),
    },
    "quantity": Required(INTEGER),
    "metadata": METADATA,
}


def new_line_item(account: Account, params: dict[str, Any], index: int) -> Stored:
    """A priced line. No prices are kept here, so a line that names one by id is refused as unknown."""
    at = f"line_items[{index}]"
    if "price" in params:
        raise no_such("price", params["price"], f"{at}[price]", status=400)
    price_data = params.get("price_data", {})
    for name in ("currency", "unit_amount", "product_data"):
        if name not in price_data:
            where = f"{at}[price_data][{name}]"
            raise ApiError(400, f"Missing required param: {where}.", code="parameter_missing", param=where)
    if price_data["currency"].lower() != "eur":
        raise ApiError(400, f"Invalid currency: {price_data['currency']}. This account is paid in eur.", param=at)
    for name, value in (
        ("quantity", params["quantity"]),
        ("price_data[unit_amount]", price_data["unit_amount"]),
    ):
        if value < (1 if name == "quantity" else 0):
            raise ApiError(400, f"Invalid amount: {value}", code="parameter_invalid_integer", param=name)
    amount = price_data["unit_amount"] * params["quantity"]
    return {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": "eur",
        "description": price_data["product_data"]["name"],
        "metadata": params.get("metadata", {}),
        "price": _inline_price(account, price_data),
        "quantity": params["quantity"],
    }


def save_line_items(change: Change, session: Stored, items: list[Stored], intent_data: dict[str, Any]) -> None:
    change.save(
        {
            "id": f"order:{session['id']}",
            "object": "order",
            "created": session["created"],
            "line_items": items,
            "payment_intent_data": intent_data,
        }
    )


def line_items_of(account: Account, session: Stored) -> list[Stored]:
    items: list[Stored] = account.get("order", f"order:{session['id']}")["line_items"]
    return items


def intent_data_of(account: Account, session: Stored) -> dict[str, Any]:
    data: dict[str, Any] = account.get("order", f"order:{session['id']}")["payment_intent_data"]
    return data


def _inline_price(account: Account, price_data: dict[str, Any]) -> Stored:
    return {
        "id": new_id("price_1"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": account.now(),
        "currency": "eur",
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": new_id("prod_", 14),
        "recurring": None,
        "tax_behavior": price_data.get("tax_behavior", "unspecified"),
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": price_data["unit_amount"],
        "unit_amount_decimal": str(price_data["unit_amount"]),
    }
