"""`spec/identityiq/` is what the code makes of a default source. Run this file to write it anew."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from connector import attributes
from connector.cli import main
from connector.commands.specification import account_schema, commands, entitlement_schema
from connector.identityiq.application import application
from connector.identityiq.endpoints import endpoints
from connector.identityiq.twin import source_json
from connector.identityiq.xmldocuments import application_xml, tasks_xml
from connector.model import Source

KEPT = Path(__file__).parents[2] / "spec" / "identityiq"
URL = "https://connector.example.com"
FILES = {"application.xml": application_xml, "tasks.xml": tasks_xml, "source.json": source_json}
EVERY = tuple(attributes.ENTITLEMENT_TYPES)
SOURCES = (
    Source("default"),
    Source("all", entitlement_types=EVERY, disable_by="scim"),
    Source("stripping", disable_by="strip"),
    Source("bare", entitlement_types=("group",), inherited="none"),
    Source("pairs", entitlement_types=("permissionSetAssignment",)),
    Source("external", managed_by="external", entitlement_types=EVERY),
)
OPERATIONS = {
    "std:account:create": "Create Account",
    "std:account:delete": "Delete Account",
    "std:account:enable": "Enable Account",
    "std:account:disable": "Disable Account",
    "std:account:read": "Get Object",
    "std:account:list": "Account Aggregation",
    "std:test-connection": "Test Connection",
}


def made(source: Source) -> dict[str, str]:
    """All files of a source."""
    return {name: write(application(source, URL)) for name, write in FILES.items()}


@pytest.mark.parametrize("name", FILES)
def test_the_kept_files_are_what_the_code_makes(name: str) -> None:
    """A changed endpoint or attribute changes the file, or this fails."""
    assert (KEPT / name).read_text(encoding="utf-8") == made(Source("default"))[name], (
        "run: python tests/identityiq/test_generated.py"
    )


@pytest.mark.parametrize("name", FILES)
def test_another_process_makes_the_same_to_the_byte(name: str) -> None:
    """Order comes from tables, never from the chance of hashing."""
    kind = {"application.xml": "xml", "tasks.xml": "tasks", "source.json": "json"}[name]
    arguments = ["iiq-application", "--url", URL, "--format", kind]
    texts = [
        subprocess.run(
            [sys.executable, "-m", "connector.cli", *arguments],
            env={"PYTHONHASHSEED": seed, "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert texts[0] == texts[1] == (KEPT / name).read_bytes()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_files_keep_to_what_is_known_of_identityiq(source: Source) -> None:
    """By the rules the simulator reads by: XML, and the rows of the JSON as if they stood in the XML."""
    from tests.identityiq.application import load
    from tests.identityiq.endpoints import read_endpoint

    files = made(source)
    loaded = load(files["application.xml"])
    twin = json.loads(files["source.json"])["source"]

    rows = twin["connectorAttributes"]["connectionParameters"]
    assert tuple(read_endpoint(row, loaded.schemas) for row in rows) == loaded.endpoints
    assert [schema["name"] for schema in json.loads(files["source.json"])["schemas"]] == list(loaded.schemas)
    assert twin["connectorClass"] in files["application.xml"]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_tasks_are_for_the_application(source: Source) -> None:
    """Entitlements first; each of the kind its parent template is of."""
    from tests.identityiq.importing import attributes_of

    files = made(source)
    name = ElementTree.fromstring(files["application.xml"].encode()).findall("Application")[0].get("name")
    tasks = ElementTree.fromstring(files["tasks.xml"].encode()).findall("TaskDefinition")

    assert [task.get("type") for task in tasks] == ["AccountGroupAggregation", "AccountAggregation"]
    assert {task.get("executor") for task in tasks} == {"sailpoint.task.ResourceIdentityScan"}
    assert [attributes_of(task)["applications"] for task in tasks] == [name, name]
    assert all(attributes_of(task)["checkDeleted"] is True for task in tasks)
    assert [reference.get("name") for task in tasks for reference in task.findall("Parent/Reference")] == [
        "Account Group Aggregation",
        "Account Aggregation",
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_files_are_well_formed_and_hold_no_secret(source: Source) -> None:
    """Every file parses, and no key that IdentityIQ encrypts has a value."""
    files = made(source)
    secrets = application(source, URL).settings["encrypted"]
    assert isinstance(secrets, str)
    for name in ("application.xml", "tasks.xml"):
        entries = ElementTree.fromstring(files[name].encode()).iter("entry")
        assert not {entry.get("key") for entry in entries} & set(secrets.split(",")) - {""}
    settings = json.loads(files["source.json"])["source"]["connectorAttributes"]
    assert not settings.keys() & set(secrets.split(","))
    assert not re.search(r"idc_|bearer\s+\S|password\"? ?[:=] ?\"\w", "".join(files.values()), re.IGNORECASE)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_endpoints_are_what_the_source_can_do(source: Source) -> None:
    """The same answer as `spec.commands`, by other words."""
    there = {row.operation for row in endpoints(source)}
    able = {operation for command, operation in OPERATIONS.items() if command in commands(source)}

    assert there & set(OPERATIONS.values()) == able
    assert ("Update Account" in there) == (source.managed_by == "identity-center")
    for type_ in attributes.ENTITLEMENT_TYPES.values():
        suffix = "" if type_.name == "group" else f"-{type_.name}"
        for operation in ("Group Aggregation", "Add Entitlement", "Remove Entitlement"):
            assert (f"{operation}{suffix}" in there) == source.has(type_.name)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_features_are_backed_by_endpoints(source: Source) -> None:
    """What is advertised without an endpoint ends in "No configuration found" when somebody uses it."""
    features = application(source, URL).features
    there = {row.operation for row in endpoints(source)}

    assert ("ENABLE" in features) == ({"Enable Account", "Disable Account"} <= there)
    assert ("ACCOUNT_ONLY_REQUEST" in features) == ("Create Account" in there)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_schemas_are_those_of_the_saas_face(source: Source) -> None:
    """Both faces show the same attributes; IdentityIQ's has `deleted` beside them, for delta aggregation."""
    account, *entitlements = application(source, URL).schemas
    other = account_schema(source)

    assert [field.name for field in account.fields] == [each["name"] for each in other["attributes"]] + ["deleted"]
    assert {field.name for field in account.fields if field.multi} == {
        each["name"] for each in other["attributes"] if each.get("multi")
    }
    assert (account.identity, account.display) == (other["identityAttribute"], other["displayAttribute"])
    assert [schema.object_type for schema in entitlements] == list(source.entitlement_types)
    for schema in entitlements:
        same = entitlement_schema(source, attributes.ENTITLEMENT_TYPES[schema.object_type])
        assert [(f.name, f.type, f.multi) for f in schema.fields] == [
            (each["name"], each["type"], each.get("multi", False)) for each in same["attributes"]
        ]


