"""What a device takes to join by itself: signed, pinned to authority and server name, and never with the secret."""

from __future__ import annotations

import base64
import plistlib
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask

from app.extensions import db
from app.wifi import profiles, service
from app.wifi.certificates import make_certificate
from app.wifi.models import WifiCredential
from app.wifi.network import check_wifi, get_network
from config import ConfigurationError
from tests.cast import Cast
from tests.databases import configuration
from tests.visitor import Visitor

# draft-winter-opsawg-eap-metadata: the children that an element may have, in this order.
EAP_METADATA = {
    "EAPIdentityProviderList": ["EAPIdentityProvider"],
    "EAPIdentityProvider": [
        "ValidUntil", "AuthenticationMethods", "CredentialApplicability", "ProviderInfo", "VendorSpecific",
    ],
    "AuthenticationMethods": ["AuthenticationMethod"],
    "AuthenticationMethod": ["EAPMethod", "ServerSideCredential", "ClientSideCredential", "InnerAuthenticationMethod"],
    "EAPMethod": ["Type"],
    "ServerSideCredential": ["CA", "ServerID"],
    "ClientSideCredential": [
        "OuterIdentity", "InnerIdentityPrefix", "InnerIdentitySuffix", "InnerIdentityHint", "InnerIdentityEnforce",
        "UserName", "Password",
    ],
    "InnerAuthenticationMethod": ["EAPMethod", "NonEAPAuthMethod"],
    "NonEAPAuthMethod": ["Type"],
    "CredentialApplicability": ["IEEE80211", "IEEE8023"],
    "IEEE80211": ["SSID", "ConsortiumOID", "MinRSNProto"],
    "ProviderInfo": ["DisplayName", "Description", "ProviderLocation", "ProviderLogo", "TermsOfUse", "Helpdesk"],
    "Helpdesk": ["EmailAddress", "WebAddress", "Phone"],
}  # fmt: skip


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, databases: Any) -> str:
    """What a profile says does not hang on the database."""
    return databases.fresh(request.param, "test", with_cast="cast" in request.fixturenames)


@pytest.fixture
def device(app: Flask, cast: Cast) -> Iterator[WifiCredential]:
    credential, _secret = service.create_credential(cast.alice.id, "Phone", cast.now)
    db.session.commit()
    yield credential


def fetch(app: Flask, device: WifiCredential, name: str) -> Any:
    answer = Visitor(app, "alice@example.org").get(f"/wifi/{device.id}/{name}")
    assert answer.status_code == 200
    return answer


