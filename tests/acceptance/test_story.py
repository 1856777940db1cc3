"""The provisioning story (acceptance 5): after every step the emulated AWS is exactly as expected, and replays change
nothing.

A `Story` keeps a picture of the whole organisation. Each step says what it changes in the picture; then the whole of
AWS is compared with it, not only what the step was about. Replaying compares the dump byte for byte, dates and
Revisions included.
"""

from __future__ import annotations

import copy
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, ENG, LEGACY, small
from tests.acceptance.oracle import dump, picture
from tests.named import Named
from tests.running import Answer, Client, Running, change, key

Picture = dict[str, Any]
Effect = Callable[[Picture], object]
ALL_TYPES = 'entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]\n'
FRESH = "snapshot_max_age = 0\n"
OPTIONS = Options(assignment_seconds=0.1).as_dict()


def _sources(sandbox: Sandbox, token_file: Any) -> str:
    tables = {
        "default": "",
        "all": ALL_TYPES,
        "groups": 'entitlement_types = ["group"]\n',
        "adopt": 'on_existing = "adopt"\n',
        "strip": 'disable_by = "strip"\n',
        "external": 'managed_by = "external"\n',
        "changeable": 'managed_by = "external"\nexternal_groups = "changeable"\n',
        "scim": f'disable_by = "scim"\nscim_endpoint = "{sandbox.scim_url}"\nscim_token_file = "{token_file}"\n',
    }
    return "".join(f"[sources.{name}]\n{FRESH}{options}" for name, options in tables.items())


@dataclass
class Story(Named):
    """The small organisation, a service on it, and what the organisation is expected to be."""

    sandbox: Sandbox
    service: Running
    expected: Picture
    client: Client

    # ---- names of what is there

    def application(self, name: str) -> str:
        return next(each.arn for each in self.sandbox.organisation.instance.applications if each.name == name)

    def source(self, name: str) -> Story:
        """The same story, told to another source."""
        self.client = self.service.client(name)
        return self

    def calls(self, operation: str) -> int:
        found: int = self.sandbox.control("state")["calls"].get(operation, 0)
        return found

    # ---- steps

    def happens(self, **mutation: Any) -> None:
        """Something changes in AWS without us."""
        self.sandbox.control("mutate", mutation)
        self.expected = picture(self.sandbox)

    def holds(self) -> None:
        """AWS is as expected."""
        assert picture(self.sandbox) == self.expected

    def update(self, user: str, *changes: dict[str, Any], effect: Effect | None = None) -> Any:
        """An update that succeeds; without an effect it changes nothing and answers `{}`."""
        asked = key(user, changes=list(changes))
        before = dump(self.sandbox)
        account = self.client.one("std:account:update", asked)
        if effect is None:
            assert account == {}
            assert dump(self.sandbox) == before
            return account
        effect(self.expected)
        self.holds()
        assert "results" not in account, account["results"]
        assert account == self.client.one("std:account:read", key(user))
        self.replay("std:account:update", asked, {})
        return account

    def replay(self, type_: str, asked: Any, answer: Any) -> None:
        """The same command once more: the answer is known and nothing changes, not even a date."""
        before = dump(self.sandbox)
        assert self.client.one(type_, asked) == answer
        assert dump(self.sandbox) == before

    def refused(self, type_: str, asked: Any, *words: str) -> str:
        """A command that fails with these words and changes nothing."""
        before = dump(self.sandbox)
        said = self.client.failure(type_, asked)
        assert said.startswith("generic error: "), said
        assert [word for word in words if word not in said] == [], said
        assert dump(self.sandbox) == before
        return said


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service on the small organisation; every source reads anew for each list."""
    directory = tmp_path_factory.mktemp("story")
    with Sandbox(small(), Options(assignment_seconds=0.1)) as sandbox:
        token_file = directory / "scim-token"
        token_file.write_text(sandbox.scim_token)
        with Running(sandbox, directory, _sources(sandbox, token_file)) as service:
            yield service


@pytest.fixture
def story(stage: Running) -> Iterator[Story]:
    """The organisation as it was made."""
    sandbox = stage.sandbox
    sandbox.control("reset")
    sandbox.control("options", OPTIONS)
    yield Story(sandbox, stage, picture(sandbox), stage.client())
    assert sandbox.control("state")["crashes"] == []


# ---- effects


def joins(group: str, user: str) -> Effect:
    return lambda world: world["memberships"].add((group, user))


def leaves(group: str, user: str) -> Effect:
    return lambda world: world["memberships"].remove((group, user))


def assigned(pair: str, user: str) -> Effect:
    def effect(world: Picture) -> None:
        world["assignments"].add((pair, "USER", user))
        world["pairs"].add(pair)  # AWS provisions what it assigns

    return effect


def unassigned(pair: str, user: str) -> Effect:
    def effect(world: Picture) -> None:
        world["assignments"].remove((pair, "USER", user))
        if not any(row[0] == pair for row in world["assignments"]):
            world["pairs"].remove(pair)  # the emulated AWS takes away what nobody holds any more

    return effect


def both(*effects: Effect) -> Effect:
    def effect(world: Picture) -> None:
        for each in effects:
            each(world)

    return effect


def put(user: str, path: tuple[str, ...], value: Any) -> Effect:
    """A value in AWS's own form of a user; None takes it away, and with it every structure that becomes empty."""

    def effect(world: Picture) -> None:
        node = world["users"][user]
        holders = []
        for step, following in itertools.pairwise(path):
            if isinstance(node, list):
                node = node[0]
                continue
            holders.append((node, step))
            node = node.setdefault(step, [{}] if following == "0" else {})
        node = node[0] if isinstance(node, list) else node
        if value is not None:
            node[path[-1]] = value
            return
        node.pop(path[-1], None)
        for holder, step in reversed(holders[1:]):
            if holder[step] in ({}, [{}]):
                del holder[step]

    return effect


