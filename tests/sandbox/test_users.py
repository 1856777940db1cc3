"""Users of the emulated identity store: making, changing, finding and removing them."""

import pytest

ENTERPRISE = "aws:identitystore:enterprise"


def described(world, name_or_id, extensions=True):
    user_id = name_or_id if "-" in name_or_id else world.user(name_or_id)
    more = {"Extensions": [ENTERPRISE]} if extensions else {}
    answer = world.users.describe_user(IdentityStoreId=world.store, UserId=user_id, **more)
    answer.pop("ResponseMetadata")
    return answer


def update(world, name, *operations, **more):
    rows = []
    for path, value in operations:
        rows.append({"AttributePath": path, "AttributeValue": value})
    return world.users.update_user(IdentityStoreId=world.store, UserId=world.user(name), Operations=rows, **more)


def new_user(**changes):
    return {
        "UserName": "nina",
        "DisplayName": "Nina Simone",
        "Name": {"GivenName": "Nina", "FamilyName": "Simone"},
        **changes,
    }


def test_a_user_shows_status_arn_dates_and_makers(world):
    """DescribeUser gives what moto leaves out (moto row 9)."""
    user = described(world, "hedy")

    assert user["UserStatus"] == "DISABLED"
    assert user["UserArn"] == f"arn:aws:identitystore:::user/{user['UserId']}"
    assert user["CreatedBy"] == user["UpdatedBy"] == "sandbox-seed"
    assert user["CreatedAt"] == user["UpdatedAt"]
    assert user["Revision"] == "1"


def test_the_extension_is_shown_only_when_asked_for(world):
    """Without `Extensions` neither ListUsers nor DescribeUser shows enterprise attributes."""
    assert "Extensions" not in described(world, "edgar", extensions=False)
    assert all("Extensions" not in user for user in world.users.list_users(IdentityStoreId=world.store)["Users"])

    listed = world.users.list_users(IdentityStoreId=world.store, Extensions=[ENTERPRISE])["Users"]
    shown = {user["UserName"]: user["Extensions"][ENTERPRISE] for user in listed}
    assert shown["edgar"] == {
        "employeeNumber": "E1004",
        "department": "Data",
        "manager": {"value": world.user("ada")},
    }


def test_the_extension_can_be_spelled_in_pascal_case(world):
    """The spelling on AWS is not proven, so both can be tried."""
    world.options.extension_keys = "pascal"

    shown = described(world, "edgar")["Extensions"][ENTERPRISE]

    assert shown == {"EmployeeNumber": "E1004", "Department": "Data", "Manager": {"Value": world.user("ada")}}


def test_external_ids_are_shown_and_found(world):
    """ExternalIds appear, and GetUserId finds by them (moto row 17)."""
    world.sandbox.control("mutate", {"action": "set_external_id", "user": "ada", "issuer": "idp", "id": "00u1"})

    assert described(world, "ada")["ExternalIds"] == [{"Issuer": "idp", "Id": "00u1"}]
    found = world.users.get_user_id(
        IdentityStoreId=world.store, AlternateIdentifier={"ExternalId": {"Issuer": "idp", "Id": "00u1"}}
    )
    assert found["UserId"] == world.user("ada")


def test_an_update_takes_scim_paths_and_changes_the_revision(world):
    """Several attributes change in one call; emails are replaced whole."""
    before = described(world, "alan")

    answer = update(
        world,
        "alan",
        ("name.givenName", "Alan Mathison"),
        ("title", "Professor"),
        ("emails", [{"value": "turing@example.com", "type": "work", "primary": True}]),
        (f"{ENTERPRISE}.department", "Research"),
    )

    user = described(world, "alan")
    assert user["Name"] == {"GivenName": "Alan Mathison", "FamilyName": "Turing"}
    assert user["Title"] == "Professor"
    assert user["Emails"] == [{"Value": "turing@example.com", "Type": "work", "Primary": True}]
    assert user["Extensions"][ENTERPRISE]["department"] == "Research"
    assert answer["Revision"] == user["Revision"] != before["Revision"]
    assert user["UpdatedAt"] > before["UpdatedAt"]
    assert user["UpdatedBy"] == "arn:aws:iam::111122223333:user/sandbox"


@pytest.mark.parametrize(
    ("path", "value"), [(f"{ENTERPRISE}.manager", {"value": "m-1"}), (f"{ENTERPRISE}.manager.value", "m-1")]
)
def test_the_manager_is_changed_by_either_path(world, path, value):
    """The manager's value can be named by itself or as a structure."""
    update(world, "tim", (path, value))

    assert described(world, "tim")["Extensions"][ENTERPRISE]["manager"] == {"value": "m-1"}


