"""kill -9 of the web worker while it settles: nothing lost, nothing twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.payments.shop import Shop, mails_to_send
from tests.payments.test_settling import paid

ROOT = Path(__file__).resolve().parent.parent.parent
STEPS = ("before commit", "after commit")


@contextmanager
def gunicorn(shop: Shop, database_url: str, instance: Path, die_at: Path) -> Iterator[None]:
    """The site in processes of its own on the same listening socket: gunicorn's master and one worker."""
    shop.stand_aside()
    socket = shop.socket.fileno()
    environment = {
        **os.environ, **shop.environment, "DATABASE_URL": database_url, "CARNET_INSTANCE": str(instance),
        "MAIL_URL": die_at.with_name("mail").as_uri(), "DIE_AT": str(die_at),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "gunicorn", "--workers=1", "--threads=4", f"--bind=fd://{socket}", "--log-level=critical",
        "--no-control-socket", "--graceful-timeout=5", "tests.payments.dying:app",
    ]  # fmt: skip
    master = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL, pass_fds=[socket])
    try:
        _wait_for(shop.url)
        yield
    finally:
        master.terminate()
        master.wait(60)


def _wait_for(url: str) -> None:
    assert requests.get(f"{url}/healthz", timeout=60).status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # histories/killed.py has each on both
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_while_it_settles_a_webhook_loses_and_doubles_nothing(
    shop: Shop, database_url: str, instance: Path, tmp_path: Path, step: str
) -> None:
    checkout = shop.browser().choose("basic")
    die_at = tmp_path / "die_at"
    die_at.write_text(step)
    with gunicorn(shop, database_url, instance, die_at):
        shop.pay(checkout)
    assert not die_at.exists()
    assert shop.story() == paid(shop)
    with shop.books():
        assert len(mails_to_send()) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_while_it_settles_for_the_return_page_loses_and_doubles_nothing(
    shop: Shop, database_url: str, instance: Path, tmp_path: Path, step: str
) -> None:
    shop.control("faults", drop=True)
    alice = shop.browser()
    checkout = alice.choose("basic")
    die_at = tmp_path / "die_at"
    die_at.write_text(step)
    number = f"P-{shop.today.year}-000001"
    with gunicorn(shop, database_url, instance, die_at):
        shop.pay(checkout)
        with pytest.raises(requests.ConnectionError):
            alice.get(f"/payments/{number}/done")
        assert not die_at.exists()
        assert shop.story().terms == ([] if step == "before commit" else paid(shop).terms)
        _wait_for(shop.url)
        assert alice.get(f"/payments/{number}/done").status_code == 200
        for event in shop.events():
            assert shop.control(f"events/{event}/deliver", times=3)["statuses"] == [204] * 3
    assert shop.story() == paid(shop)
    with shop.books():
        assert len(mails_to_send()) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_killed_before_the_commit_and_never_told_again_is_healed_by_the_sweep(
    shop: Shop, database_url: str, instance: Path, tmp_path: Path
) -> None:
    shop.control("faults", drop=True)
    checkout = shop.browser().choose("basic")
    shop.pay(checkout)
    [event] = shop.events("checkout.session.completed")
    die_at = tmp_path / "die_at"
    die_at.write_text("before commit")
    with gunicorn(shop, database_url, instance, die_at):
        assert shop.control(f"events/{event}/deliver")["statuses"] == [None]
        _wait_for(shop.url)
    assert not die_at.exists()
    assert shop.story().terms == []
    shop.sweep()
    assert shop.story() == paid(shop)