# ---- the story


def test_a_joiner_becomes_a_mover_and_then_a_leaver(story: Story) -> None:
    client = story.client
    first, second, third = map(story.group, ("aws_data_read", "aws_eng_read", "aws_eng_security"))
    read, write = story.pair("Read", ENG), story.pair("Write", DATA)
    new = {"userName": "newcomer", "givenName": "New", "familyName": "Comer", "email": "new@example.com"}

    # Two groups as an array, one assignment as a plain string: as SailPoint sends them.
    asked = {"attributes": {**new, "groups": [first, second], "permissionSetAssignments": read}}
    created = client.one("std:account:create", asked)
    user = created["identity"]
    story.expected["users"][user] = {
        "enabled": True,
        "attributes": {
            "UserName": "newcomer",
            "DisplayName": "New Comer",
            "Name": {"GivenName": "New", "FamilyName": "Comer"},
            "Emails": [{"Value": "new@example.com", "Primary": True}],
        },
        "extension": {},
        "external_ids": [],
    }
    both(joins(first, user), joins(second, user), assigned(read, user))(story.expected)
    story.holds()
    assert "results" not in created
    assert created["attributes"]["groups"] == sorted([first, second])
    assert created["attributes"]["permissionSetAssignments"] == [read]
    assert created["attributes"]["inheritedAccess"] == [
        f"Read on Data ({DATA}) via aws_data_read",
        f"Read on Eng ({ENG}) via aws_eng_read",
    ]
    assert created == client.one("std:account:read", key(user))
    # The same wish again is an answer that was lost: the account. Another wish for the same name is a conflict.
    assert client.one("std:account:create", asked) == created
    story.holds()
    story.refused("std:account:create", {"attributes": {**new, "title": "Other"}}, "newcomer", user)

    # Mover: attributes, groups and pairs at once; Set replaces the whole list.
    story.update(
        user,
        change("Set", "title", "Analyst"),
        change("Set", "groups", [second, third]),
        change("Add", "permissionSetAssignments", [write]),
        effect=both(
            put(user, ("attributes", "Title"), "Analyst"),
            leaves(first, user),
            joins(third, user),
            assigned(write, user),
        ),
    )

    # Leaver: everything goes, and only what was his.
    assert client.one("std:account:delete", key(user)) == {}
    both(leaves(second, user), leaves(third, user), unassigned(read, user), unassigned(write, user))(story.expected)
    del story.expected["users"][user]
    story.holds()
    story.replay("std:account:delete", key(user), {})
    assert client.failure("std:account:read", key(user)).startswith("notFound error: ")


# ---- groups, pairs, applications: Add, Set, Remove; a scalar and an array


def test_groups_are_added_set_and_removed(story: Story) -> None:
    user = story.user("ada")
    mine = [story.group(name) for name in ("aws_core_admin", "aws_core_security", "aws_data_admin")]
    one, two = story.group("aws_eng_read"), story.group("aws_eng_write")
    story.update(user, change("Add", "groups", one), effect=joins(one, user))
    story.update(user, change("Add", "groups", [one, two]), effect=joins(two, user))
    story.update(user, change("Remove", "groups", one), effect=leaves(one, user))
    story.update(user, change("Remove", "groups", [one, two]), effect=leaves(two, user))
    story.update(user, change("Set", "groups", one), effect=both(joins(one, user), *(leaves(g, user) for g in mine)))
    story.update(
        user,
        change("Set", "groups", [two, mine[0]]),
        effect=both(leaves(one, user), *(joins(g, user) for g in (two, mine[0]))),
    )
    story.update(user, change("Set", "groups", []), effect=both(leaves(two, user), leaves(mine[0], user)))