@pytest.mark.parametrize("path", [f"{ENTERPRISE}.manager", f"{ENTERPRISE}.manager.value"])
def test_null_removes_the_manager(world, path):
    update(world, "tim", (path, None))

    assert "manager" not in described(world, "tim")["Extensions"][ENTERPRISE]


def test_null_removes_an_attribute(world):
    """A removed attribute is absent, not empty; so is an omitted value's."""
    update(world, "alan", ("title", None), ("emails", None))
    world.users.update_user(
        IdentityStoreId=world.store,
        UserId=world.user("alan"),
        Operations=[{"AttributePath": f"{ENTERPRISE}.department"}],
    )

    user = described(world, "alan")
    assert "Title" not in user
    assert "Emails" not in user
    assert "department" not in user["Extensions"][ENTERPRISE]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Title", "Wrong case"),
        ("userStatus", "DISABLED"),
        ("emails.value", "a@example.com"),
        ("emails", [{"Value": "a@example.com"}]),
        ("emails", [{"value": "a@example.com"}, {"value": "b@example.com"}]),
        ("name.nickName", "x"),
        ("title", 7),
        ("title", ""),
        ("birthdate", "tomorrow"),
        ("birthdate", "1933-02-30"),
        ("birthdate", "19330221"),
        ("userName", "with space"),
        ("userName", "Administrator"),
        ("displayName", None),
        ("name.givenName", None),
        (f"{ENTERPRISE}.shoeSize", "43"),
        (f"{ENTERPRISE}.manager", "m-1"),
    ],
)
def test_a_wrong_update_is_refused_and_changes_nothing(world, path, value):
    """Unknown paths, wrong spellings, wrong values, and the removal of what a user must have."""
    before = described(world, "alan")

    error = world.error(lambda: update(world, "alan", ("nickName", "Al"), (path, value)))

    assert error["Code"] in ("ValidationException", "SerializationException")
    assert described(world, "alan") == before


def test_user_status_can_be_updated_where_the_option_says_so(world):
    """Unproven on AWS (aws-behaviour 7): only with the option."""
    world.options.update_user_status = True

    update(world, "alan", ("userStatus", "DISABLED"))

    assert described(world, "alan")["UserStatus"] == "DISABLED"


def test_a_stale_revision_is_a_concurrent_modification(world):
    """UpdateUser and DeleteUser check the Revision; the right one passes."""
    update(world, "alan", ("title", "A"), Revision="1")

    for call in (
        lambda: update(world, "alan", ("title", "B"), Revision="1"),
        lambda: world.users.delete_user(IdentityStoreId=world.store, UserId=world.user("alan"), Revision="1"),
    ):
        error = world.error(call)
        assert (error["Code"], error["Reason"]) == ("ConflictException", "CONCURRENT_MODIFICATION")
    assert described(world, "alan")["Title"] == "A"


def test_a_created_user_is_described_as_given(world):
    """CreateUser keeps every attribute and the extension."""
    given = new_user(
        Emails=[{"Value": "nina@example.com", "Type": "work", "Primary": True}],
        PhoneNumbers=[{"Value": "+1 555 0100", "Type": "work"}],
        Addresses=[{"Locality": "Tryon", "Country": "US"}],
        Birthdate="1933-02-21",
        Website="https://example.com/nina",
        Extensions={ENTERPRISE: {"costCenter": "42", "manager": {"value": "m"}}},
    )

    made = world.users.create_user(IdentityStoreId=world.store, **given)

    user = described(world, made["UserId"])
    assert {name: user[name] for name in given} == given
    assert user["UserStatus"] == "ENABLED"
    assert made["Revision"] == user["Revision"]


@pytest.mark.parametrize(
    "changes",
    [
        {"UserName": None},
        {"DisplayName": None},
        {"Name": None},
        {"Name": {"GivenName": "Nina"}},
        {"Name": {"FamilyName": "Simone"}},
        {"UserName": "AWSAdministrators"},
        {"UserName": "administrator"},
        {"UserName": "nina simone"},
        {"Birthdate": "21.02.1933"},
        {"Emails": [{"Value": "a@example.com"}, {"Value": "b@example.com"}]},
        {"Extensions": {"aws:identitystore:other": {"a": "b"}}},
        {"Extensions": {ENTERPRISE: {"Department": "x"}}},
    ],
)
def test_a_user_without_what_the_service_requires_is_refused(world, changes):
    """The model requires only IdentityStoreId, the service more (aws-behaviour 2)."""
    given = {name: value for name, value in new_user(**changes).items() if value is not None}

    error = world.error(world.users.create_user, IdentityStoreId=world.store, **given)

    assert error["Code"] == "ValidationException"
    assert len(world.organisation.store.users) == 12


