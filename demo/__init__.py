"""The sample association, the payment simulator, and `make demo`, which runs them beside the product."""