def test_pairs_are_added_set_and_removed(story: Story) -> None:
    user = story.user("barbara")
    mine, one, two = story.pair("Write", DATA), story.pair("Security", ENG), story.pair("Read", CORE)
    name, attribute = user, "permissionSetAssignments"
    story.update(name, change("Add", attribute, one), effect=assigned(one, user))
    story.update(name, change("Add", attribute, [one, two]), effect=assigned(two, user))
    story.update(name, change("Remove", attribute, one), effect=unassigned(one, user))
    story.update(name, change("Remove", attribute, [one, two]), effect=unassigned(two, user))
    story.update(name, change("Set", attribute, one), effect=both(unassigned(mine, user), assigned(one, user)))
    story.update(
        name,
        change("Set", attribute, [mine, two]),
        effect=both(unassigned(one, user), assigned(mine, user), assigned(two, user)),
    )
    story.update(name, change("Set", attribute, []), effect=both(unassigned(mine, user), unassigned(two, user)))


def test_applications_are_added_set_and_removed_where_they_are_enabled(story: Story) -> None:
    user, arn = story.user("ada"), story.application("Dashboards")
    identifier, attribute = arn.split("/")[-1], "applicationAssignments"
    given: Effect = lambda world: world["applications"][arn].add(("USER", user))  # noqa: E731
    taken: Effect = lambda world: world["applications"][arn].remove(("USER", user))  # noqa: E731
    story.source("all")
    story.update(user, change("Add", attribute, identifier), effect=given)
    story.update(user, change("Remove", attribute, [identifier]), effect=taken)
    story.update(user, change("Set", attribute, [identifier]), effect=given)
    story.update(user, change("Set", attribute, []), effect=taken)
    wiki = story.application("Wiki").split("/")[-1]
    story.refused("std:account:update", key(user, changes=[change("Add", attribute, wiki)]), wiki, "everybody")
    story.source("default")
    asked = key(user, changes=[change("Add", attribute, identifier)])
    story.refused("std:account:update", asked, attribute, "entitlement_types")


# ---- scalar attributes of each block

SCALARS = [
    ("title", ("attributes", "Title")),
    ("nickName", ("attributes", "NickName")),
    ("middleName", ("attributes", "Name", "MiddleName")),
    ("formattedName", ("attributes", "Name", "Formatted")),
    ("phoneNumber", ("attributes", "PhoneNumbers", "0", "Value")),
    ("streetAddress", ("attributes", "Addresses", "0", "StreetAddress")),
    ("department", ("extension", "department")),
    ("manager", ("extension", "manager", "value")),
]


@pytest.mark.parametrize(("attribute", "path"), SCALARS, ids=[name for name, _ in SCALARS])
def test_a_scalar_attribute_is_set_added_and_removed(story: Story, attribute: str, path: tuple[str, ...]) -> None:
    user = story.user("katherine")
    story.update(user, change("Set", attribute, "one"), effect=put(user, path, "one"))
    story.update(user, change("Set", attribute, ["two"]), effect=put(user, path, "two"))
    story.update(user, change("Add", attribute, "three"), effect=put(user, path, "three"))
    story.update(user, change("Remove", attribute, "another"))
    story.update(user, change("Remove", attribute, ["three"]), effect=put(user, path, None))
    story.update(user, change("Set", attribute, "one"), effect=put(user, path, "one"))
    story.update(user, change("Remove", attribute), effect=put(user, path, None))
    story.update(user, change("Set", attribute, "one"), effect=put(user, path, "one"))
    story.update(user, change("Set", attribute, ""), effect=put(user, path, None))


@pytest.mark.parametrize(
    ("attribute", "path"),
    [
        ("userName", ("attributes", "UserName")),
        ("displayName", ("attributes", "DisplayName")),
        ("givenName", ("attributes", "Name", "GivenName")),
        ("familyName", ("attributes", "Name", "FamilyName")),
    ],
)
def test_a_required_attribute_is_set_and_never_cleared(story: Story, attribute: str, path: tuple[str, ...]) -> None:
    user = story.user("mary")
    story.update(user, change("Set", attribute, "another"), effect=put(user, path, "another"))
    for op in ("Remove", "Set"):
        story.refused("std:account:update", key(user, changes=[change(op, attribute)]), attribute, "requires")


def test_an_email_address_is_replaced_and_taken_away_whole(story: Story) -> None:
    user = story.user("mary")
    path = ("attributes", "Emails")
    new = [{"Value": "m@example.com", "Type": "home", "Primary": True}]
    changes = [change("Set", "email", "m@example.com"), change("Set", "emailType", "home")]
    story.update(user, *changes, effect=put(user, path, new))
    story.update(user, change("Remove", "email"), change("Remove", "emailType"), effect=put(user, path, None))


def test_what_we_do_not_show_of_an_address_stays(story: Story) -> None:
    user = story.user("tim")
    row = {
        "StreetAddress": "1 Way",
        "Locality": "Geneva",
        "Formatted": "1 Way, Geneva",
        "Type": "work",
        "Primary": True,
    }
    organisation = story.sandbox.organisation
    with organisation.lock:
        organisation.store.users_by_id[user].attributes["Addresses"] = [dict(row)]
    story.expected = picture(story.sandbox)
    story.update(
        user,
        change("Set", "locality", "London"),
        change("Set", "postalCode", "N1"),
        change("Remove", "streetAddress"),
        effect=put(
            user,
            ("attributes", "Addresses"),
            [
                {name: value for name, value in row.items() if name != "StreetAddress"}
                | {"Locality": "London", "PostalCode": "N1"}
            ],
        ),
    )


