"""Account assignments: their way from IN_PROGRESS to an end, and what the lists say of them."""

import pytest

DATA, CORE, LEGACY, ENG = "123456789012", "111122223333", "444455556666", "210987654321"


def create(world, *what):
    return world.sso.create_account_assignment(**world.assignment(*what))["AccountAssignmentCreationStatus"]


def delete(world, *what):
    return world.sso.delete_account_assignment(**world.assignment(*what))["AccountAssignmentDeletionStatus"]


def creation(world, request):
    return world.sso.describe_account_assignment_creation_status(
        InstanceArn=world.instance, AccountAssignmentCreationRequestId=request["RequestId"]
    )["AccountAssignmentCreationStatus"]


def deletion(world, request):
    return world.sso.describe_account_assignment_deletion_status(
        InstanceArn=world.instance, AccountAssignmentDeletionRequestId=request["RequestId"]
    )["AccountAssignmentDeletionStatus"]


def for_principal(world, kind, principal, **more):
    answer = world.sso.list_account_assignments_for_principal(
        InstanceArn=world.instance, PrincipalType=kind, PrincipalId=principal, **more
    )
    return [
        (row["AccountId"], row["PermissionSetArn"], row["PrincipalType"], row["PrincipalId"])
        for row in answer["AccountAssignments"]
    ]


def test_a_creation_is_in_progress_then_succeeded_and_only_then_listed(world):
    """moto is done at once (moto row 2)."""
    tim = world.user("tim")

    request = create(world, "Write", ENG, "USER", tim)

    assert request["Status"] == creation(world, request)["Status"] == "IN_PROGRESS"
    assert ("USER", tim) not in world.rows(ENG, "Write")
    world.pass_time(9)
    assert creation(world, request)["Status"] == "IN_PROGRESS"
    world.pass_time(2)
    assert creation(world, request)["Status"] == "SUCCEEDED"
    assert ("USER", tim) in world.rows(ENG, "Write")


def test_a_creation_provisions_the_pair_and_the_last_deletion_takes_it_away(world):
    """Provisioning follows assignments (moto row 4)."""
    tim = world.user("tim")

    def accounts():
        answer = world.sso.list_accounts_for_provisioned_permission_set(
            InstanceArn=world.instance, PermissionSetArn=world.permission_set("Security")
        )
        return set(answer["AccountIds"])

    world.sandbox.control("mutate", {"action": "set_account_state", "account_id": LEGACY, "state": "ACTIVE"})
    assert LEGACY not in accounts()
    create(world, "Security", LEGACY, "USER", tim)
    world.pass_time()
    assert LEGACY in accounts()
    delete(world, "Security", LEGACY, "USER", tim)
    assert LEGACY in accounts()
    world.pass_time()
    assert LEGACY not in accounts()


def test_a_duplicate_creation_succeeds_and_adds_nothing(world):
    """moto adds a second row (moto row 3)."""
    barbara = world.user("barbara")
    before = for_principal(world, "USER", barbara)

    request = create(world, "Write", DATA, "USER", barbara)
    world.pass_time()

    assert creation(world, request)["Status"] == "SUCCEEDED"
    assert for_principal(world, "USER", barbara) == before


def test_a_suspended_aws_account_fails_with_aws_reason(world):
    """Creations and deletions alike end FAILED (aws-behaviour 24)."""
    group = world.group("aws_legacy_read")

    made = create(world, "Read", LEGACY, "USER", world.user("tim"))
    world.pass_time()
    removed = delete(world, "Read", LEGACY, "GROUP", group)
    world.pass_time()

    for ended in (creation(world, made), deletion(world, removed)):
        assert ended["Status"] == "FAILED"
        assert "Obtaining permissions to manage your AWS account '444455556666'" in ended["FailureReason"]
    assert world.rows(LEGACY, "Read") == {("GROUP", group)}


def test_an_account_suspended_while_a_creation_runs_fails_it(world):
    request = create(world, "Write", ENG, "USER", world.user("tim"))
    world.sandbox.control("mutate", {"action": "set_account_state", "account_id": ENG, "state": "SUSPENDED"})
    world.pass_time()

    assert creation(world, request)["Status"] == "FAILED"


def test_a_missing_principal_fails_with_aws_reason(world):
    unknown = "12345678-1234-1234-1234-123456789012"

    request = create(world, "Write", ENG, "USER", unknown)
    world.pass_time()

    ended = creation(world, request)
    assert ended["Status"] == "FAILED"
    assert ended["FailureReason"] == (
        f"Received a 404 status error: the USER assignee {unknown} was not found in directory {world.store}"
    )


