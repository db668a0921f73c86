"""Products and prices on the simulator."""

from typing import Any

import pytest
import stripe

PRICE: Any = {"product": "basic", "currency": "eur", "unit_amount": 3000, "recurring": {"interval": "year"}}


@pytest.fixture
def api(client: stripe.StripeClient) -> Any:
    client.v1.products.create({"id": "basic", "name": "Basic membership", "metadata": {"tier": "basic"}})
    return client.v1


def test_a_product_has_the_id_it_was_given_and_only_once(api: Any) -> None:
    assert (api.products.retrieve("basic").name, api.products.retrieve("basic").active) == ("Basic membership", True)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.products.create({"id": "basic", "name": "Another"})
    assert refusal.value.code == "resource_already_exists"


def test_a_product_can_be_renamed_and_put_away(api: Any) -> None:
    api.products.update("basic", {"name": "Basic", "active": False, "description": "For all"})
    api.products.update("basic", {"description": ""})
    product = api.products.retrieve("basic")
    assert (product.name, product.active, product.description) == ("Basic", False, None)
    assert api.products.list({"active": True}).data == []
    assert [p.id for p in api.products.list({"active": False}).data] == ["basic"]


def test_a_price_belongs_to_a_product(api: Any) -> None:
    price = api.prices.create(PRICE | {"lookup_key": "basic_year"})
    assert (price.type, price.recurring.interval, price.recurring.interval_count) == ("recurring", "year", 1)
    once = api.prices.create({"product": "basic", "currency": "eur", "unit_amount": 500})
    assert (once.type, once.recurring) == ("one_time", None)
    assert [p.id for p in api.prices.list({"product": "basic"}).data] == [once.id, price.id]
    assert [p.id for p in api.prices.list({"type": "recurring"}).data] == [price.id]
    assert [p.id for p in api.prices.list({"lookup_keys": ["basic_year"]}).data] == [price.id]
    api.prices.update(once.id, {"active": False})
    assert [p.id for p in api.prices.list({"active": True}).data] == [price.id]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"product": "unknown"}, "product"),
        ({"product": None}, "product"),
        ({"unit_amount": None}, "unit_amount"),
        ({"unit_amount": -1}, "unit_amount"),
        ({"currency": "xyz"}, "currency"),
        ({"recurring": {"interval": "fortnight"}}, "recurring[interval]"),
        ({"recurring": {"interval": "year", "interval_count": 4}}, "recurring[interval_count]"),
    ],
)
def test_a_wrong_price_is_refused_by_name(api: Any, change: Any, param: str) -> None:
    wrong = {name: value for name, value in (PRICE | change).items() if value is not None}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        api.prices.create(wrong)
    assert refusal.value.param == param
    assert api.prices.list().data == []


def test_a_checkout_takes_a_price_by_its_id(api: Any, fee: dict[str, Any]) -> None:
    price = api.prices.create({"product": "basic", "currency": "eur", "unit_amount": 3000})
    session = api.checkout.sessions.create(fee | {"line_items": [{"price": price.id, "quantity": 2}]})
    assert session.amount_total == 6000
    [line] = api.checkout.sessions.line_items.list(session.id).data
    assert (line.description, line.price.id) == ("Basic membership", price.id)