# ---- what is refused, is refused before anything is touched


def test_one_wrong_change_stops_all_of_them(story: Story) -> None:
    user, group = story.user("ada"), story.group("aws_eng_read")
    pair = story.pair("Read", ENG)
    right = [
        change("Set", "title", "X"),
        change("Add", "groups", group),
        change("Add", "permissionSetAssignments", pair),
    ]
    nobody = "00000000-0000-0000-0000-000000000000"
    for wrong, word in (
        (change("Set", "userArn", "arn:aws:identitystore:::user/other"), "userArn"),
        (change("Set", "shoeSize", "44"), "shoeSize"),
        (change("Add", "groups", nobody), nobody),
        (change("Add", "groups", "no id at all"), "no id at all"),
        (change("Remove", "groups"), "groups"),
        (change("Add", "permissionSetAssignments", f"{DATA}:ps-0000000000000000"), "ps-0000000000000000"),
        (change("Add", "permissionSetAssignments", pair.replace(ENG, "999999999999")), "999999999999"),
        (change("Add", "permissionSetAssignments", story.pair("Read", LEGACY)), "SUSPENDED"),
        (change("Add", "inheritedPermissionSetAssignments", [pair]), "inheritedPermissionSetAssignments"),
        ({"op": "Replace", "attribute": "title", "value": "Y"}, "Replace"),
        (change("Set", "title", {"no": "text"}), "title"),
    ):
        story.refused("std:account:update", key(user, changes=[*right, wrong]), word)
        if wrong["op"] == "Add":
            new = {
                "userName": "n",
                "givenName": "N",
                "familyName": "N",
                "groups": [group],
                wrong["attribute"]: wrong["value"],
            }
            story.refused("std:account:create", {"attributes": new}, word)


def test_read_only_attributes_sent_back_unchanged_are_ignored(story: Story) -> None:
    user = story.user("ada")
    shown = story.client.one("std:account:read", key(user))["attributes"]
    story.update(user, change("Set", "userArn", shown["userArn"]), change("Set", "userStatus", "ENABLED"))
    inherited = "inheritedPermissionSetAssignments"
    story.update(
        user, change("Set", inherited, shown[inherited]), {"op": "Set", "attribute": "createdAt", "value": None}
    )


def test_a_user_without_what_is_required_is_not_created(story: Story) -> None:
    story.refused("std:account:create", {"attributes": {}}, "userName", "givenName", "familyName")
    story.refused("std:account:create", {"attributes": {"userName": "n", "givenName": "N"}}, "familyName")


# ---- assignments that end as FAILED


def _organizations_denied(story: Story) -> None:
    """State is not known then, so grants are tried, and AWS ends one in a suspended AWS account as FAILED."""
    story.sandbox.control("options", {"deny": ["organizations:DescribeAccount", "organizations:ListAccounts"]})


def test_a_created_account_with_a_failed_grant_is_returned_with_the_reason(story: Story) -> None:
    _organizations_denied(story)
    group, good, bad = story.group("aws_eng_read"), story.pair("Read", ENG), story.pair("Admin", LEGACY)
    new = {
        "userName": "n",
        "givenName": "N",
        "familyName": "M",
        "groups": group,
        "permissionSetAssignments": [good, bad],
    }
    account = story.client.one("std:account:create", {"attributes": new})
    user = account["identity"]
    _names(account["results"], "permissionSetAssignments", bad, LEGACY, "takes longer than usual")
    assert account["attributes"]["permissionSetAssignments"] == [good]
    assert account["attributes"]["groups"] == [group]
    made = picture(story.sandbox)["users"][user]
    story.expected["users"][user] = made
    assert made["attributes"]["DisplayName"] == "N M"
    both(joins(group, user), assigned(good, user))(story.expected)
    story.holds()


def test_an_update_with_a_failed_grant_does_the_rest_and_names_it(story: Story) -> None:
    _organizations_denied(story)
    user, group = story.user("ada"), story.group("aws_eng_read")
    good, bad = story.pair("Read", ENG), story.pair("Admin", LEGACY)
    changes = [change("Add", "permissionSetAssignments", [good, bad]), change("Add", "groups", group)]
    asked = key(user, changes=[*changes, change("Set", "title", "X")])
    account = story.client.one("std:account:update", asked)
    _names(account["results"], "permissionSetAssignments", bad, LEGACY, "takes longer than usual")
    both(joins(group, user), assigned(good, user), put(user, ("attributes", "Title"), "X"))(story.expected)
    story.holds()
    before = dump(story.sandbox)
    again = story.client.one("std:account:update", asked)
    _names(again["results"], "permissionSetAssignments", bad, LEGACY)
    assert dump(story.sandbox) == before
    shown = story.client.one("std:account:read", key(user))
    assert again == {**shown, "results": again["results"]}


