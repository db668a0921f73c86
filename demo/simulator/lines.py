"""The lines of a Checkout session, and what it keeps for the time when it is paid."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import ApiError
from demo.simulator.params import INTEGER, METADATA, STRING, Required
from demo.simulator.products import PRICE_DATA, price_of
from demo.simulator.store import Stored

LINE_ITEM = {
    "price": STRING,
    "price_data": PRICE_DATA,
    "quantity": Required(INTEGER),
    "metadata": METADATA,
}


def new_line_item(account: Account, change: Change, params: dict[str, Any], index: int) -> Stored:
    at = f"line_items[{index}]"
    price = price_of(account, change, params, at)
    quantity = params["quantity"]
    if quantity < 1:
        raise ApiError(400, f"Invalid amount: {quantity}", code="parameter_invalid_integer", param="quantity")
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": account.get("product", price["product"])["name"],
        "metadata": params.get("metadata", {}),
        "price": price,
        "quantity": quantity,
    }


def save_order(change: Change, session: Stored, items: list[Stored], params: dict[str, Any]) -> None:
    """What a session was asked for and does not show: lines and the data of what it will make."""
    data = {name: params.get(name, {}) for name in ("payment_intent_data", "subscription_data")}
    order = {"id": f"order:{session['id']}", "object": "order", "created": session["created"], "line_items": items}
    change.save(order | data)


def order_of(account: Account, session: Stored) -> Stored:
    return account.get("order", f"order:{session['id']}")


def line_items_of(account: Account, session: Stored) -> list[Stored]:
    items: list[Stored] = order_of(account, session)["line_items"]
    return items


def intent_data_of(account: Account, session: Stored) -> dict[str, Any]:
    data: dict[str, Any] = order_of(account, session)["payment_intent_data"]
    return data
