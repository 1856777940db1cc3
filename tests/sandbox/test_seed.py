"""Organisations: the same for the same seed, as big as asked, shaped as in the field."""

from collections import Counter

import pytest

from connector.sandbox.mutations import counts
from connector.sandbox.oracle import dump
from connector.sandbox.seed import Size, generated
from connector.sandbox.small import small

SIZE = Size(users=1_000, groups=60, permission_sets=25, aws_accounts=40, applications=5)


@pytest.fixture(scope="module")
def organisation():
    return dump(generated(SIZE, seed=3))


def test_the_same_seed_makes_the_same_organisation(organisation):
    assert dump(generated(SIZE, seed=3)) == organisation
    assert dump(small(seed=5)) == dump(small(seed=5))


def test_another_seed_makes_another(organisation):
    other = dump(generated(SIZE, seed=4))

    assert {row["id"] for row in other["instances"][0]["users"]}.isdisjoint(
        {row["id"] for row in organisation["instances"][0]["users"]}
    )


def test_counts_are_as_asked():
    made = counts(generated(SIZE))

    assert {name: made[name] for name in ("users", "groups", "permission_sets", "accounts", "applications")} == {
        "users": 1_000,
        "groups": 60,
        "permission_sets": 25,
        "accounts": 40,
        "applications": 5,
    }
    assert made["pairs"] == 3 * 60 + 25 + 40
    assert counts(generated(Size(users=10, groups=3, permission_sets=2, aws_accounts=3, pairs=6)))["pairs"] == 6


@pytest.mark.parametrize(
    "size", [Size(users=0, groups=0, permission_sets=0, aws_accounts=1, applications=0), Size(users=3, groups=1)]
)
def test_tiny_organisations_are_possible(size):
    assert counts(generated(size))["users"] == size.users


def test_the_distribution_is_skewed_as_in_the_field(organisation):
    """Few big groups, some empty ones, a tenth with direct access, pairs that nobody holds, orphans, disabled users."""
    [instance] = organisation["instances"]
    sizes = Counter(row["group_id"] for row in instance["memberships"])
    biggest = sizes.most_common(1)[0][1]
    direct = {row["principal_id"] for row in instance["assignments"] if row["principal_type"] == "USER"}
    users = {row["id"] for row in instance["users"]}
    held = {(row["permission_set_arn"], row["account_id"]) for row in instance["assignments"]}
    pairs = {(row["permission_set_arn"], row["account_id"]) for row in instance["pairs"]}

    assert biggest > 5 * sorted(sizes.values())[len(sizes) // 2] / 2
    assert len(sizes) < len(instance["groups"])
    assert len(direct & users) == 100
    assert direct - users
    assert pairs > held
    assert 0 < sum(not row["enabled"] for row in instance["users"]) < 100
    assert {row["state"] for row in organisation["accounts"]} == {"ACTIVE", "SUSPENDED"}


def test_everything_refers_to_something_that_is_there(organisation):
    [instance] = organisation["instances"]
    users, groups = ({row["id"] for row in instance[kind]} for kind in ("users", "groups"))
    sets = {row["arn"] for row in instance["permission_sets"]}
    accounts = {row["id"] for row in organisation["accounts"]}

    assert all(row["user_id"] in users and row["group_id"] in groups for row in instance["memberships"])
    assert all(row["permission_set_arn"] in sets and row["account_id"] in accounts for row in instance["pairs"])
    assert all(row["principal_id"] in groups for row in instance["assignments"] if row["principal_type"] == "GROUP")


def test_an_external_identity_provider_leaves_its_ids():
    [instance] = dump(generated(Size(users=20, groups=20), external_idp=True))["instances"]

    assert all(row["external_ids"] for row in instance["users"])
    assert 0 < sum(not row["external_ids"] for row in instance["groups"]) < 20


def test_the_small_organisation_has_one_of_everything():
    """What the README and other tests rely on."""
    organisation = dump(small())
    [instance] = organisation["instances"]

    assert [row["name"] for row in instance["permission_sets"]] == ["Admin", "Read", "Write", "Security"]
    assert {row["name"]: row["state"] for row in organisation["accounts"]}["Legacy"] == "SUSPENDED"
    assert [row["user_name"] for row in instance["users"] if not row["enabled"]] == ["hedy"]
    assert "aws_data_read" in {row["name"] for row in instance["groups"]}
    assert len([row for row in instance["assignments"] if row["principal_type"] == "USER"]) == 2
    assert organisation["delegated_administrators"] == ["210987654321"]
