"""Our styles, scripts and fonts: packed where the browser takes it, kept where the address names a version."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_from_directory

A_YEAR = 31_536_000
A_WEEK = 604_800
FONT = ".woff2"  # named by the style sheet too, which knows no version
PACKED = {".css", ".js", ".mjs", ".svg", ".wasm"}
CODINGS = {"br": ".br", "gzip": ".gz"}  # the smaller first


def serve_static_files(app: Flask) -> None:
    """Replace Flask's static view and give each address the file's version."""
    folder = Path(app.static_folder or "")

    def add_version(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static" and "v" not in values:
            file = folder / str(values.get("filename", ""))
            if file.is_file() and file.suffix != FONT:
                values["v"] = format(int(file.stat().st_mtime), "x")

    def send(filename: str) -> Response:
        # A script that imports another names no version: the browser asks whether it changed.
        file = folder / filename
        age = A_YEAR if "v" in request.args else A_WEEK if file.suffix == FONT else 0
        coding = _coding_of(file) if file.suffix in PACKED else None
        if coding:
            packed = f"{filename}{CODINGS[coding]}"
            response = send_from_directory(
                folder, packed, mimetype=_type_of(file), max_age=age, download_name=file.name
            )
            response.headers["Content-Encoding"] = coding
        else:
            response = send_from_directory(folder, filename, max_age=age)
        if file.suffix in PACKED:
            response.headers["Vary"] = "Accept-Encoding"
        return response

    app.url_defaults(add_version)
    app.view_functions["static"] = send


def _coding_of(file: Path) -> str | None:
    """The smallest form of a file that is here and that the browser takes."""
    for coding, ending in CODINGS.items():
        if request.accept_encodings[coding] > 0 and _belong_together(file, file.with_name(file.name + ending)):
            return coding
    return None


def _belong_together(file: Path, packed: Path) -> bool:
    """make/assets.py gives a packed file the time of what it packed, so an older one is never sent."""
    if not file.is_file() or not packed.is_file():
        return False
    return int(file.stat().st_mtime) == int(packed.stat().st_mtime)


def _type_of(file: Path) -> str:
    if file.suffix == ".mjs":
        return "text/javascript"
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
