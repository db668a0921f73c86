"""A payment provider on loopback that speaks Stripe's HTTP API, for the demo and the tests.

It keeps customers, products, Checkout sessions, PaymentIntents, charges, refunds, disputes, payouts,
balance transactions, subscriptions, invoices and events; signs and retries webhooks; lets subscriptions
renew as its clock moves; and shows hosted pages where a person pays, saves a card or leaves. No money moves.
`python -m demo.simulator --help` runs it; `demo.simulator.server.start()` runs it inside a test.
"""