def _names(results: list[dict[str, Any]], attribute: str, *words: str) -> None:
    """The results are one error about the attribute, whose message has every word."""
    (only,) = results
    assert (only["attribute"], only["status"]) == (attribute, "error")
    (message,) = only["messages"]
    assert message["level"] == "ERROR"
    assert [word for word in words if word not in message["message"]] == []


# ---- taking away is never refused


def test_a_permission_set_that_was_deleted_can_be_taken_away(story: Story) -> None:
    user, pair = story.user("barbara"), story.pair("Write", DATA)
    story.happens(action="delete_permission_set", permission_set="Write")
    story.update(user, change("Remove", "permissionSetAssignments", pair))
    story.update(user, change("Set", "permissionSetAssignments", []))


def test_a_permission_set_that_is_deleted_in_the_middle_counts_as_gone(story: Story) -> None:
    """It is still there when the account is read, and gone when the removal is sent."""
    user, pair = story.user("barbara"), story.pair("Write", DATA)
    story.sandbox.control(
        "faults", {"operation": "DeleteAccountAssignment", "fault": "slow", "seconds": 0.6, "times": 1}
    )
    asked = key(user, changes=[change("Remove", "permissionSetAssignments", pair)])
    answers: list[Answer] = []
    command = threading.Thread(target=lambda: answers.append(story.client.post("std:account:update", asked)))
    command.start()
    _until(lambda: story.sandbox.control("state")["faults"][0]["hits"])
    story.happens(action="delete_permission_set", permission_set="Write")
    command.join()
    assert answers[0].complete, answers[0].text
    assert "results" not in answers[0].outputs[0]
    story.holds()


@pytest.mark.parametrize("answer", ["not_found", "failed", "succeeded"])
def test_an_assignment_that_others_take_away_in_the_middle_counts_as_gone(story: Story, answer: str) -> None:
    """What AWS answers then is not documented: refused at once, FAILED later, or SUCCEEDED."""
    user, pair = story.user("barbara"), story.pair("Write", DATA)
    story.sandbox.control("options", {"missing_delete": answer})
    rule = {"operation": "DeleteAccountAssignment", "fault": "slow", "seconds": 0.6, "times": 1}
    story.sandbox.control("faults", rule)
    asked = key(user, changes=[change("Remove", "permissionSetAssignments", pair)])
    answers: list[Answer] = []
    command = threading.Thread(target=lambda: answers.append(story.client.post("std:account:update", asked)))
    command.start()
    _until(lambda: story.sandbox.control("state")["faults"][0]["hits"])
    story.happens(
        action="remove_assignment",
        permission_set="Write",
        account_id=DATA,
        principal_type="USER",
        principal_id=user,
    )
    command.join()
    assert answers[0].complete, answers[0].text
    assert "results" not in answers[0].outputs[0]
    story.holds()
    story.replay("std:account:update", asked, {})


def test_what_never_existed_is_taken_away_without_a_word(story: Story) -> None:
    user = story.user("ada")
    nobody = "00000000-0000-0000-0000-000000000000"
    story.update(user, change("Remove", "groups", nobody))
    story.update(user, change("Remove", "permissionSetAssignments", f"{DATA}:ps-0000000000000000"))


def test_on_a_suspended_aws_account_grants_are_refused_and_removals_tried(story: Story) -> None:
    user, pair = story.user("barbara"), story.pair("Write", DATA)
    story.happens(action="set_account_state", account_id=DATA, state="SUSPENDED")
    other = story.pair("Read", DATA)
    asked = key(user, changes=[change("Add", "permissionSetAssignments", other)])
    story.refused("std:account:update", asked, other, "SUSPENDED")
    assert story.calls("CreateAccountAssignment") == 0
    asked = key(user, changes=[change("Remove", "permissionSetAssignments", pair)])
    for tried in (1, 2):
        account = story.client.one("std:account:update", asked)
        advice = f"AWS account Data ({DATA}) is SUSPENDED"
        _names(account["results"], "permissionSetAssignments", pair, "takes longer than usual", advice, "reactivate it")
        assert account["attributes"]["permissionSetAssignments"] == [pair]
        assert story.calls("DeleteAccountAssignment") == tried
        story.holds()


# ---- others at work


