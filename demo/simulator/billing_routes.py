"""The routes of what is billed again and again: customers, products, subscriptions, invoices, saved methods."""

from typing import Any

from demo.simulator import (
    changing,
    closing,
    collection,
    customers,
    invoice_lines,
    invoices,
    methods,
    portal,
    products,
    subscribing,
)
from demo.simulator.account import Account
from demo.simulator.lookups import Work, list_of, retrieve, strings
from demo.simulator.params import BOOLEAN, INTEGER, STRING, STRINGS, Required, Shape
from demo.simulator.reading import as_list, page
from demo.simulator.store import Stored
from demo.simulator.subscriptions import OVER

_CUSTOMER, _SUBSCRIPTION, _INVOICE = "/customers/<object_id>", "/subscriptions/<object_id>", "/invoices/<object_id>"
_PRODUCT, _PRICE, _METHOD = "/products/<object_id>", "/prices/<object_id>", "/payment_methods/<object_id>"
_PORTAL, _CONFIGURATION = "/billing_portal", "billing_portal.configuration"
_STATUSES = (
    "active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing",
    "unpaid",
)  # fmt: skip
_PAYMENT = {"type": Required(("payment_intent",)), "payment_intent": STRING}


def list_customers(account: Account, params: dict[str, Any]) -> Stored:
    def kept(customer: Stored) -> bool:
        return not customer.get("deleted")

    return page(account, "customer", "/v1/customers", params, kept, email=params.get("email"))


def list_methods(account: Account, params: dict[str, Any]) -> Stored:
    names = _named(params, "customer", "type")
    return page(account, "payment_method", "/v1/payment_methods", params, _is_kept, **names)


def list_methods_of(account: Account, params: dict[str, Any], object_id: str) -> Stored:
    customers.customer_of(account, object_id)
    url = f"/v1/customers/{object_id}/payment_methods"
    return page(account, "payment_method", url, params, customer=object_id, type=params.get("type"))


def list_products(account: Account, params: dict[str, Any]) -> Stored:
    def wanted(product: Stored) -> bool:
        return product["active"] == params.get("active", product["active"])

    return page(account, "product", "/v1/products", params, wanted, id=params.get("ids"))


def list_prices(account: Account, params: dict[str, Any]) -> Stored:
    def wanted(price: Stored) -> bool:
        return price["active"] == params.get("active", price["active"])

    names = _named(params, "product", "type")
    return page(account, "price", "/v1/prices", params, wanted, lookup_key=params.get("lookup_keys"), **names)


def list_subscriptions(account: Account, params: dict[str, Any]) -> Stored:
    """Without a status, what has not been canceled."""
    status = params.get("status")

    def wanted(subscription: Stored) -> bool:
        if status in (None, "ended"):
            return (subscription["status"] in OVER) == (status == "ended")
        return status in ("all", subscription["status"])

    return page(account, "subscription", "/v1/subscriptions", params, wanted, **_named(params, "customer"))


def list_invoices(account: Account, params: dict[str, Any]) -> Stored:
    def wanted(invoice: Stored) -> bool:
        return params.get("subscription") in (None, invoices.subscription_id_of(invoice))

    return page(account, "invoice", "/v1/invoices", params, wanted, **_named(params, "customer", "status"))


def list_invoice_lines(account: Account, params: dict[str, Any], object_id: str) -> Stored:
    lines: Stored = account.get("invoice", object_id, "invoice")["lines"]
    return as_list(lines["data"], lines["url"])


def list_invoice_payments(account: Account, params: dict[str, Any]) -> Stored:
    intent = params.get("payment", {}).get("payment_intent")

    def wanted(payment: Stored) -> bool:
        return intent in (None, payment["payment"]["payment_intent"])

    names = _named(params, "invoice", "status")
    return page(account, "invoice_payment", "/v1/invoice_payments", params, wanted, **names)


def _is_kept(method: Stored) -> bool:
    return method["customer"] is not None


def _named(params: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: params.get(name) for name in names}


def _page(*names: str) -> Shape:
    """A list that cannot be asked by when its things were made."""
    return {name: kind for name, kind in strings(*names).items() if name != "created"}


