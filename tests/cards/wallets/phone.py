"""A phone with Wallet: reads a pass strictly, and calls the web service the pass names."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from PIL import Image
from sqlalchemy import delete
from werkzeug.test import TestResponse

from app import clock, jobs
from app.extensions import db
from tests.cards.wallets.authority import PASS_TYPE
from tests.visitor import Visitor

SIZES = {"icon": 29, "logo": 50}


@dataclass
class Pass:
    files: dict[str, bytes]
    document: dict[str, Any]

    @classmethod
    def read(cls, content: bytes) -> Pass:
        """Takes the archive apart; every file must be named by the manifest with its digest, and none else."""
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            files = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(files["manifest.json"])
        assert set(manifest) == set(files) - {"manifest.json", "signature"}
        for name, digest in manifest.items():
            assert hashlib.sha1(files[name], usedforsecurity=False).hexdigest() == digest
        for name, size in SIZES.items():
            for scale, ending in ((1, ""), (2, "@2x"), (3, "@3x")):
                assert Image.open(io.BytesIO(files[f"{name}{ending}.png"])).size == (size * scale, size * scale)
        return cls(files, json.loads(files["pass.json"]))

    def openssl(self, *arguments: str, folder: Path, manifest: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """openssl smime on the signature, with the manifest beside it."""
        (folder / "signature").write_bytes(self.files["signature"])
        (folder / "manifest.json").write_bytes(manifest or self.files["manifest.json"])
        command = ["openssl", *arguments, "-inform", "DER", "-in", str(folder / "signature")]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    def verify(self, root: Path, folder: Path, manifest: bytes | None = None) -> bool:
        verified = self.openssl(
            "smime", "-verify", "-purpose", "any", "-CAfile", str(root), "-content", str(folder / "manifest.json"),
            folder=folder, manifest=manifest,
        )  # fmt: skip
        return verified.returncode == 0 and "Verification successful" in verified.stderr

    @property
    def serial(self) -> str:
        return str(self.document["serialNumber"])

    def value(self, key: str) -> Any:
        """A field's value, wherever on the pass it stands; None where it does not."""
        fields = [field for group in self.document["generic"].values() for field in group]
        return next((field["value"] for field in fields if field["key"] == key), None)


@dataclass
class Phone:
    app: Flask
    token: str = "ab" * 32
    device: str = "5c0ffee05c0ffee05c0ffee05c0ffee0"
    tag: str | None = None
    taken: dict[str, str] = field(default_factory=dict)  # serial: Last-Modified

    def send(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> TestResponse:
        headers = dict(kwargs.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"ApplePass {token}"
        return Visitor(self.app)._send(method, f"/wallets/apple/v1{path}", headers=headers, **kwargs)

    def download(self, email: str) -> Pass:
        response = Visitor(self.app, email).get("/card.pkpass")
        assert (response.status_code, response.mimetype) == (200, "application/vnd.apple.pkpass")
        return Pass.read(response.data)

    def registration(self, serial: str) -> str:
        return f"/devices/{self.device}/registrations/{PASS_TYPE}/{serial}"

    def register(self, taken: Pass) -> int:
        path, body = self.registration(taken.serial), {"pushToken": self.token}
        return self.send("POST", path, taken.document["authenticationToken"], json=body).status_code

    def unregister(self, taken: Pass) -> int:
        token = taken.document["authenticationToken"]
        return self.send("DELETE", self.registration(taken.serial), token).status_code

    def ask(self) -> list[str]:
        """Serials that changed since this phone last asked; keeps the tag."""
        query = f"?passesUpdatedSince={self.tag}" if self.tag else ""
        response = self.send("GET", f"/devices/{self.device}/registrations/{PASS_TYPE}{query}")
        if response.status_code == 204:
            return []
        self.tag = response.json["lastUpdated"]
        return list(response.json["serialNumbers"])

    def fetch(self, taken: Pass) -> Pass | None:
        """The pass as it is now; None when it is the one this phone has."""
        known = self.taken.get(taken.serial)
        headers = {"If-Modified-Since": known} if known else {}
        path, token = f"/passes/{PASS_TYPE}/{taken.serial}", taken.document["authenticationToken"]
        response = self.send("GET", path, token, headers=headers)
        if response.status_code == 304:
            return None
        assert response.status_code == 200
        self.taken[taken.serial] = response.headers["Last-Modified"]
        return Pass.read(response.data)


def work() -> None:
    """The worker does what is due; letters, which draw receipts and take long, are none of wallets' business."""
    ours = ("membership_changed", "refresh_wallet", "refresh_wallets", "tell_wallet")
    db.session.execute(delete(jobs.Job).where(jobs.Job.name.not_in(ours)))
    db.session.commit()
    jobs.work_off(clock.now)
