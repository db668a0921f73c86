"""What `flask doctor` asks about Wi-Fi."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app import doctor
from app.benefits.service import find_benefit
from app.doctor import Finding
from app.wifi.network import WifiNetwork, controllers, find_network
from app.wifi.service import BENEFIT

ENDS_SOON = timedelta(days=30)


def check(now: datetime) -> Iterator[Finding]:
    network = find_network()
    if network is None:
        todo = "Set WIFI_SSID, WIFI_REALM, WIFI_SERVER_NAME and WIFI_CA to have it."
        yield Finding("Wi-Fi", "note", "not set up, so its pages say so", todo)
        return
    yield _network(network, now)
    yield _profiles(network, now)
    yield _controllers()


def _network(network: WifiNetwork, now: datetime) -> Finding:
    says = f"{network.ssid}, {network.server_name}, authority until {network.ends_at:%Y-%m-%d}"
    if find_benefit(BENEFIT) is None:
        todo = "Add it: flask benefits add wifi --name ... --tier ..."
        return Finding("Wi-Fi", "note", "no benefit wifi yet, so nobody may use it", todo)
    if network.ends_at <= now + ENDS_SOON:
        todo = "Set WIFI_CA to old and new authority together, and have members set their devices up again."
        return Finding("Wi-Fi", "wrong" if network.ends_at <= now else "note", says, todo)
    if network.is_trial:
        return Finding("Wi-Fi", "note", f"{says}: made up for trying out", "Set WIFI_SSID and the three beside it.")
    return Finding("Wi-Fi", "well", says)


def _profiles(network: WifiNetwork, now: datetime) -> Finding:
    signer = network.signer
    if signer is None:
        todo = "Set WIFI_PROFILE_CERT and WIFI_PROFILE_KEY, such as those of the web server."
        return Finding("Wi-Fi profiles", "note", "not signed: an iPhone says so", todo)
    ends_at = signer.certificate.not_valid_after_utc
    says = f"signed by {signer.name}, certificate until {ends_at:%Y-%m-%d}"
    if ends_at <= now + ENDS_SOON:
        todo = "Renew WIFI_PROFILE_CERT; profiles on devices stay as they are."
        return Finding("Wi-Fi profiles", "wrong" if ends_at <= now else "note", says, todo)
    if signer.is_trial:
        todo = "Set WIFI_PROFILE_CERT and WIFI_PROFILE_KEY, such as those of the web server."
        return Finding("Wi-Fi profiles", "note", "signed by a certificate made up for trying out", todo)
    return Finding("Wi-Fi profiles", "well", says)


def _controllers() -> Finding:
    names = [it.name for it in controllers()]
    if not names:
        todo = "Set WIFI_CONTROLLERS to have sessions ended at once."
        return Finding("Wi-Fi sessions", "note", "no controller to end one: it may last up to 8 hours more", todo)
    return Finding("Wi-Fi sessions", "well", f"ended by {', '.join(names)}")


def register() -> None:
    doctor.register(check)
