"""An association that bills by the year: its product, its members, and what the provider told of them."""

from datetime import UTC, datetime
from typing import Any

import stripe

from demo.simulator import methods, ways
from demo.simulator.server import Simulator

DAY = 86_400


class Billing:
    """`api` is Stripe's own library. Time passes with `days`; `told` reads the events."""

    def __init__(self, simulator: Simulator, client: stripe.StripeClient) -> None:
        self.account, self.api = simulator.account, client.v1
        self.api.products.create({"id": "basic", "name": "Basic membership"})

    def customer(self, way: str | None = "accepted") -> str:
        """A customer with a method saved as their default; without a way, with none."""
        customer = self.api.customers.create({"email": "alice@example.org", "name": "Alice Roca"}).id
        if way:
            method = self.method(customer, way)
            self.api.customers.update(customer, {"invoice_settings": {"default_payment_method": method}})
        return customer

    def method(self, customer: str, way: str = "accepted") -> str:
        """One more method saved by a customer."""
        payer: ways.Payer = {"email": "alice@example.org", "name": "Alice Roca"}
        with self.account.change() as change:
            method = ways.create_payment_method(self.account, change, ways.way_of(way), payer)
            methods.attach(self.account, change, {"customer": customer}, method["id"])
        return str(method["id"])

    def subscribe(self, customer: str | None = None, cents: int = 3000, interval: str = "year", **more: Any) -> Any:
        customer = customer or self.customer()
        params: Any = {"customer": customer, "items": [{"price_data": self.price(cents, interval)}], **more}
        return self.api.subscriptions.create(params)

    def price(self, cents: int = 3000, interval: str = "year") -> Any:
        return {"product": "basic", "currency": "eur", "unit_amount": cents, "recurring": {"interval": interval}}

    def days(self, days: float) -> None:
        self.account.move_clock(self.account.clock_offset + int(days * DAY))

    def invoices(self, subscription: Any) -> list[Any]:
        """Oldest first."""
        return list(self.api.invoices.list({"subscription": subscription.id}).data)[::-1]

    def again(self, subscription: Any) -> Any:
        return self.api.subscriptions.retrieve(subscription.id)

    def told(self, *prefixes: str) -> list[Any]:
        """The events of the last 30 days whose type begins so, oldest first."""
        events = list(self.api.events.list({"limit": 100}).auto_paging_iter())[::-1]
        return [event for event in events if not prefixes or event.type.startswith(prefixes)]

    def types(self, *prefixes: str) -> list[str]:
        return [event.type for event in self.told(*prefixes)]


def day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