def _until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_user_changed_by_others_meanwhile_is_read_and_planned_again(story: Story) -> None:
    user = story.user("grace")
    story.sandbox.control("faults", {"operation": "UpdateUser", "fault": "slow", "seconds": 0.5, "times": 1})
    asked = key(user, changes=[change("Set", "title", "Ours"), change("Remove", "department")])
    answers: list[Answer] = []
    command = threading.Thread(target=lambda: answers.append(story.client.post("std:account:update", asked)))
    command.start()
    _until(lambda: story.sandbox.control("state")["faults"][0]["hits"])
    organisation = story.sandbox.organisation
    with organisation.lock:
        found = organisation.store.users_by_id[user]
        found.attributes = {**found.attributes, "Title": "Theirs", "NickName": "Amazing"}
        found.touch(time.time(), "console")
    command.join()
    account = answers[0].outputs[0]
    assert story.calls("UpdateUser") == 2
    both(
        put(user, ("attributes", "Title"), "Ours"),
        put(user, ("attributes", "NickName"), "Amazing"),
        put(user, ("extension", "department"), None),
    )(story.expected)
    story.holds()
    assert account == story.client.one("std:account:read", key(user))
    story.replay("std:account:update", asked, {})


def test_two_changes_of_one_account_at_once_both_hold(story: Story) -> None:
    user = story.user("linus")
    wanted = [story.group(name) for name in ("aws_core_admin", "aws_data_read", "aws_eng_write")]
    asked = [key(user, changes=[change("Add", "groups", group), change("Set", "title", "T")]) for group in wanted]
    commands = [threading.Thread(target=story.client.one, args=("std:account:update", each)) for each in asked]
    for each in commands:
        each.start()
    for each in commands:
        each.join()
    both(put(user, ("attributes", "Title"), "T"), *(joins(group, user) for group in wanted))(story.expected)
    story.holds()


@pytest.mark.parametrize(
    "operation", ["CreateUser", "CreateGroupMembership", "CreateAccountAssignment", "UpdateUser", "DescribeUser"]
)
def test_an_answer_that_is_lost_does_nothing_twice(story: Story, operation: str) -> None:
    """AWS acts, and the connection is reset before its answer."""
    group, pair = story.group("aws_eng_read"), story.pair("Read", ENG)
    story.sandbox.control("faults", {"operation": operation, "fault": "after", "times": 1})
    new = {"userName": "n", "givenName": "N", "familyName": "M", "displayName": "N", "groups": group}
    account = story.client.one("std:account:create", {"attributes": {**new, "permissionSetAssignments": pair}})
    assert "results" not in account
    user = account["identity"]
    account = story.client.one("std:account:update", key(user, changes=[change("Set", "title", "T")]))
    assert "results" not in account
    assert story.sandbox.control("state")["faults"][0]["hits"] == 1
    story.expected["users"][user] = {
        "enabled": True,
        "attributes": {
            "UserName": "n",
            "DisplayName": "N",
            "Name": {"GivenName": "N", "FamilyName": "M"},
            "Title": "T",
        },
        "extension": {},
        "external_ids": [],
    }
    both(joins(group, user), assigned(pair, user))(story.expected)
    story.holds()


@pytest.mark.parametrize("operation", ["DeleteUser", "DeleteGroupMembership", "DeleteAccountAssignment"])
def test_a_removal_whose_answer_is_lost_succeeds(story: Story, operation: str) -> None:
    story.sandbox.control("faults", {"operation": operation, "fault": "after", "times": 1})
    _barbara_goes(story)
    assert story.sandbox.control("state")["faults"][0]["hits"] == 1


def _barbara_goes(story: Story) -> None:
    user = story.user("barbara")
    assert story.client.one("std:account:delete", key(user)) == {}
    both(leaves(story.group("aws_eng_write"), user), unassigned(story.pair("Write", DATA), user))(story.expected)
    del story.expected["users"][user]
    story.holds()
    story.replay("std:account:delete", key(user), {})


def test_what_shows_late_is_waited_for(story: Story) -> None:
    """AWS says SUCCEEDED before its lists show it."""
    story.sandbox.control("options", {"lag_seconds": 0.8})
    user, pair = story.user("barbara"), story.pair("Read", ENG)
    story.update(user, change("Add", "permissionSetAssignments", pair), effect=assigned(pair, user))
    story.update(user, change("Remove", "permissionSetAssignments", pair), effect=unassigned(pair, user))


# ---- who exists already


def test_an_existing_user_is_a_conflict_that_names_it(story: Story) -> None:
    new = {"userName": "ADA", "givenName": "A", "familyName": "L", "groups": story.group("aws_eng_read")}
    story.refused("std:account:create", {"attributes": new}, story.user("ada"), 'on_existing = "adopt"')
    other = {"userName": "ada2", "givenName": "A", "familyName": "L", "email": "ada@example.com"}
    story.refused("std:account:create", {"attributes": other}, "ada@example.com", story.user("ada"))


@pytest.mark.parametrize(("attribute", "value"), [("userName", "ada"), ("email", "ada@example.com")])
def test_a_change_to_what_somebody_has_names_him_and_changes_nothing(story: Story, attribute: str, value: str) -> None:
    user = story.user("barbara")
    changes = [
        change("Set", "title", "Chief"),
        change("Set", attribute, value),
        change("Add", "groups", story.group("aws_core_admin")),
    ]
    said = story.refused("std:account:update", key(user, changes=changes), attribute, value, story.user("ada"))
    assert "exists already" in said


