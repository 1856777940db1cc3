"""`docs/identityiq.md` names what exists: commands, options, settings of the file, problem types, lines for nginx."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

from click.testing import CliRunner

from connector.cli import COMMANDS, main
from connector.identityiq.application import FINAL_TYPES, NOT_FOUND, PROBLEM_STATUSES, PROBLEM_TEXTS, RETRYABLE, SILENCE
from connector.identityiq.endpoints import endpoints
from connector.model import Source
from connector.wire.rest_problems import TYPES

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "identityiq.md").read_text(encoding="utf-8")
SHIPPED = (ROOT / "spec" / "identityiq" / "application.xml").read_text(encoding="utf-8")
TASKS = (ROOT / "spec" / "identityiq" / "tasks.xml").read_text(encoding="utf-8")
SAID = set(re.findall(r"`([^`\n]+)`", GUIDE))
NOT_OURS = {"responseCode", "enableStatus", "lastAggregationDate_account"}
"""Keys the guide names and the file has not: left out on purpose, or the tenant's own."""


def test_commands_and_their_options_exist() -> None:
    """Every line that starts with `idc-connector`, and every option on it."""
    lines = re.findall(r"idc-connector ([\w-]+)([^\n`>]*)", GUIDE)
    assert len(lines) > 6
    for name, rest in lines:
        assert name in COMMANDS
        words = rest.split() if name == "token" else []
        shown = CliRunner().invoke(main, [name, *words[:1], "--help"]).output
        assert [option for option in re.findall(r"--[\w-]+", rest) if option not in shown] == []


def test_settings_of_the_service_exist() -> None:
    """Options of a source, and variables."""
    options = {each.name for each in fields(Source)}
    settings = (ROOT / "connector" / "settings.py").read_text(encoding="utf-8")

    named = {re.split(r"[ =]", each)[0] for each in SAID if re.fullmatch(r'[a-z]+_[a-z_]+( = "\w+")?', each)}
    assert named - options == set()
    assert {name for name in re.findall(r"CONNECTOR_\w+", GUIDE) if name not in settings} == set()


def test_names_of_the_file_exist() -> None:
    """Keys, attributes and endpoints that the guide points to in the printed file."""
    root = ElementTree.fromstring(SHIPPED.encode())
    there = {each.get("key") for each in root.iter("entry")} | {each.get("name") for each in root.iter()}
    there |= {entry.get("value") for entry in root.iter("entry")} | {
        each.get("key") for each in ElementTree.fromstring(TASKS.encode()).iter("entry")
    }
    there |= {source.text[len("return identity.") : -3] for source in root.iter("Source") if source.text}
    answers = {"nextCursor", "hasMore", "applicationAssignments", "provisioningPolicies"}
    named = {each for each in SAID if re.fullmatch(r"[a-z]+[A-Z]\w+", each)}

    assert named - there - answers - NOT_OURS == set()


def test_tasks_and_the_application_are_called_as_in_the_files() -> None:
    """In italics, as the browser shows them."""
    for name in re.findall(r"\*(AWS IAM Identity Center[^*]*)\*", GUIDE):
        assert f'name="{name}"' in SHIPPED + TASKS


def test_problem_types_exist_with_the_status_that_is_said() -> None:
    """In the troubleshooting table."""
    rows = re.findall(r"^\| (\d{3}), `([\w-]+)`", GUIDE, re.MULTILINE)

    assert len(rows) >= 9
    assert [(status, kind) for status, kind in rows if TYPES[kind].status != int(status)] == []
    assert set(RETRYABLE) <= {kind for _, kind in rows}


def test_no_status_is_both_final_and_tried_again() -> None:
    """IdentityIQ does not retry what `possibleHttpErrors` lists."""
    assert {TYPES[kind].status for kind in RETRYABLE} & set(map(int, PROBLEM_STATUSES)) == set()
    listed = {type_.status for type_ in TYPES.values()} - {404, 405, 429, 503, 504}
    assert listed == set(map(int, PROBLEM_STATUSES))


def test_every_type_of_problem_is_final_or_tried_again_or_means_that_the_account_is_gone() -> None:
    """By its text as by its status: none is two of it, and none is forgotten."""
    assert {*FINAL_TYPES, *RETRYABLE, NOT_FOUND} == set(TYPES)
    assert len(FINAL_TYPES) + len(RETRYABLE) + 1 == len(TYPES)
    tried_again = {kind for kind, type_ in TYPES.items() if type_.status in (429, 503, 504)}
    assert set(RETRYABLE) == tried_again


def test_no_text_of_a_final_problem_is_in_another() -> None:
    """IdentityIQ looks for parts of an answer: an account that is gone must look like nothing else."""
    for kind in (*RETRYABLE, NOT_FOUND):
        assert not [each for each in PROBLEM_TEXTS if each in f'{{"type":"/problems/{kind}"}}']
    assert not [kind for kind in FINAL_TYPES if NOT_FOUND in kind]


def test_the_file_for_the_demo_has_what_the_demo_can() -> None:
    """Its source disables through SCIM; the guide prints for one that strips, which needs no endpoint."""
    assert 'disable_by = "strip"' in GUIDE
    assert endpoints(Source("default", disable_by="strip")) == endpoints(Source("default", disable_by="scim"))


def test_nginx_waits_as_long_as_identityiq() -> None:
    """Numbers that stand in two places."""
    assert f"proxy_read_timeout {SILENCE}s" in GUIDE
    assert f"| {SILENCE};" in GUIDE
    assert f'"timeoutInSeconds" value="{SILENCE}"' in SHIPPED
