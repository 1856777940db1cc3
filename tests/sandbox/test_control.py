"""The control endpoint, over HTTP as a person or a benchmark uses it."""

import json
import threading
import urllib.request

import pytest

from connector.sandbox import control
from connector.sandbox.connection import HttpRequest
from connector.sandbox.mutations import MUTATIONS


@pytest.fixture
def ask(world):
    def send(name, body=None):
        data = None if body is None else json.dumps(body).encode()
        return world.send(urllib.request.Request(f"{world.sandbox.url}/_sandbox/{name}", data=data))

    return send


def test_state_counts_calls_errors_and_the_organisation(world, ask):
    world.users.list_users(IdentityStoreId=world.store)
    world.error(world.users.describe_user, IdentityStoreId=world.store, UserId="nonsense")

    status, state = ask("state")

    assert status == 200
    assert state["calls"] == {"ListUsers": 1, "DescribeUser": 1}
    assert state["families"] == {"identitystore": 2}
    assert state["errors"] == {"DescribeUser:ValidationException": 1}
    assert state["organisation"]["users"] == 12
    assert state["requests_now"] == 0


def test_the_peak_of_concurrent_requests_is_counted(world, ask):
    world.options.latency_ms = 200.0
    clients = [world.client("identitystore", key=f"AKIA{number}") for number in range(4)]
    threads = [threading.Thread(target=client.list_identity_stores) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ask("state")[1]["requests_peak"] == 4


def test_options_are_merged_and_wrong_ones_change_nothing(world, ask):
    status, options = ask("options", {"tps": 50, "group_rows": False})
    assert (status, options["tps"], options["group_rows"]) == (200, 50, False)

    for wrong in ({"tpss": 1}, {"tps": "fast"}, {"group_rows": 1}, {"latency_ms": 5, "orphan_delete": "maybe"}):
        status, error = ask("options", wrong)
        assert status == 400
        assert "option" in error["error"]
    assert world.options.latency_ms == 0.0
    assert ask("options")[1]["tps"] == 50


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("faults", {"operation": "ListUser", "fault": "denied"}),
        ("faults", [{"operation": "*", "fault": "denied"}, {"operation": "sso:ListUsers", "fault": "denied"}]),
        ("options", {"deny": ["ListUsers", "identitystore:ListUser"]}),
        ("options", {"deny": ["Nonsense"]}),
    ],
)
def test_what_is_never_called_is_refused(ask, name, body):
    """A rule for a mistyped operation would never strike, and the test behind it would prove nothing."""
    status, answer = ask(name, body)

    assert status == 400
    assert answer["error"].startswith("there is no operation '")
    assert "ListUsers" in answer["error"]


def test_the_organisation_is_told_as_it_is(world, ask):
    """The oracle's source: it knows what no list shows."""
    _, organisation = ask("organisation")

    [instance] = organisation["instances"]
    assert len(instance["users"]) == 12
    assert len(instance["memberships"]) == 23
    assert len(instance["pairs"]) == 12
    users = {user["id"] for user in instance["users"]}
    orphans = [
        row for row in instance["assignments"] if row["principal_type"] == "USER" and row["principal_id"] not in users
    ]
    assert len(orphans) == 1
    assert [row["name"] for row in organisation["accounts"]] == ["Core", "Data", "Eng", "Legacy"]
    assert [(row["name"], row["assignment_required"]) for row in instance["applications"]] == [
        ("Dashboards", True),
        ("Wiki", False),
    ]


def test_what_is_due_is_settled_before_the_organisation_is_told(world, ask):
    world.sso.create_account_assignment(**world.assignment("Write", "210987654321", "USER", world.user("tim")))
    assert len(ask("organisation")[1]["instances"][0]["assignments"]) == 13

    ask("advance", {"seconds": 60})

    assert len(ask("organisation")[1]["instances"][0]["assignments"]) == 14