@pytest.mark.parametrize(
    "change", [{"PermissionSetArn": "arn:aws:sso:::permissionSet/{}/ps-0000000000000000"}, {"TargetId": "999999999999"}]
)
def test_unknown_permission_sets_and_aws_accounts_are_not_found(world, change):
    """moto accepts anything (moto row 2)."""
    change = {name: value.format(world.instance.rsplit("/", 1)[1]) for name, value in change.items()}
    asked = {**world.assignment("Write", ENG, "USER", world.user("tim")), **change}

    assert world.error(world.sso.create_account_assignment, **asked)["Code"] == "ResourceNotFoundException"


def test_at_most_ten_requests_are_under_way(world):
    """The eleventh is throttled with a message of its own; an end makes room (aws-behaviour 27)."""
    world.options.one_write_per_account = False
    users = [user.id for user in world.organisation.store.users]
    for user in users[:10]:
        create(world, "Write", ENG, "USER", user)

    error = world.error(lambda: create(world, "Write", ENG, "USER", users[10]))

    assert error["Code"] == "ThrottlingException"
    assert error["Error"]["Message"] == "There are too many requests processing. Please try again later."
    assert world.sandbox.control("state")["in_flight"] == 10
    world.pass_time()
    create(world, "Write", ENG, "USER", users[10])
    assert world.sandbox.control("state")["in_flight_peak"] == 10


def test_one_write_at_a_time_per_aws_account_unless_switched_off(world):
    """sso-admin's ConflictException has no Reason: it says try again (aws-behaviour 28)."""
    create(world, "Write", ENG, "USER", world.user("tim"))

    error = world.error(lambda: create(world, "Read", ENG, "USER", world.user("ada")))
    create(world, "Read", DATA, "USER", world.user("tim"))

    assert error["Code"] == "ConflictException"
    assert "Reason" not in error
    world.options.one_write_per_account = False
    create(world, "Read", ENG, "USER", world.user("ada"))


def test_statuses_are_listed_in_brief_and_filtered(world):
    """The List…Status operations tell three things only (aws-behaviour 29)."""
    made = create(world, "Write", ENG, "USER", world.user("tim"))
    failing = create(world, "Read", LEGACY, "USER", world.user("tim"))

    def listed(status):
        answer = world.sso.list_account_assignment_creation_status(
            InstanceArn=world.instance, Filter={"Status": status}
        )
        return answer["AccountAssignmentsCreationStatus"]

    assert {row["RequestId"] for row in listed("IN_PROGRESS")} == {made["RequestId"], failing["RequestId"]}
    assert set(listed("IN_PROGRESS")[0]) == {"Status", "RequestId", "CreatedDate"}
    world.pass_time()
    assert [row["RequestId"] for row in listed("SUCCEEDED")] == [made["RequestId"]]
    assert [row["RequestId"] for row in listed("FAILED")] == [failing["RequestId"]]
    deletions = world.sso.list_account_assignment_deletion_status(InstanceArn=world.instance)
    assert deletions["AccountAssignmentsDeletionStatus"] == []


def test_a_creation_and_its_deletion_have_ids_of_their_own(world):
    """moto uses one id for both (moto row 21)."""
    made = create(world, "Write", ENG, "USER", world.user("tim"))
    world.pass_time()
    removed = delete(world, "Write", ENG, "USER", world.user("tim"))

    assert made["RequestId"] != removed["RequestId"]
    assert world.error(lambda: deletion(world, made))["Code"] == "ResourceNotFoundException"


def test_statuses_can_be_forgotten(world):
    """Whether and when AWS forgets them is unknown (aws-behaviour 29): an option."""
    world.options.status_seconds = 5.0
    request = create(world, "Write", ENG, "USER", world.user("tim"))
    world.pass_time(11)
    assert creation(world, request)["Status"] == "SUCCEEDED"

    world.pass_time(10)

    assert world.error(lambda: creation(world, request))["Code"] == "ResourceNotFoundException"
    assert ("USER", world.user("tim")) in world.rows(ENG, "Write")


