"""Deltas as Identity Security Cloud asks for them (issue 3, part 4): frames with changes, then a frame with the state.

A `Reader` keeps the list and the state it was handed, applies what it is sent, and must always see what somebody sees
who lists everything anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, ENG, small
from connector.store import open_store
from tests.aggregation.truth import are_true, shown
from tests.running import Answer, Client, Running, change, key

SOURCES = """
[sources.default]
snapshot_max_age = 3600

[sources.anew]
snapshot_max_age = 0

[sources.groups]
entitlement_types = ["group"]
"""


@dataclass
class Reader:
    """Somebody who keeps a list up to date by deltas."""

    client: Client
    type_: str = ""
    """Of entitlements; of accounts, none."""
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: dict[str, str] | None = None

    def ask(self, state: dict[str, str] | None) -> Answer:
        """One stateful list."""
        asked: dict[str, Any] = {"stateful": True, **({"type": self.type_} if self.type_ else {})}
        if state is not None:
            asked["state"] = state
        answer = self.client.post(f"std:{'entitlement' if self.type_ else 'account'}:list", asked)
        assert answer.complete, answer.text
        assert [frame["type"] for frame in answer.frames] == ["output"] * len(answer.outputs) + ["state"]
        return answer

    def sync(self) -> dict[str, dict[str, Any]]:
        """Take the delta; what came, by identity."""
        answer = self.ask(self.state)
        sent = shown(answer.outputs)
        for identity, each in sent.items():
            if each.get("deleted"):
                assert each["key"] == {"simple": {"id": identity}}
                del self.kept[identity]
            else:
                self.kept[identity] = each
        self.state = answer.frames[-1]["data"]
        return sent

    def all(self) -> dict[str, dict[str, Any]]:
        """What a list without state shows."""
        asked = {"type": self.type_} if self.type_ else {}
        return shown(self.client.outputs(f"std:{'entitlement' if self.type_ else 'account'}:list", asked))


@pytest.fixture
def service(tmp_path: Any) -> Iterator[Running]:
    """A service on the small organisation, of which nothing has been read."""
    with Sandbox(small(), Options(assignment_seconds=0.05)) as sandbox, Running(sandbox, tmp_path, SOURCES) as service:
        yield service


def _user(service: Running, name: str) -> str:
    return service.sandbox.organisation.store.users_by_name[name].id


def _group(service: Running, name: str) -> str:
    return service.sandbox.organisation.store.groups_by_name[name].id


def _set(service: Running, name: str) -> str:
    return service.sandbox.organisation.instance.permission_sets_by_name[name].arn.split("/")[-1]


def _mutate(service: Running, action: str, **asked: Any) -> None:
    service.sandbox.control("mutate", {"action": action, **asked})


def test_the_first_list_is_whole_and_the_next_is_empty(service: Running) -> None:
    reader = Reader(service.client())
    assert len(reader.sync()) == len(service.sandbox.organisation.store.users)
    are_true(reader.kept, service.sandbox)
    assert reader.sync() == {}
    assert reader.kept == reader.all()


def test_our_own_changes_are_the_next_delta_and_nothing_else(service: Running) -> None:
    client = service.client()
    reader = Reader(client)
    reader.sync()
    service.sandbox.control("forget")

    ada, read, pair = _user(service, "ada"), _group(service, "aws_eng_read"), f"{DATA}:{_set(service, 'Read')}"
    changes = [change("Add", "groups", read), change("Add", "permissionSetAssignments", pair)]
    changed = client.one("std:account:update", key(ada, changes=changes))
    assert reader.sync() == {ada: changed}

    new = {"userName": "n", "givenName": "N", "familyName": "M", "groups": [read]}
    created = client.one("std:account:create", {"attributes": new})
    assert reader.sync() == {created["identity"]: created}

    client.one("std:account:delete", key(created["identity"]))
    gone = reader.sync()
    assert {identity: each["deleted"] for identity, each in gone.items()} == {created["identity"]: True}
    assert reader.kept == reader.all()
    are_true(reader.kept, service.sandbox)
    assert "ListUsers" not in service.sandbox.control("state")["calls"], "a delta read everything anew"


def test_what_came_and_went_between_two_lists_is_not_sent(service: Running) -> None:
    client = service.client()
    reader = Reader(client)
    reader.sync()
    created = client.one("std:account:create", {"attributes": {"userName": "n", "givenName": "N", "familyName": "M"}})
    client.one("std:account:delete", key(created["identity"]))
    assert reader.sync() == {}


def test_outside_changes_are_the_next_delta(service: Running) -> None:
    reader = Reader(service.client("anew"))
    reader.sync()

    _mutate(service, "set_user_status", user="ada", status="DISABLED")
    assert set(reader.sync()) == {_user(service, "ada")}

    # A group's new assignment shows at all its members, and at nobody else.
    members = {row.user_id for row in service.sandbox.organisation.store.memberships.values()}
    readers = {
        row.user_id
        for row in service.sandbox.organisation.store.memberships.values()
        if row.group_id == _group(service, "aws_data_read")
    }
    assert members - readers
    principal = {"principal_type": "GROUP", "principal_id": _group(service, "aws_data_read")}
    _mutate(service, "add_assignment", permission_set="Write", account_id=ENG, **principal)
    assert set(reader.sync()) == readers

    # So does a new name of an AWS account in which a group has access.
    _mutate(service, "rename_account", account_id=CORE, name="Kernel")
    sent = reader.sync()
    assert sent
    assert all(any("on Kernel" in text for text in each["attributes"]["inheritedAccess"]) for each in sent.values())

    assert reader.sync() == {}
    assert reader.kept == reader.all()
    are_true(reader.kept, service.sandbox)


def test_deleted_users_and_groups(service: Running) -> None:
    reader = Reader(service.client("anew"))
    reader.sync()
    tim, edgar = _user(service, "tim"), _user(service, "edgar")
    _mutate(service, "delete_user", user="tim")
    _mutate(service, "delete_user", user="edgar")
    sent = reader.sync()
    assert {identity for identity, each in sent.items() if each.get("deleted")} == {tim, edgar}
    _mutate(service, "delete_group", group="aws_eng_read")
    assert reader.sync()
    assert reader.sync() == {}
    assert reader.kept == reader.all()
    are_true(reader.kept, service.sandbox)


@pytest.mark.parametrize(
    "state", [{}, {"snapshot": "999999"}, {"snapshot": "-1"}, {"snapshot": "one"}, {"somebody": "else's"}]
)
def test_a_state_that_names_nothing_gives_the_whole_list(service: Running, state: dict[str, str]) -> None:
    reader = Reader(service.client())
    reader.sync()
    answer = reader.ask(state)
    assert shown(answer.outputs) == reader.kept
    assert answer.frames[-1]["data"] == reader.state


def test_a_state_of_another_configuration_gives_the_whole_list(service: Running) -> None:
    one, other = Reader(service.client()), Reader(service.client("groups"))
    one.sync()
    other.sync()
    assert one.state is not None
    assert shown(other.ask(one.state).outputs) == other.kept


def test_a_state_of_another_store_gives_the_whole_list(service: Running) -> None:
    """The store was lost: its numbers begin anew, and a snapshot of the same number is another one."""
    reader = Reader(service.client())
    reader.sync()
    _mutate(service, "delete_user", user="tim")
    service.stop()
    for each in service.directory.glob("connector.db*"):
        each.unlink()
    service.start()
    assert len(reader.ask(reader.state).outputs) == len(service.sandbox.organisation.store.users)


def test_an_expired_state_gives_the_whole_list(service: Running) -> None:
    """A week passes in the store: the snapshot that the state names is swept away."""
    client = service.client()
    reader = Reader(client)
    reader.sync()
    old = dict(reader.state or {})
    client.one("std:account:update", key(_user(service, "ada"), changes=[change("Set", "title", "New")]))
    assert len(reader.sync()) == 1
    store = open_store(f"sqlite:///{service.directory / 'connector.db'}")
    store.sweep(0)
    store.close()
    assert shown(reader.ask(old).outputs) == reader.kept == reader.all()
    assert reader.sync() == {}


def test_a_state_outlives_a_restart(service: Running) -> None:
    reader = Reader(service.client())
    reader.sync()
    assert service.stop() == 0
    service.start()
    assert reader.sync() == {}
    ada = _user(service, "ada")
    service.client().one("std:account:update", key(ada, changes=[change("Set", "title", "New")]))
    assert set(reader.sync()) == {ada}


def test_deltas_of_entitlements(service: Running) -> None:
    client = service.client()
    groups, pairs = Reader(client, "group"), Reader(client, "permissionSetAssignment")
    assert groups.sync()
    assert pairs.sync()
    assert (groups.sync(), pairs.sync()) == ({}, {})

    ada, security = _user(service, "ada"), _group(service, "aws_eng_security")
    pair = f"{DATA}:{_set(service, 'Read')}"
    changes = [change("Add", "groups", security), change("Add", "permissionSetAssignments", pair)]
    client.one("std:account:update", key(ada, changes=changes))
    sent = groups.sync()
    assert set(sent) == {security}
    assert sent[security]["attributes"]["userCount"] == 1
    assert set(pairs.sync()) == {pair}
    assert (groups.kept, pairs.kept) == (groups.all(), pairs.all())


def test_a_changed_policy_is_a_delta_of_the_pairs_that_grant_it(service: Running) -> None:
    reader = Reader(service.client("anew"), "permissionSetAssignment")
    reader.sync()
    organisation = service.sandbox.organisation
    read = organisation.instance.permission_sets_by_name["Read"]
    with organisation.lock:
        read.managed_policies["arn:aws:iam::aws:policy/SecurityAudit"] = "SecurityAudit"
    sent = reader.sync()
    assert set(sent) == {each for each in reader.all() if each.endswith(f":{_set(service, 'Read')}")}
    for each in sent.values():
        assert "arn:aws:iam::aws:policy/SecurityAudit" in each["attributes"]["managedPolicies"]
    # Whoever lists accounts is not told: no account looks different.
    accounts = Reader(service.client("anew"))
    accounts.sync()
    with organisation.lock:
        read.inline_policy = '{"Version":"2012-10-17","Statement":[]}'
    assert accounts.sync() == {}
    assert set(reader.sync()) == set(sent)


def test_new_and_deleted_entitlements(service: Running) -> None:
    client = service.client("anew")
    groups, pairs = Reader(client, "group"), Reader(client, "permissionSetAssignment")
    groups.sync()
    pairs.sync()
    group, doomed = _group(service, "aws_data_write"), _set(service, "Security")
    gone = {each for each in pairs.kept if each.endswith(f":{doomed}")}
    _mutate(service, "delete_group", group="aws_data_write")
    _mutate(service, "delete_permission_set", permission_set="Security")
    _mutate(service, "add_pair", permission_set="Admin", account_id="444455556666")
    assert groups.sync()[group]["deleted"] is True
    sent = pairs.sync()
    assert {identity for identity, each in sent.items() if each.get("deleted")} == gone
    assert f"444455556666:{_set(service, 'Admin')}" in sent
    assert (groups.kept, pairs.kept) == (groups.all(), pairs.all())