def test_reset_makes_the_organisation_anew_with_the_same_ids(world, ask):
    ada = world.user("ada")
    world.users.delete_user(IdentityStoreId=world.store, UserId=ada)
    world.sandbox.control("faults", {"operation": "*", "fault": "denied"})

    ask("reset", {})

    assert world.user("ada") == ada
    assert world.users.list_users(IdentityStoreId=world.store)["Users"][0]["UserId"] == ada
    assert ask("state")[1]["calls"] == {"ListUsers": 1}


def test_calls_and_rates_are_kept(world, ask):
    world.users.list_users(IdentityStoreId=world.store)
    world.error(world.sso.list_permission_sets, InstanceArn=world.instance[:-4] + "ffff")

    calls = ask("calls")[1]["calls"]
    assert [(row["service"], row["operation"], row["outcome"]) for row in calls] == [
        ("identitystore", "ListUsers", "ok"),
        ("sso-admin", "ListPermissionSets", "ResourceNotFoundException"),
    ]
    assert calls[0]["region"] == "eu-west-1"
    assert "Boto3" in calls[0]["user_agent"]
    assert len(ask("calls?last=1")[1]["calls"]) == 1
    assert sum(row.get("identitystore", 0) for row in ask("rates")[1]["rates"]) == 1

    ask("forget", {})
    assert ask("calls")[1]["calls"] == []


def test_changes_need_post_and_known_names(ask):
    assert ask("reset")[0] == 404
    assert ask("nothing", {})[0] == 400
    assert ask("mutate", {"action": "nothing"})[0] == 400
    assert ask("mutate", {"action": "rename_account", "account_id": "1", "name": "x"})[0] == 400


ANYTHING = ("text", 7, True, ["x"], [{"a": 1}])
WRONG = [
    ("mutate", {}, ["unknown action ''", "set_account_state", "add_application"]),
    ("mutate", {"action": "delet_user"}, ["unknown action 'delet_user'", "delete_user"]),
    ("mutate", {"action": "delete_user"}, ["user is missing", "delete_user takes `user`"]),
    ("mutate", {"action": "delete_user", "user": "nobody"}, ["there is no user 'nobody'", "ada"]),
    ("mutate", {"action": "delete_user", "user": ["ada"]}, ["user is named by a text", "['ada']"]),
    ("mutate", {"action": "delete_group", "group": "Nobodies"}, ["there is no group 'Nobodies'", "aws_data_read"]),
    (
        "mutate",
        {"action": "set_account_state", "account_id": "1", "state": "ACTIVE"},
        ["there is no AWS account '1'", "123456789012"],
    ),
    ("mutate", {"action": "set_account_state", "account_id": "1", "state": "GONE"}, ["state is one of", "SUSPENDED"]),
    (
        "mutate",
        {"action": "add_pair", "permission_set": "Wrte", "account_id": "123456789012"},
        ["there is no permission set 'Wrte'", "Write"],
    ),
    ("mutate", {"action": "remove_instance", "instance": "x"}, ["there is no instance 'x'", "arn:aws:sso"]),
    ("mutate", {"action": "set_external_id", "user": "ada", "issuer": "i"}, ["id is missing"]),
    (
        "mutate",
        {
            "action": "remove_assignment",
            "permission_set": "Write",
            "account_id": "123456789012",
            "principal_type": "USER",
            "principal_id": "x",
        },
        ["Write in AWS account 123456789012 is not assigned to ('USER', 'x')"],
    ),
    ("advance", {}, ["seconds is a number, not None"]),
    ("advance", {"seconds": "soon"}, ["seconds is a number, not 'soon'"]),
    ("calls", {"last": "few"}, ["last is a number"]),
    ("options", {"tpss": 1}, ["unknown option 'tpss'", "tps,"]),
    ("faults", {"operation": "ListUsers"}, ["a fault rule has operation and fault"]),
    ("nothing", {}, ["unknown action 'nothing'", "mutate"]),
    *((name, body, [f"{name} takes an object"]) for name in ("mutate", "options", "advance") for body in ANYTHING),
    *(("faults", body, ["faults takes an object"]) for body in ANYTHING[:4]),
]


