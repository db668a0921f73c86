"""A payment provider on loopback that speaks Stripe's HTTP API, for the demo and the tests.

It keeps customers, Checkout sessions, PaymentIntents, charges, refunds, balance transactions and
events, signs and retries webhooks, and shows a hosted page where a person pays. No money moves.
`python -m demo.simulator --help` runs it; `demo.simulator.server.start()` runs it inside a test.
"""
