"""The routes a program uses that pays by itself: Stripe's own command line, above all."""

from demo.simulator import direct, direct_payouts, direct_setups, payment_pages, tokens
from demo.simulator.lookups import Work
from demo.simulator.params import Shape

_INTENT, _SETUP = "/payment_intents/<object_id>", "/setup_intents/<object_id>"
_PAGE, _METHOD = "/payment_pages/<object_id>", "/payment_methods/<object_id>"

ROUTES: list[tuple[str, str, Shape, Work]] = [
    ("POST", "/payment_intents", direct.CREATE, direct.create),
    ("POST", _INTENT, direct.UPDATE, direct.update),
    ("POST", f"{_INTENT}/confirm", direct.CONFIRM, direct.confirm),
    ("POST", f"{_INTENT}/cancel", direct.CANCEL, direct.cancel),
    ("POST", "/setup_intents", direct_setups.CREATE, direct_setups.create),
    ("POST", f"{_SETUP}/confirm", direct_setups.CONFIRM, direct_setups.confirm),
    ("POST", f"{_SETUP}/cancel", direct_setups.CANCEL, direct_setups.cancel),
    ("POST", "/payment_methods", tokens.CREATE, tokens.create_method),
    ("POST", _METHOD, tokens.UPDATE, tokens.update_method),
    ("POST", f"{_METHOD}/attach", tokens.ATTACH, tokens.attach_named),
    ("POST", "/payouts", direct_payouts.CREATE, direct_payouts.create),
    ("POST", "/payouts/<object_id>", direct_payouts.UPDATE, direct_payouts.update),
    ("GET", _PAGE, {}, payment_pages.show),
    ("POST", f"{_PAGE}/confirm", payment_pages.CONFIRM, payment_pages.confirm),
]