@pytest.mark.parametrize("since", ["a group was taken", "a title was set", "it was disabled"])
def test_a_create_asked_again_after_the_account_was_changed_is_a_conflict(story: Story, since: str) -> None:
    story.source("strip")
    group = story.group("aws_eng_read")
    asked = {"attributes": {"userName": "newt", "givenName": "N", "familyName": "T", "groups": group}}
    user = story.client.one("std:account:create", asked)["identity"]
    assert story.client.one("std:account:create", asked)["identity"] == user, "its answer may have been lost"
    if since == "a group was taken":
        story.client.one("std:account:update", key(user, changes=[change("Remove", "groups", group)]))
    elif since == "a title was set":
        story.client.one("std:account:update", key(user, changes=[change("Set", "familyName", "Tee")]))
    else:
        story.client.one("std:account:disable", key(user))
    story.refused("std:account:create", asked, "exists already", user, "changed since")


def test_an_existing_user_can_be_adopted_with_its_attributes_untouched(story: Story) -> None:
    story.source("adopt")
    user, group, pair = story.user("ada"), story.group("aws_eng_read"), story.pair("Read", ENG)
    new = {"userName": "ada", "givenName": "Someone", "familyName": "Else", "title": "None", "groups": [group]}
    asked = {"attributes": {**new, "permissionSetAssignments": [pair]}}
    account = story.client.one("std:account:create", asked)
    assert account["identity"] == user
    both(joins(group, user), assigned(pair, user))(story.expected)
    story.holds()
    assert account == story.client.one("std:account:read", key(user))
    story.replay("std:account:create", asked, account)


# ---- leavers


def test_a_deleted_user_leaves_nothing_even_of_types_that_are_not_enabled(story: Story) -> None:
    story.source("groups")
    _barbara_goes(story)


def test_a_deleted_user_leaves_no_applications_where_they_are_enabled(story: Story) -> None:
    story.source("all")
    user, arn = story.user("grace"), story.application("Dashboards")
    assert story.client.one("std:account:delete", key(user)) == {}
    story.expected["memberships"] = {row for row in story.expected["memberships"] if row[1] != user}
    story.expected["applications"][arn].remove(("USER", user))
    del story.expected["users"][user]
    story.holds()
    story.replay("std:account:delete", key(user), {})


def test_what_aws_cannot_take_from_a_disabled_user_is_named_until_it_is_taken(story: Story) -> None:
    story.source("strip")
    user, pair = story.user("barbara"), story.pair("Write", DATA)
    story.happens(action="set_account_state", account_id=DATA, state="SUSPENDED")
    account = story.client.one("std:account:disable", key(user))
    assert account["disabled"] is True
    _names(account["results"], "permissionSetAssignments", pair, "SUSPENDED")
    assert (pair, "USER", user) in picture(story.sandbox)["assignments"]

    story.happens(action="set_account_state", account_id=DATA, state="ACTIVE")
    account = story.client.one("std:account:disable", key(user))
    assert "results" not in account
    assert (pair, "USER", user) not in picture(story.sandbox)["assignments"]


def test_what_a_user_left_that_others_deleted_is_taken_when_it_is_deleted_here(story: Story) -> None:
    story.sandbox.control("options", {"orphan_delete": "succeeded"})
    user = story.user("linus")  # whom no test before has deleted: AWS makes nobody anew with the same id
    story.happens(
        action="add_assignment", permission_set="Read", account_id=DATA, principal_type="USER", principal_id=user
    )
    story.client.outputs("std:account:list")
    story.happens(action="delete_user", user="linus")
    orphans = {row for row in story.expected["assignments"] if row[1:] == ("USER", user)}
    assert orphans
    story.client.outputs("std:account:list")
    assert story.client.one("std:account:delete", key(user)) == {}
    for pair, _, _ in orphans:
        unassigned(pair, user)(story.expected)
    story.holds()
    story.replay("std:account:delete", key(user), {})
    story.client.outputs("std:account:list")  # for the tests that come: no orphan is known any more


def test_a_suspended_aws_account_keeps_no_user_and_its_leftover_is_named(story: Story) -> None:
    user = story.user("barbara")
    kept = story.pair("Read", LEGACY)
    story.happens(
        action="add_assignment",
        permission_set="Read",
        account_id=LEGACY,
        principal_type="USER",
        principal_id=user,
    )
    _barbara_goes(story)  # the assignment in Legacy is expected to stay: nobody can take it away
    assert (kept, "USER", user) in story.expected["assignments"]
    (event,) = [
        line for line in story.service.events("user deleted, assignments left behind by AWS") if line["account"] == user
    ]
    assert kept in str(event["left"])
    examined = story.service.command("doctor", "--json")
    assert examined.returncode == 0, examined.stderr
    # Where a list was read anew since, the leftover is named as an orphan as well.
    warnings = [each for each in json.loads(examined.stdout)["warnings"] if user in each and "SUSPENDED" in each]
    assert len(warnings) == 1
    assert kept in warnings[0]


