"""What is built: the zip's content and size, the same bytes each time, and nothing unpinned in it."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path
from types import ModuleType

from dev_server import BUNDLE, SDK, SHIPPED

from connector.commands.specification import specification as ours
from connector.model import Source


def test_the_zip_holds_what_sail_conn_upload_takes(bundle: Path) -> None:
    """index.js and connector-spec.json at its root, nothing else, and a size that uploads in a moment."""
    with zipfile.ZipFile(bundle) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["index.js", "connector-spec.json"]
        assert packed.read("index.js") == SHIPPED.read_bytes()
        assert json.loads(packed.read("connector-spec.json"))["commands"]
    assert 100_000 < bundle.stat().st_size < 1_000_000
    assert re.fullmatch(r"idc-connector-isc-\d+\.\d+\.\d+\.zip", bundle.name)


def test_two_builds_give_the_same_bytes(bundle: Path, building: ModuleType, tmp_path: Path) -> None:
    building.npm("run", "bundle", "--", f"--outfile={tmp_path / 'index.js'}")

    again = building.pack((BUNDLE / "connector-spec.json").read_text(), tmp_path / "again.zip", tmp_path)

    assert again.read_bytes() == bundle.read_bytes()


def test_the_bundle_knows_nothing_of_the_machine(bundle: Path) -> None:
    text = SHIPPED.read_text()

    assert str(BUNDLE) not in text
    assert str(Path.home()) + "/" not in text
    assert "sourceMappingURL" not in text


def test_errors_keep_the_name_of_their_class(bundle: Path) -> None:
    """The SDK's copy inside is another one than the host's, which can know its errors by their name only."""
    script = (
        "require('./index.js').connector().then((made) => made._exec('std:account:read', {}, {}, {}))"
        ".catch((error) => console.log(error.constructor.name, error.type))"
    )
    said = subprocess.run(["node", "-e", script], cwd=SHIPPED.parent, capture_output=True, text=True, check=True).stdout

    assert said.split() == ["ConnectorError", "generic"]


def test_the_bundle_needs_nothing_but_node(bundle: Path) -> None:
    """Every module it asks for is one of Node's own."""
    asked = set(re.findall(r'(?<![\w.])require\("([^"]+)"\)', SHIPPED.read_text()))
    script = "console.log(JSON.stringify(require('node:module').builtinModules))"
    own = set(json.loads(subprocess.run(["node", "-e", script], capture_output=True, check=True).stdout))

    assert {name.removeprefix("node:") for name in asked} <= own


def test_the_only_dependency_is_sailpoints_sdk(building: ModuleType) -> None:
    package = json.loads((BUNDLE / "package.json").read_text())

    assert set(package["dependencies"]) == {"@sailpoint/connector-sdk"}
    pinned = {**package["dependencies"], **package["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())
    assert (
        json.loads((SDK / "package.json").read_text())["version"] == package["dependencies"]["@sailpoint/connector-sdk"]
    )


def test_the_lock_pins_every_package_by_hash_and_names_no_registry() -> None:
    lock = json.loads((BUNDLE / "package-lock.json").read_text())
    packages = {name: row for name, row in lock["packages"].items() if name}

    assert len(packages) > 100
    assert [name for name, row in packages.items() if not row.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, row in packages.items() if "resolved" in row] == []
    assert "registry" not in (BUNDLE / "package-lock.json").read_text()
    options = (BUNDLE / ".npmrc").read_text().split()
    assert "ignore-scripts=true" in options
    assert "omit-lockfile-registry-resolved=true" in options


def test_no_install_script_is_needed(building: ModuleType) -> None:
    """Packages that have one (esbuild, which only speeds its start up) work without."""
    lock = json.loads((BUNDLE / "package-lock.json").read_text())

    assert [name for name, row in lock["packages"].items() if row.get("hasInstallScript")] == ["node_modules/esbuild"]


def test_the_version_is_that_of_the_service() -> None:
    project = (BUNDLE.parents[1] / "pyproject.toml").read_text()
    package = json.loads((BUNDLE / "package.json").read_text())

    assert re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1] == package["version"]  # type: ignore[index]


def test_the_specification_is_up_to_date(specification: ModuleType) -> None:
    """`make isc` writes it."""
    kept = (BUNDLE / "connector-spec.json").read_text(encoding="utf-8")

    assert kept == specification.written(specification.EVERY_COMMAND)


def test_the_specification_is_ours_and_the_address(specification: ModuleType) -> None:
    source = Source("default", disable_by="scim")
    made = specification.bundle_specification(source)
    keys = [item["key"] for item in made["sourceConfig"][0]["items"][0]["items"]]

    assert keys == ["connectorUrl", "source", "connectorToken", "spConnEnableStatefulCommands"]
    assert [item["type"] for item in made["sourceConfig"][0]["items"][0]["items"]][2] == "secret"
    same = {name: part for name, part in ours(source).items() if name != "sourceConfig"}
    assert {name: part for name, part in made.items() if name != "sourceConfig"} == same
    assert {"std:account:enable", "std:account:disable", "std:account:create"} <= set(made["commands"])
