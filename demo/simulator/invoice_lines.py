"""What stands on an invoice: a period of a subscription, or an invoice item that was pending."""

from typing import Any

from demo.simulator.account import Account, Change, new_id
from demo.simulator.errors import ApiError
from demo.simulator.items import amount_of, described
from demo.simulator.params import INTEGER, METADATA, STRING, Required
from demo.simulator.products import CURRENCIES, PRICE_DATA, price_of
from demo.simulator.store import Stored

_LINE_PRICE = {name: kind for name, kind in PRICE_DATA.items() if name not in ("recurring", "product_data")}
CREATE_ITEM = {
    "customer": Required(STRING),
    "amount": INTEGER,
    "currency": STRING,
    "description": STRING,
    "metadata": METADATA,
    "price_data": _LINE_PRICE,
    "pricing": {"price": STRING},
    "quantity": INTEGER,
}


def create_item(account: Account, change: Change, params: dict[str, Any]) -> Stored:
    """An amount owed beside any subscription; it waits for the next invoice."""
    account.get("customer", params["customer"], "customer", status=400)
    price = None
    if "pricing" in params or "price_data" in params:
        named = {"price": params["pricing"]["price"]} if "pricing" in params else {"price_data": params["price_data"]}
        price = price_of(account, change, named, "invoiceitem")
    elif "amount" not in params or params.get("currency", "").lower() not in CURRENCIES:
        raise ApiError(400, "You must pass an amount with its currency, or a price.", param="amount")
    quantity = params.get("quantity", 1)
    amount = price["unit_amount"] * quantity if price else params["amount"]
    currency = price["currency"] if price else params["currency"].lower()
    now = account.now()
    item = new_invoice_item(account, params["customer"], amount, currency, (now, now), price=price, quantity=quantity)
    item["description"] = params.get("description")
    item["metadata"] = params.get("metadata", {})
    change.save(item)
    change.emit("invoiceitem.created", item)
    return item


def delete_item(account: Account, change: Change, params: dict[str, Any], object_id: str) -> Stored:
    item = account.get("invoiceitem", object_id, "invoiceitem")
    if item["invoice"]:
        raise ApiError(400, "This invoice item is on an invoice and cannot be deleted.")
    change.emit("invoiceitem.deleted", item)
    return change.delete(item)


def prorate(account: Account, change: Change, subscription: Stored, old: Stored, new: Stored) -> list[Stored]:
    """Credit for the unused rest of the period at the old price, and the rest at the new one."""
    start, end = old["current_period_start"], old["current_period_end"]
    rest = max(0, end - account.now())
    made = []
    for item, sign, words in ((old, -1, "Unused time on"), (new, 1, "Remaining time on")):
        amount = sign * ((amount_of(item) * rest * 2 + (end - start)) // (2 * (end - start)))
        line = new_invoice_item(
            account, subscription["customer"], amount, item["price"]["currency"], (account.now(), end),
            price=item["price"], quantity=item["quantity"],
        )  # fmt: skip
        line["description"] = f"{words} {described(account, item)}"
        line["proration"] = True
        line["proration_details"] = {"discount_amounts": []}
        line["parent"] = {
            "subscription_details": {"subscription": subscription["id"], "subscription_item": item["id"]},
            "type": "subscription_details",
        }
        made.append(change.save(line))
        change.emit("invoiceitem.created", line)
    return made


def new_invoice_item(
    account: Account,
    customer: str,
    amount: int,
    currency: str,
    period: tuple[int, int],
    *,
    price: Stored | None,
    quantity: int,
) -> Stored:
    return {
        "id": new_id("ii_1"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer,
        "customer_account": None,
        "date": account.now(),
        "description": None,
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "net_amount": amount,
        "parent": None,
        "period": {"end": period[1], "start": period[0]},
        "pricing": _pricing(price),
        "proration": False,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [],
        "test_clock": None,
    }


def invoice_line(invoice_id: str, item: Stored) -> Stored:
    """An invoice item as it stands on an invoice."""
    subscription = ((item["parent"] or {}).get("subscription_details") or {}).get("subscription")
    parent = {
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": item["proration"],
            "proration_details": {"credited_items": None},
            "subscription": subscription,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }
    line = _line(invoice_id, item["amount"], item["currency"], item["description"], parent)
    return line | {
        "metadata": item["metadata"],
        "period": item["period"],
        "pricing": item["pricing"],
        "quantity": item["quantity"],
        "subscription": subscription,
    }


def subscription_line(account: Account, invoice_id: str, subscription: Stored, item: Stored, *, trial: bool) -> Stored:
    """The period of `item` that is running now; a trial costs nothing."""
    name = described(account, item)
    amount = 0 if trial else amount_of(item)
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": subscription["id"],
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }
    words = f"Trial period for {account.get('product', item['price']['product'])['name']}" if trial else name
    line = _line(invoice_id, amount, item["price"]["currency"], words, parent)
    return line | {
        "metadata": subscription["metadata"],
        "period": {"end": item["current_period_end"], "start": item["current_period_start"]},
        "pricing": _pricing(item["price"]),
        "quantity": item["quantity"],
        "subscription": subscription["id"],
    }


def _line(invoice_id: str, amount: int, currency: str, description: str | None, parent: dict[str, Any]) -> Stored:
    return {
        "id": new_id("il_1"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice_id,
        "livemode": False,
        "parent": parent,
        "pretax_credit_amounts": [],
        "subtotal": amount,
        "taxes": [],
    }


def _pricing(price: Stored | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }
