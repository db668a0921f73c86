"""What a device takes to join by itself: Apple's profile, geteduroam's file, and texts for a terminal.

Each pins who may answer: the authority's certificate and the server's name. None holds the secret, which is kept
nowhere: the device asks for it once.
"""

from __future__ import annotations

import base64
import plistlib
import shlex
import uuid
from typing import Any
from xml.etree import ElementTree

from cryptography.hazmat.primitives.serialization import Encoding
from flask import current_app
from flask_babel import gettext as _

from app.association import get_association
from app.wifi.network import WifiNetwork

APPLE_TYPE = "application/x-apple-aspen-config"
GETEDUROAM_TYPE = "application/eap-config"
CA_TYPE = "application/x-x509-ca-cert"
TTLS, PAP = 21, 1  # IANA's number of the EAP method; that of the schema below


def apple_profile(network: WifiNetwork, username: str) -> bytes:
    """A configuration profile (Apple, "Configuration Profile Reference"), signed where there is what to sign with."""
    content = plistlib.dumps(_apple_document(network, username))
    return network.signer.sign(content) if network.signer else content


def _apple_document(network: WifiNetwork, username: str) -> dict[str, Any]:
    association, home = get_association(), current_app.config["BASE_URL"]
    name = f"{association.name} Wi-Fi"
    anchors = [
        _payload("com.apple.security.root", home, f"authority-{number}", name)
        | {"PayloadContent": it.public_bytes(Encoding.DER), "PayloadCertificateFileName": f"authority-{number}.cer"}
        for number, it in enumerate(network.authorities, 1)
    ]
    wifi = _payload("com.apple.wifi.managed", home, f"{username}.network", network.ssid) | {
        "SSID_STR": network.ssid,
        "HIDDEN_NETWORK": False,
        "AutoJoin": True,
        "EncryptionType": "WPA2",
        "EAPClientConfiguration": {
            "AcceptEAPTypes": [TTLS],
            "TTLSInnerAuthentication": "PAP",
            "UserName": network.identity(username),
            "OuterIdentity": network.outer_identity,
            "TLSMinimumVersion": "1.2",
            "TLSTrustedServerNames": [network.server_name],
            "PayloadCertificateAnchorUUID": [it["PayloadUUID"] for it in anchors],
        },
    }
    return _payload("Configuration", home, username, name) | {
        "PayloadContent": [*anchors, wifi],
        "PayloadOrganization": association.name,
        "PayloadDescription": _("Joins the Wi-Fi of %(association)s.", association=association.name),
        "PayloadRemovalDisallowed": False,
    }


def _payload(kind: str, home: str, part: str, name: str) -> dict[str, Any]:
    """What every payload has. The same device gets the same names again, so that a new profile replaces the old one."""
    identifier = f"{home}/wifi/{part}"
    return {
        "PayloadType": kind, "PayloadVersion": 1, "PayloadDisplayName": name,
        "PayloadIdentifier": ".".join(["carnet", "wifi", uuid.uuid5(uuid.NAMESPACE_URL, home).hex, part]),
        "PayloadUUID": str(uuid.uuid5(uuid.NAMESPACE_URL, identifier)).upper(),
    }  # fmt: skip


def eap_config(network: WifiNetwork, username: str, language: str) -> bytes:
    """An EAP configuration file (draft-winter-opsawg-eap-metadata), which geteduroam opens on Android and Windows."""
    association = get_association()
    root = ElementTree.Element("EAPIdentityProviderList")
    provider = ElementTree.SubElement(
        root, "EAPIdentityProvider", ID=network.realm, namespace="urn:RFC4282:realm", version="1", lang=language
    )
    method = _add(_add(provider, "AuthenticationMethods"), "AuthenticationMethod")
    _add(_add(method, "EAPMethod"), "Type", str(TTLS))
    server = _add(method, "ServerSideCredential")
    for it in network.authorities:
        encoded = base64.b64encode(it.public_bytes(Encoding.DER)).decode()
        _add(server, "CA", encoded, format="X.509", encoding="base64")
    _add(server, "ServerID", network.server_name)
    client = _add(method, "ClientSideCredential")
    _add(client, "OuterIdentity", network.outer_identity)
    _add(client, "InnerIdentitySuffix", network.realm)
    _add(client, "InnerIdentityHint", "true")
    _add(client, "UserName", network.identity(username))
    _add(_add(_add(method, "InnerAuthenticationMethod"), "NonEAPAuthMethod"), "Type", str(PAP))
    air = _add(_add(provider, "CredentialApplicability"), "IEEE80211")
    _add(air, "SSID", network.ssid)
    _add(air, "MinRSNProto", "CCMP")
    about = _add(provider, "ProviderInfo")
    _add(about, "DisplayName", f"{association.name} Wi-Fi", lang=language)
    desk = _add(about, "Helpdesk")
    _add(desk, "EmailAddress", association.contact_email)
    _add(desk, "WebAddress", f"{current_app.config['BASE_URL']}/wifi")
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def terminal_texts(network: WifiNetwork, username: str) -> dict[str, str]:
    """What the steps for Linux show."""
    return {
        "nmcli": nmcli_command(network, username), "wpa_supplicant": wpa_supplicant_block(network, username)
    }  # fmt: skip


def nmcli_command(network: WifiNetwork, username: str) -> str:
    """For NetworkManager; the authority's certificate lies at the path that `certificate_path` says."""
    settings = {
        "wifi-sec.key-mgmt": "wpa-eap", "802-1x.eap": "ttls", "802-1x.phase2-auth": "pap",
        "802-1x.identity": network.identity(username), "802-1x.anonymous-identity": network.outer_identity,
        "802-1x.domain-match": network.server_name,
    }  # fmt: skip
    name = shlex.quote(network.ssid)
    lines = [f"nmcli connection add type wifi con-name {name} ssid {name} --"]
    lines += [f"  {key} {shlex.quote(value)}" for key, value in settings.items()]
    lines += [f'  802-1x.ca-cert "$HOME/{certificate_name(network)}"']
    return " \\\n".join(lines) + f"\nnmcli --ask connection up {name}\n"


def wpa_supplicant_block(network: WifiNetwork, username: str) -> str:
    settings = {
        "ssid": network.ssid, "identity": network.identity(username), "anonymous_identity": network.outer_identity,
        "password": _("the secret"), "phase2": "auth=PAP", "ca_cert": f"/etc/ssl/certs/{certificate_name(network)}",
        "domain_match": network.server_name,
    }  # fmt: skip
    quoted = "".join(f'    {key}="{value}"\n' for key, value in settings.items())
    return f"network={{\n    key_mgmt=WPA-EAP\n    eap=TTLS\n{quoted}}}\n"


def certificate_name(network: WifiNetwork) -> str:
    """The file name under which the authority's certificate is given."""
    return f"{network.realm}.pem"


def _add(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = text
    return child