def test_any_other_failure_keeps_the_user_and_says_which(story: Story) -> None:
    user, pair, other = story.user("barbara"), story.pair("Write", DATA), story.pair("Read", ENG)
    story.update(user, change("Add", "permissionSetAssignments", other), effect=assigned(other, user))
    story.sandbox.control("faults", {"operation": "DeleteAccountAssignment", "fault": "denied", "times": 1})
    said = story.client.failure("std:account:delete", key(user))
    assert said.startswith("generic error: ")
    assert "sso:DeleteAccountAssignment" in said
    failed, gone = (pair, other) if pair in said else (other, pair)
    assert failed in said
    assert gone not in said
    # Everything else is gone, not only what came before the failure.
    both(leaves(story.group("aws_eng_write"), user), unassigned(gone, user))(story.expected)
    story.holds()
    assert story.client.one("std:account:delete", key(user)) == {}
    unassigned(failed, user)(story.expected)
    del story.expected["users"][user]
    story.holds()


@pytest.mark.parametrize("operation", ["DeleteUser", "DeleteGroupMembership", "ListAccountAssignmentCreationStatus"])
def test_a_delete_that_is_denied_somewhere_keeps_the_user(story: Story, operation: str) -> None:
    user = story.user("barbara")
    story.sandbox.control("options", {"deny": [operation]})
    said = story.client.failure("std:account:delete", key(user))
    assert f":{operation}" in said
    assert user in picture(story.sandbox)["users"]


# ---- enable and disable


def test_disable_and_enable_through_scim(story: Story) -> None:
    story.source("scim")
    user = story.user("edgar")
    for type_, enabled in (("std:account:disable", False), ("std:account:enable", True)):
        account = story.client.one(type_, key(user))
        story.expected["users"][user]["enabled"] = enabled
        story.holds()
        assert account["disabled"] is not enabled
        assert account["attributes"]["userStatus"] == ("ENABLED" if enabled else "DISABLED")
        assert account == story.client.one("std:account:read", key(user))
        story.replay(type_, key(user), account)


def test_disable_and_enable_are_refused_with_what_to_configure(story: Story) -> None:
    for type_ in ("std:account:disable", "std:account:enable"):
        story.refused(type_, key(story.user("edgar")), "disable_by", "scim_endpoint", "scim_token_file")
    offered = story.client.one("std:spec:read")["specification"]["commands"]
    assert not {"std:account:disable", "std:account:enable"} & set(offered)
    assert "std:account:disable" in story.service.client("scim").one("std:spec:read")["specification"]["commands"]


# ---- users that an identity provider owns


def test_where_an_identity_provider_owns_users_only_access_changes(story: Story) -> None:
    story.source("external")
    user, pair = story.user("ada"), story.pair("Read", ENG)
    external, ours = story.group("aws_eng_read"), story.group("aws_eng_write")
    organisation = story.sandbox.organisation
    with organisation.lock:
        organisation.store.groups_by_id[external].external_ids.append({"Issuer": "https://idp", "Id": "g1"})
    story.happens(action="set_external_id", user="ada", issuer="https://idp.example.com", id="00u1")

    new = {"userName": "n", "givenName": "N", "familyName": "M"}
    story.refused("std:account:create", {"attributes": new}, "identity provider", "managed_by")
    story.refused("std:account:delete", key(user), "identity provider", "managed_by")
    changes = [change("Add", "permissionSetAssignments", pair), change("Set", "title", "X")]
    story.refused("std:account:update", key(user, changes=changes), "https://idp.example.com", "managed_by", "title")
    asked = key(user, changes=[change("Add", "groups", external)])
    story.refused("std:account:update", asked, "identity provider", "external_groups", external)

    story.update(user, change("Add", "permissionSetAssignments", pair), effect=assigned(pair, user))
    story.update(user, change("Remove", "permissionSetAssignments", pair), effect=unassigned(pair, user))
    story.update(user, change("Add", "groups", ours), effect=joins(ours, user))
    requestable = {
        each["identity"]: each["attributes"]["requestable"]
        for each in story.client.outputs("std:entitlement:list", {"type": "group"})
    }
    assert (requestable[external], requestable[ours]) == (False, True)
    offered = story.client.one("std:spec:read")["specification"]["commands"]
    assert not {"std:account:create", "std:account:delete"} & set(offered)

    story.source("changeable")
    story.update(user, change("Add", "groups", external), effect=joins(external, user))


def test_the_dump_sees_what_the_picture_leaves_out(story: Story) -> None:
    """Replays are compared by dump: a write that changes nothing but a date has to show there."""
    before = copy.deepcopy(dump(story.sandbox))
    organisation = story.sandbox.organisation
    with organisation.lock:
        organisation.store.users_by_name["ada"].touch(time.time(), "test")
    assert dump(story.sandbox) != before
    story.holds()
