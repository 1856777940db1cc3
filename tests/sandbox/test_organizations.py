"""The organisation: its AWS accounts with their State, pages of twenty, delegated administrators."""

from connector.sandbox import building


def accounts(world):
    return {row["Name"]: row for row in world.organizations.list_accounts()["Accounts"]}


def test_aws_accounts_have_state_and_path(world):
    shown = accounts(world)

    assert {name: row["State"] for name, row in shown.items()} == {
        "Core": "ACTIVE",
        "Data": "ACTIVE",
        "Eng": "ACTIVE",
        "Legacy": "SUSPENDED",
    }
    assert all(row["Paths"][0].startswith(f"{world.organisation.id}/r-") for row in shown.values())


def test_a_state_changes_at_the_control_endpoint(world):
    """The retired Status follows where it has a word for the State (aws-behaviour 34)."""
    for state, status in (("PENDING_CLOSURE", "PENDING_CLOSURE"), ("CLOSED", None)):
        asked = {"action": "set_account_state", "account_id": "123456789012", "state": state}
        world.sandbox.control("mutate", asked)
        described = world.organizations.describe_account(AccountId="123456789012")["Account"]
        assert (described["State"], described.get("Status")) == (state, status)


def test_a_page_holds_twenty_and_no_more_may_be_asked_for(world):
    """moto gives a hundred (moto row 15)."""
    for number in range(30):
        building.add_account(world.organisation, f"{900_000_000_000 + number}", f"More {number}")

    first = world.organizations.list_accounts()
    second = world.organizations.list_accounts(NextToken=first["NextToken"])

    assert (len(first["Accounts"]), len(second["Accounts"])) == (20, 14)
    error = world.error(world.organizations.list_accounts, MaxResults=21)
    assert error["Code"] == "InvalidInputException"
    error = world.error(world.organizations.list_accounts, NextToken="nonsense")
    assert (error["Code"], error["Reason"]) == ("InvalidInputException", "INVALID_NEXT_TOKEN")


def test_an_unknown_aws_account_is_not_found(world):
    error = world.error(world.organizations.describe_account, AccountId="999999999999")

    assert error["Code"] == "AccountNotFoundException"


def test_delegated_administrators_are_listed(world):
    """moto refuses sso.amazonaws.com (moto row 20)."""

    def listed():
        answer = world.organizations.list_delegated_administrators(ServicePrincipal="sso.amazonaws.com")
        return [row["Name"] for row in answer["DelegatedAdministrators"]]

    assert listed() == ["Eng"]
    asked = {"action": "set_delegated_administrator", "account_id": "210987654321", "delegated": False}
    world.sandbox.control("mutate", asked)
    assert listed() == []
