"""Groups and memberships of the emulated identity store."""

import pytest


def test_a_group_shows_arn_revision_and_dates(world):
    """DescribeGroup gives what moto leaves out (moto row 9)."""
    group = world.users.describe_group(IdentityStoreId=world.store, GroupId=world.group("aws_data_read"))

    assert group["DisplayName"] == "aws_data_read"
    assert group["Description"] == "Read on Data"
    assert group["GroupArn"] == f"arn:aws:identitystore:::group/{group['GroupId']}"
    assert group["Revision"] == "1"
    assert group["CreatedAt"] == group["UpdatedAt"]


def test_a_group_is_made_changed_and_removed(world):
    """Create, rename, clear the description, delete; the revision follows."""
    made = world.users.create_group(IdentityStoreId=world.store, DisplayName="new", Description="text")
    name = {"IdentityStoreId": world.store, "GroupId": made["GroupId"]}

    changed = world.users.update_group(
        **name,
        Operations=[
            {"AttributePath": "displayName", "AttributeValue": "newer"},
            {"AttributePath": "description", "AttributeValue": None},
        ],
    )

    group = world.users.describe_group(**name)
    assert group["DisplayName"] == "newer"
    assert "Description" not in group
    assert made["Revision"] != changed["Revision"] == group["Revision"]
    stale = world.error(world.users.delete_group, **name, Revision=made["Revision"])
    assert stale["Reason"] == "CONCURRENT_MODIFICATION"
    world.users.delete_group(**name, Revision=changed["Revision"])
    gone = world.error(world.users.describe_group, **name)
    assert (gone["Code"], gone["ResourceType"]) == ("ResourceNotFoundException", "GROUP")


def test_group_names_are_unique_and_required(world):
    """A taken name is a conflict on creation and on renaming; no name at all is refused."""
    create = world.users.create_group
    for call in (
        lambda: create(IdentityStoreId=world.store, DisplayName="aws_data_read"),
        lambda: world.users.update_group(
            IdentityStoreId=world.store,
            GroupId=world.group("aws_eng_read"),
            Operations=[{"AttributePath": "displayName", "AttributeValue": "aws_data_read"}],
        ),
    ):
        error = world.error(call)
        assert (error["Code"], error["Reason"]) == ("ConflictException", "UNIQUENESS_CONSTRAINT_VIOLATION")
    assert world.error(create, IdentityStoreId=world.store)["Code"] == "ValidationException"
    reserved = world.error(create, IdentityStoreId=world.store, DisplayName="AWSAdministrators")
    assert reserved["Code"] == "ValidationException"


def test_get_group_id_finds_by_display_name_and_external_id(world):
    group = world.organisation.store.groups_by_name["aws_data_read"]
    world.organisation.store.groups_by_external_id["idp", "00g"] = group

    def found(alternate):
        return world.users.get_group_id(IdentityStoreId=world.store, AlternateIdentifier=alternate)["GroupId"]

    by_name = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "aws_data_read"}}
    assert found(by_name) == found({"ExternalId": {"Issuer": "idp", "Id": "00g"}}) == group.id
    nobody = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "none"}}
    assert world.error(lambda: found(nobody))["ResourceType"] == "GROUP"
    wrong = {"UniqueAttribute": {"AttributePath": "description", "AttributeValue": "none"}}
    assert world.error(lambda: found(wrong))["Code"] == "ValidationException"


def test_groups_are_filtered_by_display_name_only(world):
    def filtered(path, value):
        rows = [{"AttributePath": path, "AttributeValue": value}]
        return world.users.list_groups(IdentityStoreId=world.store, Filters=rows)["Groups"]

    assert [group["DisplayName"] for group in filtered("DisplayName", "aws_eng_read")] == ["aws_eng_read"]
    assert world.error(lambda: filtered("Description", "x"))["Code"] == "ValidationException"


