"""The sample association's Wi-Fi: Marta's two devices, and weeks of sessions as access controllers report them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from app import clock
from app.extensions import db
from app.wifi.accounting import Report
from app.wifi.models import WifiCredential
from app.wifi.service import create_credential, note_accounting, note_refusal
from app.wifi.usage import count_months

OTHERS = 25
DEVICES = ("Phone", "iPhone", "Laptop", "Tablet")


def go_online(marta: int, members: Iterable[int], now: datetime) -> None:
    """Sessions of the last weeks, for as long as they are kept."""
    chance = random.Random(8021)  # noqa: S311 - sample data, the same each time
    others = [person_id for person_id in dict.fromkeys(members) if person_id != marta][:OTHERS]
    for person_id in (marta, *others):
        device, _secret = create_credential(person_id, chance.choice(DEVICES), now - timedelta(days=80))
        for number in range(chance.randint(1, 5)):
            begun = now - timedelta(days=chance.randint(1, 80), hours=chance.randint(0, 9))
            _stay(device, f"sample-{device.id}-{number}", begun, chance.randint(5, 240), chance.randint(1, 900))
    laptop, _secret = create_credential(marta, "Work laptop", now - timedelta(days=1))
    note_refusal(laptop.username, now - timedelta(hours=20), clock.today())
    for back in (60, 30, 0):
        count_months(clock.today() - timedelta(days=back))
    db.session.commit()


def _stay(device: WifiCredential, name: str, begun: datetime, minutes: int, megabytes: int) -> None:
    note_accounting(Report("Start", name, device.username), begun)
    octets = megabytes * 1_000_000
    stop = Report("Stop", name, device.username, None, None, minutes * 60, 0, octets // 8, octets, "User-Request")
    note_accounting(stop, begun + timedelta(minutes=minutes))