def test_lists_can_lag_behind_the_status(world):
    """Read-after-write lag (aws-behaviour 30)."""
    world.options.lag_seconds = 5.0
    request = create(world, "Write", ENG, "USER", world.user("tim"))
    world.pass_time(11)

    assert creation(world, request)["Status"] == "SUCCEEDED"
    assert ("USER", world.user("tim")) not in world.rows(ENG, "Write")
    world.pass_time(5)
    assert ("USER", world.user("tim")) in world.rows(ENG, "Write")


def test_a_users_list_has_the_rows_of_the_groups(world):
    """Inherited rows carry PrincipalType GROUP and the group's id (aws-behaviour 22; moto row 1)."""
    barbara, group = world.user("barbara"), world.group("aws_eng_write")
    direct = (DATA, world.permission_set("Write"), "USER", barbara)
    inherited = (ENG, world.permission_set("Write"), "GROUP", group)

    assert for_principal(world, "USER", barbara) == [direct, inherited]
    assert for_principal(world, "GROUP", group) == [inherited]
    assert for_principal(world, "USER", barbara, Filter={"AccountId": ENG}) == [inherited]
    world.options.group_rows = False
    assert for_principal(world, "USER", barbara) == [direct]


def test_a_users_rows_are_paged_across_the_groups(world):
    """One row a page: every row once, in the same order, and the token ends."""
    ada = world.user("ada")
    paginator = world.sso.get_paginator("list_account_assignments_for_principal")

    pages = list(
        paginator.paginate(
            InstanceArn=world.instance, PrincipalType="USER", PrincipalId=ada, PaginationConfig={"PageSize": 1}
        )
    )

    rows = [row["PrincipalId"] for page in pages for row in page["AccountAssignments"]]
    assert [len(page["AccountAssignments"]) for page in pages] == [1, 1, 1]
    assert set(rows) == {world.group(name) for name in ("aws_core_admin", "aws_core_security", "aws_data_admin")}


def test_assignments_outlive_their_user_and_their_group(world):
    """Only the pair shows them (aws-behaviour 23)."""
    barbara, group = world.user("barbara"), world.group("aws_eng_write")

    world.users.delete_user(IdentityStoreId=world.store, UserId=barbara)
    world.users.delete_group(IdentityStoreId=world.store, GroupId=group)

    assert ("USER", barbara) in world.rows(DATA, "Write")
    assert ("GROUP", group) in world.rows(ENG, "Write")
    assert world.error(lambda: for_principal(world, "USER", barbara))["Code"] == "ResourceNotFoundException"


def test_what_a_deleted_principal_held_can_be_asked_for_where_the_option_says_so(world):
    """Unproven on AWS: either not found, or the rows that are left."""
    barbara = world.user("barbara")
    world.users.delete_user(IdentityStoreId=world.store, UserId=barbara)
    world.options.absent_principal = "rows"

    assert for_principal(world, "USER", barbara) == [(DATA, world.permission_set("Write"), "USER", barbara)]


@pytest.mark.parametrize(("option", "status"), [("failed", "FAILED"), ("succeeded", "SUCCEEDED")])
def test_deleting_an_orphans_assignment_ends_as_the_option_says(world, option, status):
    """FAILED was seen in the field in 2021; today is unknown (aws-behaviour 26)."""
    world.options.orphan_delete = option
    barbara = world.user("barbara")
    world.users.delete_user(IdentityStoreId=world.store, UserId=barbara)

    request = delete(world, "Write", DATA, "USER", barbara)
    world.pass_time()

    ended = deletion(world, request)
    assert ended["Status"] == status
    assert ("not found in directory" in ended.get("FailureReason", "")) == (status == "FAILED")
    assert (("USER", barbara) in world.rows(DATA, "Write")) == (status == "FAILED")


def test_deleting_what_is_not_there_ends_as_the_option_says(world):
    """Unproven on AWS (aws-behaviour 25)."""
    absent = ("Read", ENG, "USER", world.user("ada"))
    assert world.error(lambda: delete(world, *absent))["Code"] == "ResourceNotFoundException"

    for option, status in (("failed", "FAILED"), ("succeeded", "SUCCEEDED")):
        world.options.missing_delete = option
        request = delete(world, *absent)
        world.pass_time()
        assert deletion(world, request)["Status"] == status


def test_a_disabled_user_keeps_what_it_holds(world):
    """Memberships and assignments survive behind the flag (aws-behaviour 8)."""
    before = for_principal(world, "USER", world.user("barbara"))

    world.sandbox.control("mutate", {"action": "set_user_status", "user": "barbara", "status": "DISABLED"})

    assert for_principal(world, "USER", world.user("barbara")) == before