@pytest.mark.parametrize(
    "changes", [{"UserName": "ALAN"}, {"Emails": [{"Value": "Alan@Example.com", "Primary": True}]}]
)
def test_user_names_and_emails_are_unique_whatever_their_case(world, changes):
    """moto lets `alice` and `ALICE` coexist (moto row 10)."""
    error = world.error(world.users.create_user, IdentityStoreId=world.store, **new_user(**changes))

    assert (error["Code"], error["Reason"]) == ("ConflictException", "UNIQUENESS_CONSTRAINT_VIOLATION")


def test_a_rename_to_a_taken_name_is_a_conflict_and_to_a_free_one_is_not(world):
    """Renaming keeps the id, frees the old name, and never collides with itself."""
    error = world.error(lambda: update(world, "alan", ("userName", "ADA")))
    assert error["Reason"] == "UNIQUENESS_CONSTRAINT_VIOLATION"

    user_id = world.user("alan")
    update(world, "alan", ("userName", "Alan"))
    update(world, "alan", ("userName", "turing"))

    assert world.user("turing") == user_id
    world.users.create_user(IdentityStoreId=world.store, **new_user(UserName="alan"))


@pytest.mark.parametrize(("path", "value"), [("userName", "ADA"), ("emails.value", "ada@EXAMPLE.com")])
def test_get_user_id_finds_by_name_and_email(world, path, value):
    found = world.users.get_user_id(
        IdentityStoreId=world.store,
        AlternateIdentifier={"UniqueAttribute": {"AttributePath": path, "AttributeValue": value}},
    )

    assert found["UserId"] == world.user("ada")


def test_get_user_id_tells_absence_from_nonsense(world):
    """Nobody of that name is ResourceNotFound; another path is refused."""
    asked = {"AttributePath": "userName", "AttributeValue": "nobody"}
    error = world.error(
        world.users.get_user_id, IdentityStoreId=world.store, AlternateIdentifier={"UniqueAttribute": asked}
    )
    assert (error["Code"], error["ResourceType"]) == ("ResourceNotFoundException", "USER")

    asked = {"AttributePath": "title", "AttributeValue": "Engineer"}
    error = world.error(
        world.users.get_user_id, IdentityStoreId=world.store, AlternateIdentifier={"UniqueAttribute": asked}
    )
    assert error["Code"] == "ValidationException"


def test_a_filter_finds_one_user_and_any_other_path_is_refused(world):
    """moto ignores other paths and returns everybody (moto row 13)."""

    def filtered(path, value):
        return world.users.list_users(
            IdentityStoreId=world.store, Filters=[{"AttributePath": path, "AttributeValue": value}]
        )["Users"]

    assert [user["UserName"] for user in filtered("UserName", "ada")] == ["ada"]
    assert filtered("UserName", "nobody") == []
    assert world.error(lambda: filtered("Title", "Engineer"))["Code"] == "ValidationException"


def test_a_deleted_user_is_gone_with_memberships_and_the_rest_stays(world):
    """Memberships go, assignments stay (aws-behaviour 23); a second deletion finds nothing."""
    barbara = world.user("barbara")

    world.users.delete_user(IdentityStoreId=world.store, UserId=barbara)

    again = world.error(world.users.delete_user, IdentityStoreId=world.store, UserId=barbara)
    assert (again["Code"], again["ResourceType"], again["ResourceId"]) == ("ResourceNotFoundException", "USER", barbara)
    members = world.users.list_group_memberships(IdentityStoreId=world.store, GroupId=world.group("aws_eng_write"))
    assert barbara not in {row["MemberId"]["UserId"] for row in members["GroupMemberships"]}
    assert ("USER", barbara) in world.rows("123456789012", "Write")


def test_memberships_can_be_kept_on_deletion(world):
    """Unproven on AWS (aws-behaviour 11): an option."""
    world.options.delete_keeps_memberships = True
    barbara = world.user("barbara")

    world.users.delete_user(IdentityStoreId=world.store, UserId=barbara)

    members = world.users.list_group_memberships(IdentityStoreId=world.store, GroupId=world.group("aws_eng_write"))
    assert barbara in {row["MemberId"]["UserId"] for row in members["GroupMemberships"]}


def test_ids_may_be_given_as_arns(world):
    """The newest model takes ARNs where ids were."""
    store_arn = f"arn:aws:identitystore::111122223333:identitystore/{world.store}"
    user_arn = f"arn:aws:identitystore:::user/{world.user('ada')}"

    user = world.users.describe_user(IdentityStoreId=store_arn, UserId=user_arn)

    assert user["UserId"] == world.user("ada")
