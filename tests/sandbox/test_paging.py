"""Pages: maxima, tokens, and the pages that a careless client gets wrong."""

import pytest

from connector.sandbox import building
from connector.sandbox.seed import Size, generated


@pytest.fixture
def many(world):
    """250 more users, all in one group."""
    group = building.add_group(world.organisation, world.organisation.store, "everyone")
    for number in range(250):
        user = building.add_user(world.organisation, world.organisation.store, f"user{number:03d}", "A", "B")
        building.join(world.organisation, world.organisation.store, group, user)
    return world


def read(client, operation, **parameters):
    """Every page of a list, whatever it says; at most a thousand."""
    pages, token = [], None
    for _ in range(1000):
        answer = getattr(client, operation)(**parameters, **({"NextToken": token} if token else {}))
        pages.append(answer)
        token = answer.get("NextToken")
        if token is None:
            return pages
    raise AssertionError("no end")


def test_a_list_of_users_is_whole_and_in_pages_of_a_hundred(many):
    pages = read(many.users, "list_users", IdentityStoreId=many.store)

    ids = [user["UserId"] for page in pages for user in page["Users"]]
    assert [len(page["Users"]) for page in pages] == [100, 100, 62]
    assert len(set(ids)) == len(ids) == 262


def test_a_page_that_is_just_full_has_no_token(many):
    """No empty last page by accident."""
    pages = read(
        many.users, "list_group_memberships", IdentityStoreId=many.store, GroupId=many.group("everyone"), MaxResults=50
    )

    assert [len(page["GroupMemberships"]) for page in pages] == [50] * 5


@pytest.mark.parametrize("wanted", [0, 101, 1000])
def test_more_than_a_page_may_hold_is_refused(world, wanted):
    """moto honours 1000 (moto row 15); botocore lets it pass. Zero never leaves botocore."""
    status, body = world.raw("AWSIdentityStore.ListUsers", {"IdentityStoreId": world.store, "MaxResults": wanted})
    assert (status, body["__type"]) == (400, "ValidationException")
    status, body = world.raw(
        "SWBExternalService.ListPermissionSets", {"InstanceArn": world.instance, "MaxResults": wanted}
    )
    assert (status, body["__type"]) == (400, "ValidationException")


def test_a_token_belongs_to_its_request(many):
    """Another operation, another parameter or an invented token: ValidationException (moto row 16)."""
    token = many.users.list_users(IdentityStoreId=many.store)["NextToken"]

    for call, more in (
        (many.users.list_users, {"Extensions": ["aws:identitystore:enterprise"]}),
        (many.users.list_groups, {}),
    ):
        assert many.error(call, IdentityStoreId=many.store, NextToken=token, **more)["Code"] == "ValidationException"
    invented = many.error(many.users.list_users, IdentityStoreId=many.store, NextToken="AAAA")
    assert invented["Code"] == "ValidationException"
    assert len(many.users.list_users(IdentityStoreId=many.store, NextToken=token, MaxResults=7)["Users"]) == 7


def test_a_deletion_between_two_pages_neither_repeats_nor_skips(many):
    """moto breaks when the next item is deleted (moto row 16)."""
    first = many.users.list_users(IdentityStoreId=many.store)
    seen = [user["UserId"] for user in first["Users"]]
    expected = {user.id for user in many.organisation.store.users}
    for user_id in (seen[3], seen[-1], many.user("user150")):
        many.users.delete_user(IdentityStoreId=many.store, UserId=user_id)

    rest = read(many.users, "list_users", IdentityStoreId=many.store)
    second = many.users.list_users(IdentityStoreId=many.store, NextToken=first["NextToken"])
    third = many.users.list_users(IdentityStoreId=many.store, NextToken=second["NextToken"])

    seen += [user["UserId"] for page in (second, third) for user in page["Users"]]
    gone = expected - {user["UserId"] for page in rest for user in page["Users"]}
    assert len(gone) == 3
    assert len(seen) == len(set(seen))
    assert set(seen) >= expected - gone


def test_short_pages_by_option(many):
    many.options.page_limit = 30

    pages = read(many.users, "list_users", IdentityStoreId=many.store)

    assert [len(page["Users"]) for page in pages] == [30] * 8 + [22]


def test_empty_pages_by_option_lose_nothing(many):
    """An empty page has a NextToken and is no end."""
    many.options.empty_pages = 0.7

    pages = read(many.users, "list_users", IdentityStoreId=many.store, MaxResults=10)

    ids = [user["UserId"] for page in pages for user in page["Users"]]
    assert len(set(ids)) == len(ids) == 262
    assert sum(not page["Users"] for page in pages) > 5
    assert all("NextToken" in page for page in pages if not page["Users"])


def test_an_empty_first_page_and_short_pages_by_fault_rule(many):
    many.sandbox.control("faults", {"operation": "ListUsers", "fault": "empty", "times": 1})
    many.sandbox.control("faults", {"operation": "ListGroups", "fault": "short", "times": 1})

    users = read(many.users, "list_users", IdentityStoreId=many.store)
    groups = read(many.users, "list_groups", IdentityStoreId=many.store, MaxResults=8)

    assert [len(page["Users"]) for page in users] == [0, 100, 100, 62]
    assert [len(page["Groups"]) for page in groups] == [1, 8, 3]


def test_a_repeated_token_by_fault_rule_never_ends(many):
    """Every answer gives back the token that it was asked with."""
    many.sandbox.control("faults", {"operation": "ListUsers", "fault": "loop"})

    tokens, token = [], None
    for _ in range(4):
        answer = many.users.list_users(IdentityStoreId=many.store, **({"NextToken": token} if token else {}))
        assert len(answer["Users"]) == 100
        token = answer["NextToken"]
        tokens.append(token)

    assert len(set(tokens)) == 1


def test_a_users_rows_are_whole_over_pages_of_any_size(world):
    """Against an oracle of its own: the dump's memberships and assignments, joined here."""
    world.sandbox.aws.organisation = generated(Size(users=60, groups=25, permission_sets=6, aws_accounts=8), seed=2)
    [instance] = world.sandbox.control("organisation")["instances"]
    groups_of = {user["id"]: set() for user in instance["users"]}
    for row in instance["memberships"]:
        groups_of[row["user_id"]].add(row["group_id"])
    held = {}
    for row in instance["assignments"]:
        what = (row["account_id"], row["permission_set_arn"], row["principal_type"], row["principal_id"])
        held.setdefault(row["principal_id"], set()).add(what)

    for number, (user, groups) in enumerate(groups_of.items()):
        asked = {"InstanceArn": instance["arn"], "PrincipalType": "USER", "PrincipalId": user}
        pages = read(world.sso, "list_account_assignments_for_principal", **asked, MaxResults=1 + number % 4)
        rows = [
            (row["AccountId"], row["PermissionSetArn"], row["PrincipalType"], row["PrincipalId"])
            for page in pages
            for row in page["AccountAssignments"]
        ]
        expected = set().union(*(held.get(principal, set()) for principal in (user, *groups)))
        assert len(rows) == len(expected)
        assert set(rows) == expected
