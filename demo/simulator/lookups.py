"""Routes that only read: one object, or a list with filters."""

from collections.abc import Callable
from typing import Any

from demo.simulator.account import Account
from demo.simulator.params import STRING, Shape
from demo.simulator.reading import PAGE, page, present
from demo.simulator.store import Stored

Work = Callable[..., Stored]


def retrieve(kind: str, param: str = "id") -> Work:
    def work(account: Account, params: dict[str, Any], object_id: str) -> Stored:
        return present(account, account.get(kind, object_id, param), params.get("expand"))

    return work


def list_of(kind: str, url: str, *filters: str) -> Work:
    def work(account: Account, params: dict[str, Any]) -> Stored:
        wanted: dict[str, Any] = {name: params.get(name) for name in filters}
        return page(account, kind, url, params, **wanted)

    return work


def strings(*names: str) -> Shape:
    return PAGE | dict.fromkeys(names, STRING)