ROUTES: list[tuple[str, str, Shape, Work]] = [
    ("POST", "/customers", customers.CREATE, customers.create_customer),
    ("GET", "/customers", strings("email"), list_customers),
    ("GET", _CUSTOMER, {}, retrieve("customer")),
    ("POST", _CUSTOMER, customers.UPDATE, customers.update_customer),
    ("DELETE", _CUSTOMER, {}, customers.delete_customer),
    ("GET", f"{_CUSTOMER}/payment_methods", _page("type"), list_methods_of),
    ("GET", "/payment_methods", _page("customer", "type"), list_methods),
    ("GET", _METHOD, {}, retrieve("payment_method", "payment_method")),
    ("POST", f"{_METHOD}/detach", {}, methods.detach),
    ("POST", "/products", products.CREATE_PRODUCT, products.create_product),
    ("GET", "/products", strings() | {"active": BOOLEAN, "ids": STRINGS}, list_products),
    ("GET", _PRODUCT, {}, retrieve("product")),
    ("POST", _PRODUCT, products.UPDATE_PRODUCT, products.update_product),
    ("DELETE", _PRODUCT, {}, products.delete_product),
    ("POST", "/prices", products.CREATE_PRICE, products.create_price),
    ("GET", "/prices", strings("product", "type") | {"active": BOOLEAN, "lookup_keys": STRINGS}, list_prices),
    ("GET", _PRICE, {}, retrieve("price", "price")),
    ("POST", _PRICE, products.UPDATE_PRICE, products.update_price),
    (
        "GET",
        "/setup_intents",
        strings("customer", "payment_method"),
        list_of("setup_intent", "/v1/setup_intents", "customer", "payment_method"),
    ),
    ("GET", "/setup_intents/<object_id>", {}, retrieve("setup_intent", "intent")),
    ("GET", "/mandates/<object_id>", {}, retrieve("mandate", "mandate")),
    ("POST", "/subscriptions", subscribing.CREATE, subscribing.create_subscription),
    ("GET", "/subscriptions", strings("customer") | {"status": _STATUSES}, list_subscriptions),
    ("GET", _SUBSCRIPTION, {}, retrieve("subscription")),
    ("POST", _SUBSCRIPTION, changing.UPDATE, changing.update_subscription),
    ("DELETE", _SUBSCRIPTION, subscribing.CANCEL, subscribing.cancel_subscription),
    ("POST", "/invoiceitems", invoice_lines.CREATE_ITEM, invoice_lines.create_item),
    ("GET", "/invoiceitems", strings("customer"), list_of("invoiceitem", "/v1/invoiceitems", "customer")),
    ("DELETE", "/invoiceitems/<object_id>", {}, invoice_lines.delete_item),
    ("POST", "/invoices", invoices.CREATE, invoices.create_invoice),
    ("GET", "/invoices", strings("customer", "status", "subscription"), list_invoices),
    ("GET", _INVOICE, {}, retrieve("invoice", "invoice")),
    ("POST", _INVOICE, invoices.UPDATE, invoices.update_invoice),
    ("DELETE", _INVOICE, {}, invoices.delete_invoice),
    ("GET", f"{_INVOICE}/lines", {"limit": INTEGER}, list_invoice_lines),
    ("POST", f"{_INVOICE}/finalize", collection.FINALIZE, collection.finalize),
    ("POST", f"{_INVOICE}/pay", collection.PAY, collection.pay),
    ("POST", f"{_INVOICE}/send", {}, collection.send),
    ("POST", f"{_INVOICE}/void", {}, closing.void),
    ("POST", f"{_INVOICE}/mark_uncollectible", {}, closing.mark_uncollectible),
    ("POST", f"{_PORTAL}/sessions", portal.CREATE_SESSION, portal.create_portal_session),
    ("POST", f"{_PORTAL}/configurations", portal.CREATE_CONFIGURATION, portal.create_configuration),
    ("GET", f"{_PORTAL}/configurations", _page(), list_of(_CONFIGURATION, f"/v1{_PORTAL}/configurations")),
    ("GET", f"{_PORTAL}/configurations/<object_id>", {}, retrieve(_CONFIGURATION, "configuration")),
    (
        "POST",
        f"{_PORTAL}/configurations/<object_id>",
        portal.UPDATE_CONFIGURATION,
        portal.update_configuration,
    ),
    ("GET", "/invoice_payments", strings("invoice", "status") | {"payment": _PAYMENT}, list_invoice_payments),
    ("GET", "/invoice_payments/<object_id>", {}, retrieve("invoice_payment", "invoice_payment")),
]
