"""One entitlement: never one that AWS says is gone, and what was made since the last census is there all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.sandbox import building
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, ENG
from tests.named import Named
from tests.rest.conftest import Caller, kind_of
from tests.running import Running

BASE = "/v1/sources/all/entitlements"
WIDE = "/v1/sources/wide/entitlements"
SOURCES = """
[sources.default]
[sources.all]
entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]
[sources.wide]
entitlement_scope = "all"
"""


class Organisation(Named):
    """An organisation that was read once, and changes beside us afterwards."""

    def __init__(self, sandbox: Sandbox, service: Running) -> None:
        self.sandbox = sandbox
        self.get = Caller(service.url).get
        for base, types in ((BASE, ("group", "permissionSetAssignment", "applicationAssignment")), (WIDE, PAIR)):
            for type_ in types:
                assert self.get(f"{base}/{type_}").status_code == 200

    def mutate(self, action: str, **more: Any) -> None:
        self.sandbox.control("mutate", {"action": action, **more})

    def application(self, name: str) -> str:
        rows = self.sandbox.organisation.instance.applications
        return next(each.arn.rsplit("/", 1)[-1] for each in rows if each.name == name)

    def gone(self, path: str) -> None:
        answer = self.get(path)
        assert (answer.status_code, kind_of(answer)) == (404, "entitlement-not-found"), answer.text

    def shown(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


PAIR = ("permissionSetAssignment",)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    with Sandbox() as sandbox, Running(sandbox, tmp_path_factory.mktemp("entitlements"), SOURCES) as service:
        yield Organisation(sandbox, service)


def test_a_group_that_was_deleted_is_not_there(aws: Organisation) -> None:
    """The list shows it until the next census; asked for by itself, it is gone."""
    path = f"{BASE}/group/{aws.group('aws_data_read')}"
    assert aws.shown(path)["displayName"] == "aws_data_read"
    aws.mutate("delete_group", group="aws_data_read")

    aws.gone(path)


def test_a_permission_set_that_was_deleted_is_nowhere(aws: Organisation) -> None:
    """Neither in the AWS accounts it was provisioned in, nor in others."""
    paths = [f"{base}/{PAIR[0]}/{aws.pair('Write', ENG)}" for base in (BASE, WIDE)]
    paths.append(f"{WIDE}/{PAIR[0]}/{aws.pair('Write', CORE)}")
    for each in paths:
        aws.shown(each)
    aws.mutate("delete_permission_set", permission_set="Write")

    for each in paths:
        aws.gone(each)


def test_an_application_that_was_deleted_is_not_there(aws: Organisation) -> None:
    path = f"{BASE}/applicationAssignment/{aws.application('Wiki')}"
    aws.shown(path)
    instance = aws.sandbox.organisation.instance
    with aws.sandbox.organisation.lock:
        (wiki,) = (each for each in instance.applications if each.name == "Wiki")
        instance.applications.remove(wiki)
        del instance.applications_by_arn[wiki.arn]

    aws.gone(path)


def test_a_group_made_since_is_there_with_all_it_opens(aws: Organisation) -> None:
    """Nobody may take "not read yet" for "opens nothing"."""
    organisation = aws.sandbox.organisation
    with organisation.lock:
        made = building.add_group(organisation, organisation.store, "brand_new", "made since")
        building.join(organisation, organisation.store, made, organisation.store.users_by_name["ada"])
        read = organisation.instance.permission_sets_by_name["Read"]
        building.assign(organisation, organisation.instance, read, DATA, ("GROUP", made.id))

    shown = aws.shown(f"{BASE}/group/{made.id}")

    assert (shown["displayName"], shown["description"], shown["userCount"]) == ("brand_new", "made since", 1)
    assert shown["permissionSetAssignments"] == [aws.pair("Read", DATA)]


def test_a_group_renamed_since_has_its_new_name(aws: Organisation) -> None:
    organisation = aws.sandbox.organisation
    group = aws.group("aws_eng_read")
    before = aws.shown(f"{BASE}/group/{group}")
    with organisation.lock:
        organisation.store.groups_by_id[group].description = "changed since"

    assert aws.shown(f"{BASE}/group/{group}") == before | {"description": "changed since"}


@pytest.mark.parametrize("base", [BASE, WIDE])
def test_a_pair_made_since_is_there_with_who_holds_it(aws: Organisation, base: str) -> None:
    organisation = aws.sandbox.organisation
    name = f"MadeSince{base.count('wide')}"
    with organisation.lock:
        made = building.add_permission_set(organisation, organisation.instance, name, "made since", "ReadOnlyAccess")
        building.assign(organisation, organisation.instance, made, DATA, ("GROUP", aws.group("aws_eng_read")))

    shown = aws.shown(f"{base}/{PAIR[0]}/{aws.pair(name, DATA)}")

    assert shown["permissionSetName"] == name
    assert shown["displayName"].startswith(f"{name} on ")
    assert (shown["description"], shown["userCount"], shown["groupCount"]) == ("made since", 0, 1)
    elsewhere = f"{base}/{PAIR[0]}/{aws.pair(name, CORE)}"
    if base == WIDE:
        assert aws.shown(elsewhere)["groupCount"] == 0
    else:
        aws.gone(elsewhere)


def test_an_application_made_since_is_there(aws: Organisation) -> None:
    aws.mutate("add_application", name="Calendar")

    assert aws.shown(f"{BASE}/applicationAssignment/{aws.application('Calendar')}")["displayName"] == "Calendar"


def test_an_aws_account_nobody_has_makes_no_pair(aws: Organisation) -> None:
    aws.gone(f"{BASE}/{PAIR[0]}/{aws.pair('Read', '999999999999')}")


def test_an_account_names_an_application_made_since_as_the_next_list_will(aws: Organisation) -> None:
    """Held through a group, readable. Where AWS would not tell its name, the account is told all the same."""
    organisation, group = aws.sandbox.organisation, aws.group("aws_eng_read")
    with organisation.lock:
        made = building.add_application(organisation, organisation.instance, "Made Since", "")
        building.assign_application(organisation, organisation.instance, made, ("GROUP", group))
        building.join(
            organisation,
            organisation.store,
            organisation.store.groups_by_id[group],
            organisation.store.users_by_name["linus"],
        )
    path = f"/v1/sources/all/accounts/{aws.user('linus')}"

    assert "Made Since via aws_eng_read" in aws.shown(path)["inheritedAccess"]
    aws.sandbox.control("options", {"deny": ["ListApplications"]})
    try:
        assert f"{made.arn.rsplit('/', 1)[-1]} via aws_eng_read" in aws.shown(path)["inheritedAccess"]
    finally:
        aws.sandbox.control("options", {"deny": []})