def test_a_membership_is_made_once_found_and_removed(world):
    """A second membership of the same user is a conflict (moto row 11)."""
    pair = {"GroupId": world.group("aws_data_read"), "MemberId": {"UserId": world.user("tim")}}

    made = world.users.create_group_membership(IdentityStoreId=world.store, **pair)

    twice = world.error(world.users.create_group_membership, IdentityStoreId=world.store, **pair)
    assert (twice["Code"], twice["Reason"]) == ("ConflictException", "UNIQUENESS_CONSTRAINT_VIOLATION")
    found = world.users.get_group_membership_id(IdentityStoreId=world.store, **pair)
    assert found["MembershipId"] == made["MembershipId"]
    row = world.users.describe_group_membership(IdentityStoreId=world.store, MembershipId=made["MembershipId"])
    assert (row["GroupId"], row["MemberId"]) == (pair["GroupId"], pair["MemberId"])
    assert row["MembershipArn"] == f"arn:aws:identitystore:::membership/{made['MembershipId']}"

    world.users.delete_group_membership(IdentityStoreId=world.store, MembershipId=made["MembershipId"])

    for call, more in (
        (world.users.get_group_membership_id, pair),
        (world.users.delete_group_membership, {"MembershipId": made["MembershipId"]}),
    ):
        gone = world.error(call, IdentityStoreId=world.store, **more)
        assert (gone["Code"], gone["ResourceType"]) == ("ResourceNotFoundException", "GROUP_MEMBERSHIP")


def test_members_and_groups_are_two_views_of_the_same_memberships(world):
    """ListGroupMemberships and ListGroupMembershipsForMember agree, ids included."""
    by_group = set()
    for group in world.users.list_groups(IdentityStoreId=world.store)["Groups"]:
        answer = world.users.list_group_memberships(IdentityStoreId=world.store, GroupId=group["GroupId"])
        by_group |= {
            (row["MembershipId"], row["GroupId"], row["MemberId"]["UserId"]) for row in answer["GroupMemberships"]
        }
    by_user = set()
    for user in world.users.list_users(IdentityStoreId=world.store)["Users"]:
        answer = world.users.list_group_memberships_for_member(
            IdentityStoreId=world.store, MemberId={"UserId": user["UserId"]}
        )
        by_user |= {
            (row["MembershipId"], row["GroupId"], row["MemberId"]["UserId"]) for row in answer["GroupMemberships"]
        }

    assert by_group == by_user
    assert len(by_group) == 23


def test_is_member_in_groups_answers_for_each_group(world):
    held, other = world.group("aws_data_read"), world.group("aws_eng_admin")

    answer = world.users.is_member_in_groups(
        IdentityStoreId=world.store, MemberId={"UserId": world.user("mary")}, GroupIds=[held, other]
    )

    assert {row["GroupId"]: row["MembershipExists"] for row in answer["Results"]} == {held: True, other: False}


def test_a_disabled_user_joins_no_group_unless_the_option_allows_it(world):
    """AWS says so of disabled users (aws-behaviour 8)."""
    pair = {"GroupId": world.group("aws_data_write"), "MemberId": {"UserId": world.user("hedy")}}
    error = world.error(world.users.create_group_membership, IdentityStoreId=world.store, **pair)
    assert error["Code"] == "ValidationException"

    world.options.disabled_may_join = True
    world.users.create_group_membership(IdentityStoreId=world.store, **pair)


@pytest.mark.parametrize(
    ("call", "parameters", "kind"),
    [
        ("describe_user", {"UserId": "{unknown}"}, "USER"),
        ("describe_group", {"GroupId": "{unknown}"}, "GROUP"),
        ("describe_group_membership", {"MembershipId": "{unknown}"}, "GROUP_MEMBERSHIP"),
        ("list_group_memberships", {"GroupId": "{unknown}"}, "GROUP"),
        ("list_group_memberships_for_member", {"MemberId": {"UserId": "{unknown}"}}, "USER"),
        ("create_group_membership", {"GroupId": "{unknown}", "MemberId": {"UserId": "{user}"}}, "GROUP"),
        ("create_group_membership", {"GroupId": "{group}", "MemberId": {"UserId": "{unknown}"}}, "USER"),
        ("is_member_in_groups", {"GroupIds": ["{unknown}"], "MemberId": {"UserId": "{user}"}}, "GROUP"),
    ],
)
def test_unknown_ids_are_not_found_with_their_kind(world, call, parameters, kind):
    """moto answers empty lists (moto row 14)."""
    unknown = "12345678-1234-1234-1234-123456789012"
    names = {"unknown": unknown, "user": world.user("ada"), "group": world.group("aws_data_read")}

    error = world.error(getattr(world.users, call), IdentityStoreId=world.store, **_filled(parameters, names))

    assert (error["Code"], error["ResourceType"]) == ("ResourceNotFoundException", kind)
    assert error["ResourceId"] == unknown
    assert error["RequestId"]


def _filled(value, names):
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    return value.format(**names)