@pytest.mark.parametrize(("name", "body", "words"), WRONG, ids=lambda value: str(value)[:50])
def test_what_is_wrong_is_said_with_what_is_known_and_changes_nothing(world, ask, name, body, words):
    before = ask("organisation")[1], ask("options")[1]

    status, told = ask(name, body)

    assert status == 400
    assert [word for word in words if word not in told["error"]] == [], told["error"]
    assert "Error" not in told["error"]
    assert (ask("organisation")[1], ask("options")[1]) == before


def test_what_is_no_json_or_not_to_be_read_is_said(world, ask):
    request = urllib.request.Request(f"{world.sandbox.url}/_sandbox/mutate", data=b"{")
    assert world.send(request)[1]["error"].startswith("the body is not JSON: ")
    assert ask("mutate")[1]["error"].startswith("GET reads state, options, ")


def test_only_loopback_reaches_it(world):
    request = HttpRequest("GET", "/_sandbox/state", "", {}, b"", "203.0.113.7")

    assert control.handle(world.sandbox.aws, request, local=False).status == 404
    assert world.sandbox._handle(request).status == 404


def test_an_aws_request_to_another_path_is_no_aws_request(world):
    status, _ = world.send(
        urllib.request.Request(
            f"{world.sandbox.url}/other", data=b"{}", headers={"X-Amz-Target": "AWSIdentityStore.ListUsers"}
        )
    )

    assert status == 404


EXAMPLES = {
    "set_account_state": {"account_id": "210987654321", "state": "SUSPENDED"},
    "rename_account": {"account_id": "210987654321", "name": "Engineering"},
    "add_account": {"account_id": "900000000000", "name": "New"},
    "set_delegated_administrator": {"account_id": "123456789012", "delegated": True},
    "put_role": {"arn": "arn:aws:iam::111122223333:role/Other", "external_id": "x"},
    "set_user_status": {"user": "ada", "status": "DISABLED"},
    "set_external_id": {"user": "ada", "issuer": "idp", "id": "1"},
    "delete_user": {"user": "barbara"},
    "delete_group": {"group": "aws_eng_write"},
    "delete_permission_set": {"permission_set": "Write"},
    "add_pair": {"permission_set": "Write", "account_id": "444455556666"},
    "add_assignment": {
        "permission_set": "Write",
        "account_id": "111122223333",
        "principal_type": "USER",
        "principal_id": "gone",
    },
    "remove_assignment": {"permission_set": "Write", "account_id": "123456789012", "principal_type": "USER"},
    "add_instance": {"region": "us-east-1", "name": "second"},
    "remove_instance": {},
    "add_region": {"region": "us-east-1"},
    "set_permission_sets_enabled": {"enabled": False},
    "add_application": {"name": "New"},
}


@pytest.mark.parametrize("action", sorted(MUTATIONS))
def test_every_mutation_changes_what_the_oracle_sees(world, ask, action):
    """Each by an example; roles and external ids are seen elsewhere."""
    asked = dict(EXAMPLES[action])
    if action == "remove_assignment":
        asked["principal_id"] = world.user("barbara")
    if action == "remove_instance":
        asked["instance"] = world.instance
    before = ask("organisation")[1], set(world.organisation.roles)

    status, counts = ask("mutate", {"action": action, **asked})

    assert status == 200, counts
    assert (ask("organisation")[1], set(world.organisation.roles)) != before


def test_a_deleted_permission_set_takes_its_pairs_and_assignments(world, ask):
    ask("mutate", {"action": "delete_permission_set", "permission_set": "Write"})

    [instance] = ask("organisation")[1]["instances"]
    assert not [
        row for row in instance["pairs"] + instance["assignments"] if row["permission_set_arn"].endswith("Write")
    ]
    names = {row["arn"] for row in instance["permission_sets"]}
    assert {row["permission_set_arn"] for row in instance["pairs"] + instance["assignments"]} <= names
    assert len(names) == 3
