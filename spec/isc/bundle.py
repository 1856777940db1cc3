"""Builds what Identity Security Cloud takes: `spec/isc/dist/<name>-<version>.zip`.

    python spec/isc/bundle.py           for any source with default entitlement types
    python spec/isc/bundle.py NAME      for one source of CONNECTOR_SOURCES, with its own commands and types

In the zip are index.js, with everything it needs inside, and connector-spec.json. The same code gives the same bytes:
npm packages are pinned with hashes, none of their install scripts runs, and the zip knows no time, user or order.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from specification import EVERY_COMMAND, KEPT, named, written

HERE = Path(__file__).parent
DIST = HERE / "dist"
OLDEST_NODE = 18
CONTENT = ("index.js", "connector-spec.json")
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment a zip can hold."""


def node_problem() -> str | None:
    """Why this machine cannot build, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "Node is not installed"
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    version = re.match(r"v(\d+)\.", said)
    if version is None or int(version[1]) < OLDEST_NODE:
        return f"Node is {said.strip() or 'of no known version'}, and {OLDEST_NODE} or newer is needed"
    return None


def install() -> None:
    """Install the pinned packages, unless they are there."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        installed.touch()


def npm(*words: str) -> None:
    """Run npm here; its complaint is the error."""
    found = shutil.which("npm") or "npm"
    done = subprocess.run([found, *words], cwd=HERE, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise RuntimeError(f"npm {' '.join(words)} failed:\n{done.stdout}{done.stderr}")


def build(specification: str, target: Path) -> Path:
    """Check types, bundle and pack; returns the zip."""
    npm("run", "build")
    return pack(specification, target)


def pack(specification: str, target: Path, bundled: Path = DIST) -> Path:
    """Pack what was bundled into a directory; returns the zip."""
    (bundled / "connector-spec.json").write_text(specification, encoding="utf-8")
    with zipfile.ZipFile(target, "w") as packed:
        for name in CONTENT:
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            # Stored, not deflated: how well zlib packs depends on its version, and the bytes with it.
            packed.writestr(entry, (bundled / name).read_bytes(), zipfile.ZIP_STORED)
    return target


def target_for(source: str | None) -> Path:
    """Where the zip goes."""
    package = json.loads((HERE / "package.json").read_text(encoding="utf-8"))
    suffix = f"-{source}" if source else ""
    return DIST / f"{package['name']}-{package['version']}{suffix}.zip"


def main(source: str | None = None) -> None:
    """Build and say what was built."""
    problem = node_problem()
    if problem is not None:
        sys.exit(f"The bundle cannot be built here: {problem}.")
    specification = written(named(source) if source else EVERY_COMMAND)
    if source is None:
        KEPT.write_text(specification, encoding="utf-8")
    try:
        install()
        made = build(specification, target_for(source))
    except RuntimeError as error:
        sys.exit(str(error))
    print(f"{made.relative_to(Path.cwd()) if made.is_relative_to(Path.cwd()) else made}: {made.stat().st_size:,} bytes")  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:2])