def verified(profile: bytes, root: str, folder: Path, tool: str = "cms") -> bytes | None:
    """What OpenSSL finds in the profile when it trusts only `root`; None where it finds a fault."""
    (folder / "root.pem").write_text(root)
    (folder / "profile").write_bytes(profile)
    command = ["openssl", tool, "-verify", "-inform", "DER", "-in", folder / "profile", "-CAfile", folder / "root.pem"]
    done = subprocess.run(command, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


def payloads(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {it["PayloadType"]: it for it in document["PayloadContent"]}


def authority_of(app: Flask) -> bytes:
    return x509.load_pem_x509_certificate(app.config["WIFI_CA"].encode()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("tool", ["cms", "smime"])
def test_openssl_verifies_the_profile_and_finds_no_fault(
    app: Flask, device: WifiCredential, tmp_path: Path, tool: str
) -> None:
    answer = fetch(app, device, "carnet.mobileconfig")
    assert answer.mimetype == "application/x-apple-aspen-config"
    content = verified(answer.data, app.config["WIFI_PROFILE_CERT"], tmp_path, tool)
    assert content and plistlib.loads(content)["PayloadType"] == "Configuration"


def test_a_profile_that_was_changed_or_signed_by_somebody_else_does_not_verify(
    app: Flask, device: WifiCredential, tmp_path: Path
) -> None:
    profile, root = fetch(app, device, "carnet.mobileconfig").data, app.config["WIFI_PROFILE_CERT"]
    changed = profile.replace(b"radius.wifi.example.org", b"radius.evil.example.org")
    assert changed != profile and verified(changed, root, tmp_path) is None
    other = make_certificate()
    assert verified(profile, other[other.index("-----BEGIN CERT") :], tmp_path) is None


def test_the_profile_pins_authority_and_server_name_and_asks_for_ttls_with_pap(
    app: Flask, device: WifiCredential, tmp_path: Path
) -> None:
    profile = fetch(app, device, "carnet.mobileconfig").data
    document = plistlib.loads(verified(profile, app.config["WIFI_PROFILE_CERT"], tmp_path) or b"")
    anchor, wifi = (payloads(document)[f"com.apple.{name}"] for name in ("security.root", "wifi.managed"))
    eap = wifi["EAPClientConfiguration"]
    assert anchor["PayloadContent"] == authority_of(app)
    assert eap["PayloadCertificateAnchorUUID"] == [anchor["PayloadUUID"]]
    assert eap["TLSTrustedServerNames"] == ["radius.wifi.example.org"]
    assert (eap["AcceptEAPTypes"], eap["TTLSInnerAuthentication"]) == ([21], "PAP")
    assert eap["UserName"] == f"{device.username}@wifi.example.org"
    assert eap["OuterIdentity"] == "anonymous@wifi.example.org"
    assert (wifi["SSID_STR"], wifi["EncryptionType"]) == ("Alumni-trial", "WPA2")
    assert "UserPassword" not in eap  # the device asks: the secret is kept nowhere
    every = [document, *document["PayloadContent"]]
    assert len({it["PayloadUUID"] for it in every}) == len({it["PayloadIdentifier"] for it in every}) == 3


def test_a_profile_fetched_again_replaces_the_first_and_leaves_another_devices_alone(
    app: Flask, cast: Cast, device: WifiCredential, tmp_path: Path
) -> None:
    other, _secret = service.create_credential(cast.alice.id, "Tablet", cast.now)
    db.session.commit()
    documents = [
        plistlib.loads(
            verified(fetch(app, it, "carnet.mobileconfig").data, app.config["WIFI_PROFILE_CERT"], tmp_path) or b""
        )
        for it in (device, device, other)
    ]  # fmt: skip
    assert documents[0] == documents[1]
    assert documents[0]["PayloadIdentifier"] != documents[2]["PayloadIdentifier"]


def test_several_authorities_are_all_trusted_while_one_takes_over_from_the_other(app: Flask, cast: Cast) -> None:
    new = make_certificate()
    app.config["WIFI_CA"] += "\n" + new[new.index("-----BEGIN CERT") :]
    app.config["WIFI_PROFILE_CERT"] = app.config["WIFI_PROFILE_KEY"] = ""
    document = plistlib.loads(profiles.apple_profile(get_network(), "abcdefgh"))  # not signed: the plain document
    anchors = [it["PayloadUUID"] for it in document["PayloadContent"] if "PayloadContent" in it]
    eap = payloads(document)["com.apple.wifi.managed"]["EAPClientConfiguration"]
    assert len(anchors) == 2 and eap["PayloadCertificateAnchorUUID"] == anchors


def test_geteduroams_file_is_built_as_its_format_says(app: Flask, device: WifiCredential) -> None:
    answer = fetch(app, device, "carnet.eap-config")
    root = ElementTree.fromstring(answer.data)  # noqa: S314 - our own
    assert answer.mimetype == "application/eap-config" and root.tag == "EAPIdentityProviderList"
    for element in root.iter():
        order = EAP_METADATA.get(element.tag, [])
        places = [order.index(child.tag) for child in element]
        assert places == sorted(places), element.tag
    provider = root[0]
    assert (provider.get("ID"), provider.get("namespace")) == ("wifi.example.org", "urn:RFC4282:realm")
    method = "AuthenticationMethods/AuthenticationMethod/"
    found = {
        path: provider.findtext(path)
        for path in (
            f"{method}EAPMethod/Type", f"{method}InnerAuthenticationMethod/NonEAPAuthMethod/Type",
            f"{method}ServerSideCredential/ServerID", f"{method}ClientSideCredential/OuterIdentity",
            f"{method}ClientSideCredential/UserName", f"{method}ClientSideCredential/Password",
            "CredentialApplicability/IEEE80211/SSID",
        )
    }  # fmt: skip
    assert list(found.values()) == [
        "21", "1", "radius.wifi.example.org", "anonymous@wifi.example.org", f"{device.username}@wifi.example.org", None,
        "Alumni-trial",
    ]  # fmt: skip
    pinned = provider.findtext(f"{method}ServerSideCredential/CA") or ""
    assert base64.b64decode(pinned) == authority_of(app)


def test_the_commands_for_networkmanager_run_in_a_shell_whatever_the_networks_name(
    app: Flask, device: WifiCredential, tmp_path: Path
) -> None:
    """A stand-in for nmcli writes down what it is given."""
    app.config["WIFI_SSID"] = "Alumni d'Aquí; reboot"
    stand_in = tmp_path / "nmcli"
    stand_in.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done >> "$HOME/said"\n')
    stand_in.chmod(0o755)
    text = profiles.nmcli_command(get_network(), device.username)
    subprocess.run(["/bin/sh", "-eu", "-c", text], env={"PATH": str(tmp_path), "HOME": str(tmp_path)}, check=True)
    said = (tmp_path / "said").read_text().splitlines()
    given = dict(zip(said[9::2], said[10::2], strict=False))
    assert said[:9] == ["connection", "add", "type", "wifi", "con-name", "Alumni d'Aquí; reboot", "ssid",
                        "Alumni d'Aquí; reboot", "--"]  # fmt: skip
    assert given["802-1x.domain-match"] == "radius.wifi.example.org"
    assert given["802-1x.ca-cert"] == f"{tmp_path}/wifi.example.org.pem"
    assert said[-4:] == ["--ask", "connection", "up", "Alumni d'Aquí; reboot"]
    assert shlex.split(text)[0] == "nmcli"


def test_wpa_supplicants_own_parser_takes_the_block(app: Flask, device: WifiCredential, tmp_path: Path) -> None:
    """eapol_test reads the same format: it names what it cannot read, and else finds nobody and gives up."""
    block = profiles.wpa_supplicant_block(get_network(), device.username)
    for content, is_good in ((block, True), (block.replace("phase2", "phase-two"), False)):
        (tmp_path / "conf").write_text(content)
        command = ["eapol_test", "-c", str(tmp_path / "conf"), "-a", "127.0.0.1", "-p", "9", "-s", "secret", "-t", "1"]
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=20)
        assert ("Failed to parse" not in done.stdout + done.stderr) == is_good
    assert f'identity="{device.username}@wifi.example.org"' in block
    assert 'domain_match="radius.wifi.example.org"' in block and 'phase2="auth=PAP"' in block


def test_the_authoritys_certificate_is_there_for_anybody(app: Flask, cast: Cast) -> None:
    answer = Visitor(app).get("/wifi/authority.pem")
    assert x509.load_pem_x509_certificate(answer.data).public_bytes(Encoding.DER) == authority_of(app)
    assert "PRIVATE" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"WIFI_SSID": "Alumni"}, "WIFI_REALM is missing"),
        ({"WIFI_PROFILE_CERT": "x"}, "go together"),
        ({"WIFI_SSID": "x" * 33}, "WIFI_SSID"),
        ({"WIFI_SSID": 'A"'}, "WIFI_SSID"),
        ({"WIFI_REALM": "Wifi.Example.org"}, "WIFI_REALM"),
        ({"WIFI_SERVER_NAME": "radius"}, "WIFI_SERVER_NAME"),
        ({"WIFI_CA": "no certificate"}, "WIFI_CA"),
        ({"WIFI_CONTROLLERS": "wlc short"}, "WIFI_CONTROLLERS"),
    ],
)
def test_a_setting_that_is_wrong_stops_the_start_and_is_named(
    app: Flask, instance: Path, changes: dict[str, str], named: str
) -> None:
    whole = {
        "WIFI_SSID": "Alumni", "WIFI_REALM": "wifi.example.org", "WIFI_SERVER_NAME": "radius.example.org",
        "WIFI_CA": app.config["WIFI_CA"],
    }  # fmt: skip
    given = changes if "missing" in named or "together" in named else whole | changes
    with pytest.raises(ConfigurationError, match=named):
        app.config.from_object(configuration("sqlite:////nowhere", instance, **given))
        check_wifi(app)


def test_a_key_that_is_not_the_certificates_stops_the_start(app: Flask) -> None:
    app.config["WIFI_PROFILE_KEY"] = make_certificate()
    with pytest.raises(ConfigurationError, match="WIFI_PROFILE_KEY is not the key"):
        check_wifi(app)


PRODUCTION = {
    "BASE_URL": "https://alumni.example.org", "SECRET_KEY": "q8Zr1mJt6WcX0bVnLk3HsDfGyUeRpTaO",
    "STRIPE_SECRET_KEY": "sk_live_51Habcdefghijkl", "STRIPE_WEBHOOK_SECRET": "whsec_51Habcdefghijklmnop",
    "MAIL_URL": "smtp://127.0.0.1", "CARD_KEYS": "{}",
}  # fmt: skip


def test_in_production_nothing_is_made_up(instance: Path) -> None:
    settings = configuration("sqlite:////nowhere", instance, **PRODUCTION)
    assert (settings.WIFI_SSID, settings.WIFI_CA, settings.WIFI_PROFILE_CERT) == ("", "", "")