def test_the_twin_calls_the_same_endpoints() -> None:
    """XML and JSON are one table written twice."""
    for source in SOURCES:
        files = made(source)
        json_rows = json.loads(files["source.json"])["source"]["connectorAttributes"]["connectionParameters"]
        xml_rows = _parameters(ElementTree.fromstring(files["application.xml"].encode()))

        assert [{key: row[key] for key in other} for row, other in zip(json_rows, xml_rows, strict=True)] == xml_rows


def _parameters(root: ElementTree.Element) -> list[dict[str, Any]]:
    (entry,) = root.iterfind(".//entry[@key='connectionParameters']")
    found: list[dict[str, Any]] = _plain(entry[0][0])
    return found


def _plain(element: ElementTree.Element) -> Any:
    if element.tag == "Map":
        return {entry.get("key"): entry.get("value", _plain(entry[0][0]) if len(entry) else None) for entry in element}
    if element.tag == "List":
        return [_plain(each) for each in element]
    return int(element.text or "") if element.tag == "Integer" else element.text or ""


@pytest.mark.parametrize(
    ("kind", "name"), [("xml", "application.xml"), ("tasks", "tasks.xml"), ("json", "source.json")]
)
def test_the_command_prints_the_files(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing beside them, so that `> application.xml` is enough."""
    monkeypatch.delenv("CONNECTOR_SOURCES", raising=False)

    ran = CliRunner().invoke(main, ["iiq-application", "--url", URL + "/", "--source", "default", "--format", kind])

    assert ran.exit_code == 0, ran.output
    assert ran.stdout == (KEPT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--url", "connector.example.com"], "such as https://connector.example.com"),
        (["--url", "https://me:hunter2@connector.example.com"], "leave name and password out"),
        (["--url", "https://connector.example.com/$x"], "placeholder"),
        (["--url", f"{URL}/a b"], "characters that no address has"),
        (["--url", f"{URL}/<b>"], "characters that no address has"),
        (["--url", f"{URL}/a%b"], "characters that no address has"),
        (["--url", f"{URL}:"], "characters that no address has"),
        (["--url", f"{URL}/\u00e9"], "characters that no address has"),
        (["--url", f"{URL}:99999"], "no address"),
        (["--url", "https://[::1"], "no address"),
        (["--url", "https://:8080"], "such as https://connector.example.com"),
        (["--url", f"{URL}/v1/sources/default"], "leave /v1 and what follows out"),
        (["--url", f"{URL}/idc/v1/"], "leave /v1 and what follows out"),
        (["--url", URL, "--source", "nowhere"], "There is no source nowhere; there are default."),
        ([], "--url"),
    ],
)
def test_mistakes_of_the_command_are_explained(
    arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence, no file."""
    monkeypatch.delenv("CONNECTOR_SOURCES", raising=False)

    ran = CliRunner().invoke(main, ["iiq-application", *arguments])

    assert ran.exit_code != 0
    assert says in ran.output
    assert "<sailpoint>" not in ran.stdout
    assert "hunter2" not in ran.output


def test_several_mistakes_in_the_settings_are_told_as_sentences(tmp_path: Path) -> None:
    """Each on a line of its own."""
    sources = tmp_path / "sources.toml"
    sources.write_text('[sources.default]\ndisable_by = "nope"\nmanaged_by = "nobody"\n')

    ran = CliRunner().invoke(main, ["iiq-application", "--url", URL], env={"CONNECTOR_SOURCES": str(sources)})

    assert ran.exit_code == 1
    assert [line.split(" is ")[0] for line in ran.stderr.splitlines()] == [
        f"CONNECTOR_SOURCES ({sources}): sources.default.disable_by",
        f"CONNECTOR_SOURCES ({sources}): sources.default.managed_by",
    ]
    assert ran.stdout == ""


@pytest.mark.parametrize(
    "url", [f"{URL}:8443", f"{URL}/idc/v10", "http://[::1]:8080", "http://10.0.0.7", f"{URL}/a%20b"]
)
def test_addresses_are_taken_as_they_are(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts, ports and paths of all kinds."""
    monkeypatch.delenv("CONNECTOR_SOURCES", raising=False)

    ran = CliRunner().invoke(main, ["iiq-application", "--url", url])

    assert (ran.exit_code, f'"genericWebServiceBaseUrl" value="{url}"' in ran.stdout) == (0, True)


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for file, text in made(Source("default")).items():
        (KEPT / file).write_text(text, encoding="utf-8")
