"""Applications of an instance and who is assigned to them (moto has none of it)."""

from connector.sandbox import building


def application(world, name):
    return next(row.arn for row in world.organisation.instance.applications if row.name == name)


def assigned(world, name):
    answer = world.sso.list_application_assignments(ApplicationArn=application(world, name))
    return {(row["PrincipalType"], row["PrincipalId"]) for row in answer["ApplicationAssignments"]}


def test_applications_are_listed_and_described(world):
    listed = world.sso.list_applications(InstanceArn=world.instance)["Applications"]

    assert [row["Name"] for row in listed] == ["Dashboards", "Wiki"]
    described = world.sso.describe_application(ApplicationArn=listed[0]["ApplicationArn"])
    described.pop("ResponseMetadata")
    assert described == listed[0]
    assert described["ApplicationAccount"] == described["ApplicationArn"].split(":")[4] == "111122223333"


def test_applications_are_filtered_by_aws_account_and_provider(world):
    def names(**wanted):
        answer = world.sso.list_applications(InstanceArn=world.instance, Filter=wanted)
        return [row["Name"] for row in answer["Applications"]]

    assert names(ApplicationAccount="111122223333") == ["Dashboards", "Wiki"]
    assert names(ApplicationAccount="123456789012") == []
    assert names(ApplicationProvider="arn:aws:sso::aws:applicationProvider/other") == []


def test_a_page_of_applications_holds_fifty_at_most(world):
    """Whatever MaxResults says (aws-behaviour 32)."""
    for number in range(60):
        building.add_application(world.organisation, world.organisation.instance, f"App {number}", "text")

    first = world.sso.list_applications(InstanceArn=world.instance, MaxResults=100)
    second = world.sso.list_applications(InstanceArn=world.instance, MaxResults=100, NextToken=first["NextToken"])

    assert (len(first["Applications"]), len(second["Applications"])) == (50, 12)
    assert "NextToken" not in second


def test_whether_an_assignment_is_required_is_told_and_changed(world):
    get = world.sso.get_application_assignment_configuration
    assert get(ApplicationArn=application(world, "Dashboards"))["AssignmentRequired"] is True
    assert get(ApplicationArn=application(world, "Wiki"))["AssignmentRequired"] is False

    world.sso.put_application_assignment_configuration(
        ApplicationArn=application(world, "Wiki"), AssignmentRequired=True
    )

    assert get(ApplicationArn=application(world, "Wiki"))["AssignmentRequired"] is True


def test_an_application_is_assigned_at_once_twice_without_harm_and_taken_away(world):
    """Synchronous; the deletion is idempotent in the model."""
    what = {
        "ApplicationArn": application(world, "Dashboards"),
        "PrincipalType": "USER",
        "PrincipalId": world.user("tim"),
    }

    world.sso.create_application_assignment(**what)
    world.sso.create_application_assignment(**what)

    assert ("USER", world.user("tim")) in assigned(world, "Dashboards")
    assert len(assigned(world, "Dashboards")) == 3
    assert world.sso.describe_application_assignment(**what)["PrincipalId"] == world.user("tim")
    world.sso.delete_application_assignment(**what)
    world.sso.delete_application_assignment(**what)
    assert ("USER", world.user("tim")) not in assigned(world, "Dashboards")
    assert world.error(world.sso.describe_application_assignment, **what)["Code"] == "ResourceNotFoundException"


def test_an_unknown_application_or_principal_is_not_found(world):
    unknown = "12345678-1234-1234-1234-123456789012"
    arn = application(world, "Wiki")
    wrong_arn = arn[:-4] + "ffff"

    for what in (
        {"ApplicationArn": arn, "PrincipalType": "USER", "PrincipalId": unknown},
        {"ApplicationArn": wrong_arn, "PrincipalType": "USER", "PrincipalId": world.user("tim")},
    ):
        error = world.error(world.sso.create_application_assignment, **what)
        assert error["Code"] == "ResourceNotFoundException"


def test_a_principals_applications_include_those_of_the_groups(world):
    """…ForPrincipal tells effective access, Describe… the direct one (the model's words)."""
    linus, group = world.user("linus"), world.group("aws_eng_read")

    def held(**more):
        answer = world.sso.list_application_assignments_for_principal(
            InstanceArn=world.instance, PrincipalType="USER", PrincipalId=linus, **more
        )
        return [(row["PrincipalType"], row["PrincipalId"]) for row in answer["ApplicationAssignments"]]

    assert held() == held(Filter={"ApplicationArn": application(world, "Dashboards")}) == [("GROUP", group)]
    assert held(Filter={"ApplicationArn": application(world, "Wiki")}) == []
    world.options.group_rows = False
    assert held() == []
