"""Only the Application XML and a token: IdentityIQ, simulated, runs a year of governance on the real service.

The organisation has 1,000 users. What aggregation reads is compared with an oracle that reads the emulated AWS, and
after every step of provisioning all of AWS is compared with a picture of what it ought to be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from connector.cli import main
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import dump
from tests.identityiq.organisation import (
    TYPES,
    Expected,
    compare_accounts,
    compare_entitlements,
    expected_account,
    truth_of,
)
from tests.identityiq.rejected import ConnectorException
from tests.identityiq.simulator import IdentityIQ, Plan, Request
from tests.running import READ_TOKEN, TOKEN, Running

SHIPPED = (Path(__file__).parents[2] / "spec" / "identityiq" / "application.xml").read_text(encoding="utf-8")
SIZE = Size(users=1_000, groups=60, permission_sets=25, aws_accounts=40, applications=12)
PERSON = {
    "name": "joan.clarke",
    "firstname": "Joan",
    "lastname": "Clarke",
    "displayName": "Joan Clarke",
    "email": "joan.clarke@example.com",
}


@dataclass
class World:
    """One organisation, the service on it, and IdentityIQ as its administrators set it up."""

    sandbox: Sandbox
    service: Running
    sources: Path
    """The sources file."""

    def installed(self, token: str = TOKEN) -> IdentityIQ:
        """IdentityIQ with the file as it is shipped; the base URL and the token are typed in."""
        return IdentityIQ(SHIPPED, self.service.url, token)

    def printed(self, source: str) -> IdentityIQ:
        """IdentityIQ with what the command prints for a source."""
        arguments = ["iiq-application", "--url", self.service.url, "--source", source]
        ran = CliRunner().invoke(main, arguments, env={"CONNECTOR_SOURCES": str(self.sources)})
        assert ran.exit_code == 0, ran.output
        return IdentityIQ(ran.stdout, None, TOKEN)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("identityiq")
    with Sandbox(generated(SIZE, seed=4), Options(assignment_seconds=0.05, empty_pages=0.1)) as sandbox:
        token_file = directory / "scim-token"
        token_file.write_text(sandbox.scim_token)
        sources = f"""
[sources.default]

[sources.full]
entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]
disable_by = "scim"
scim_endpoint = "{sandbox.scim_url}"
scim_token_file = "{token_file}"

[sources.stripping]
disable_by = "strip"

[sources.hasty]
change_deadline = "1s"

[sources.adopting]
on_existing = "adopt"

[sources.bare]
entitlement_types = ["group"]
inherited = "none"
managed_by = "external"
"""
        with Running(sandbox, directory, sources) as service:
            yield World(sandbox, service, directory / "sources.toml")


@pytest.fixture
def iiq(world: World) -> IdentityIQ:
    return world.installed()


def committed(iiq: IdentityIQ, plan: Plan) -> str:
    """Carry out a plan that has to succeed; the account's identity."""
    result = iiq.provision(plan)
    assert result.status == "committed", result.errors
    assert result.identity is not None
    return result.identity


def sample(world: World) -> tuple[list[str], list[str]]:
    """Some groups, and some pairs that can be given: their AWS accounts are active."""
    truth = truth_of(world.sandbox)
    active = [pair for pair in sorted(truth.pairs) if truth.states[pair.split(":")[0]] == "ACTIVE"]
    return sorted(truth.groups)[:4], active[:4]


# ---- reading


def test_the_connection_is_tested(iiq: IdentityIQ) -> None:
    """Green with the token."""
    iiq.test_connection()


def test_basic_authentication_is_taken_as_well(iiq: IdentityIQ) -> None:
    """The token's name and the token, as the guide says."""
    iiq.settings |= {"authenticationMethod": "BasicLogin", "username": "sailpoint", "password": TOKEN}
    iiq.test_connection()

    iiq.settings |= {"username": "somebody"}
    with pytest.raises(ConnectorException, match="401"):
        iiq.test_connection()


@pytest.mark.parametrize("token", ["", "idc_wrong"])
def test_without_the_token_the_connection_fails(world: World, token: str) -> None:
    """Red without."""
    with pytest.raises(ConnectorException, match="401") as failed:
        world.installed(token).test_connection()
    assert failed.value.listed


def test_account_aggregation_is_the_organisation(world: World, iiq: IdentityIQ) -> None:
    """1,000 accounts with groups, pairs, inherited access and the disabled flag."""
    found = iiq.accounts()

    assert len(found) == SIZE.users
    compare_accounts(found, truth_of(world.sandbox))
    assert sum(len(exchange.json["items"]) for exchange in iiq.wire.exchanges) == SIZE.users, "one account, one row"
    assert [len(exchange.json["items"]) for exchange in iiq.wire.exchanges] == [250, 250, 250, 250, 0]
    assert any(each.disabled for each in found)
    assert any(each.attributes["inheritedPermissionSetAssignments"] for each in found)


def test_group_aggregation_is_the_organisation(world: World, iiq: IdentityIQ) -> None:
    """Every type the source has."""
    compare_entitlements(iiq.entitlements(), truth_of(world.sandbox))


def test_what_accounts_hold_can_be_looked_up(world: World, iiq: IdentityIQ) -> None:
    """Values on accounts are identities of entitlements: nothing shows as a bare id in a certification."""
    known = {type_: {each.identity for each in found} for type_, found in iiq.entitlements().items()}
    attributes = iiq.application.schemas["account"].attributes.values()
    for account in iiq.accounts():
        for attribute in attributes:
            if attribute.entitlement:
                assert set(account.attributes[attribute.name]) <= known[str(attribute.schema_object_type)]


def test_one_object_is_what_aggregation_reads(world: World, iiq: IdentityIQ) -> None:
    """So that a single-account refresh wipes nothing and changes nothing."""
    for each in iiq.accounts()[::100]:
        assert iiq.get_object(each.identity) == each
    for type_, found in iiq.entitlements().items():
        for each in found[::40]:
            assert iiq.get_object(each.identity, type_) == each


@pytest.mark.parametrize("identity", ["a/b@c:d é", "..", "%2F", "x" * 5_000, "$filter", '"; --'])
def test_an_odd_id_is_answered_cleanly(iiq: IdentityIQ, identity: str) -> None:
    """Not there, or refused: never a defect."""
    refused = None
    try:
        assert iiq.get_object(identity) is None
    except ConnectorException as error:
        refused = error.status
    assert refused in (None, 400, 404, 414)


def test_every_type_and_every_option(world: World) -> None:
    """The printed file of a source reads what that source has."""
    full = world.printed("full")
    full.test_connection()
    compare_accounts(full.accounts(), truth_of(world.sandbox), TYPES)
    compare_entitlements(full.entitlements(), truth_of(world.sandbox), TYPES)

    bare = world.printed("bare")
    truth = truth_of(world.sandbox)
    for each in bare.accounts():
        right = expected_account(truth, each.identity, ["group"])
        del right["inheritedAccess"]
        assert {name: each.attributes.get(name) for name in right} == right
        assert "inheritedAccess" not in each.attributes
    assert set(bare.entitlements()) == {"group"}


def test_a_reading_token_cannot_change(world: World) -> None:
    """Refused before anything happens."""
    before = dump(world.sandbox)
    user = sorted(truth_of(world.sandbox).users)[0]

    result = world.installed(READ_TOKEN).provision(Plan("Delete", user))

    assert result.status == "failed"
    assert "HTTP Error Code: 403" in result.errors[0]
    assert dump(world.sandbox) == before


# ---- joiner, mover, leaver


def test_a_joiner_a_mover_and_a_leaver(world: World, iiq: IdentityIQ) -> None:
    """After each step AWS is exactly as expected, and so is what IdentityIQ sees."""
    groups, pairs = sample(world)
    expected = Expected.now(world.sandbox)

    # Joiner: the form, an attribute more, and four entitlements of two types.
    asked = (
        Request("title", "Cryptanalyst"),
        Request("department", "Hut 8"),
        Request("groups", groups[:2], "Add"),
        Request("permissionSetAssignments", pairs[:2], "Add"),
    )
    user = committed(iiq, iiq.create_plan(PERSON, asked))
    attributes: dict[str, Any] = {
        "UserName": "joan.clarke",
        "DisplayName": "Joan Clarke",
        "Name": {"GivenName": "Joan", "FamilyName": "Clarke"},
        "Title": "Cryptanalyst",
        "Emails": [{"Value": "joan.clarke@example.com", "Primary": True}],
    }
    expected.created(user, attributes, {"department": "Hut 8"})
    expected.gave(user, *groups[:2], *pairs[:2])
    expected.holds()
    seen = iiq.get_object(user)
    assert seen is not None
    assert (seen.display, seen.disabled) == ("joan.clarke", False)
    assert seen.attributes["groups"] == sorted(groups[:2])
    assert seen.attributes["permissionSetAssignments"] == sorted(pairs[:2])

    # Mover: entitlements come and go, attributes change and are cleared.
    moves = (
        Request("groups", groups[2], "Add"),
        Request("groups", [groups[0]], "Remove"),
        Request("permissionSetAssignments", [pairs[2], pairs[3]], "Add"),
        Request("permissionSetAssignments", pairs[0], "Remove"),
        Request("displayName", "Joan Murray"),
        Request("familyName", "Murray"),
        Request("title", ""),
        Request("department", ""),
        Request("employeeNumber", "E4711"),
    )
    committed(iiq, Plan("Modify", user, moves))
    del attributes["Title"]
    attributes |= {"DisplayName": "Joan Murray", "Name": {"GivenName": "Joan", "FamilyName": "Murray"}}
    expected.world["users"][user]["extension"] = {"employeeNumber": "E4711"}
    expected.gave(user, groups[2], *pairs[2:4])
    expected.took(user, groups[0], pairs[0])
    expected.holds()

    # The same once more changes nothing.
    before = dump(world.sandbox)
    committed(iiq, Plan("Modify", user, moves))
    assert dump(world.sandbox) == before

    # A full aggregation afterwards sees it too, and still all others.
    compare_accounts(iiq.accounts(), truth_of(world.sandbox))

    # Leaver.
    committed(iiq, Plan("Delete", user))
    expected.deleted(user)
    expected.holds()
    committed(iiq, Plan("Delete", user))
    expected.holds()
    assert iiq.get_object(user) is None
    compare_accounts(iiq.accounts(), truth_of(world.sandbox))


def test_a_leaver_is_disabled_where_that_is_configured(world: World) -> None:
    """Through SCIM; enabled again when he comes back, with everything he had."""
    full = world.printed("full")
    truth = truth_of(world.sandbox)
    user = max(truth.users, key=lambda each: len(truth.member_of[each]) if truth.users[each]["enabled"] else -1)
    expected = Expected.now(world.sandbox)
    for plan, enabled in ((Plan("Disable", user), False), (Plan("Disable", user), False), (Plan("Enable", user), True)):
        committed(full, plan)
        expected.world["users"][user]["enabled"] = enabled
        expected.holds()
        seen = full.get_object(user)
        assert seen is not None
        assert seen.disabled is not enabled
        (listed,) = (each for each in full.accounts() if each.identity == user)
        assert listed == seen


def test_a_leaver_is_stripped_where_that_is_configured(world: World) -> None:
    """Everything held directly goes and the account shows as disabled; enabled again, it is all back."""
    stripping = world.printed("stripping")
    groups, pairs = sample(world)
    person = {**PERSON, "name": "ann.mitchell", "email": "ann@example.com"}
    given = (Request("groups", groups[:2], "Add"), Request("permissionSetAssignments", pairs[:2], "Add"))
    user = committed(stripping, stripping.create_plan(person, given))
    before, expected = Expected.now(world.sandbox), Expected.now(world.sandbox)
    expected.took(user, *groups[:2], *pairs[:2])
    for plan, aws in (
        (Plan("Disable", user), expected),
        (Plan("Disable", user), expected),
        (Plan("Enable", user), before),
    ):
        committed(stripping, plan)
        aws.holds()
        seen = stripping.get_object(user)
        assert seen is not None
        assert seen.disabled is (plan.op == "Disable")
        assert seen.attributes["groups"] == ([] if seen.disabled else sorted(groups[:2]))
    committed(stripping, Plan("Delete", user))


def test_an_application_is_given_and_taken(world: World) -> None:
    """The third type has operations of its own."""
    full = world.printed("full")
    truth = truth_of(world.sandbox)
    (user, *_), (identifier, *_) = (
        sorted(truth.users),
        sorted(each for each, row in truth.applications.items() if row["assignment_required"]),
    )
    expected = Expected.now(world.sandbox)
    given = expected.world["applications"][truth.applications[identifier]["arn"]]
    held = ("USER", user) in given
    for op in ("Add", "Remove") if not held else ("Remove", "Add"):
        committed(full, Plan("Modify", user, (Request("applicationAssignments", identifier, op),)))
        (given.add if op == "Add" else given.discard)(("USER", user))
        expected.holds()


def test_changes_without_a_body_are_taken_however_they_are_sent(world: World) -> None:
    """A client may send an empty body with any content type, or none: what counts is the address."""
    full = world.printed("full")
    user = sorted(truth_of(world.sandbox).users)[1]
    base = str(full.settings["genericWebServiceBaseUrl"])
    for headers, body in (
        ({}, ""),
        ({"Content-Type": "application/json"}, ""),
        ({"Content-Type": "application/json"}, "{}"),
        ({"Content-Type": "text/plain; charset=ISO-8859-1"}, ""),
        ({"Accept": "*/*"}, ""),
    ):
        for operation in ("Disable Account", "Enable Account", "Remove Entitlement"):
            (row,) = full.application.endpoints_for(operation)
            url = row.url.replace("$plan.nativeIdentity$", user).replace("$plan.groups$", sample(world)[0][3])
            full.wire.send(operation, row.method, base + url, headers, body)


# ---- when things go wrong


@pytest.mark.parametrize("source", ["adopting", "default"])
def test_a_lost_create_sent_again_gives_the_account(world: World, source: str) -> None:
    """The service made the account, the answer was lost, IdentityIQ sends the same plan: the account, no conflict."""
    iiq = world.printed(source)
    groups, pairs = sample(world)
    expected = Expected.now(world.sandbox)
    name, email = f"mavis.{source}", f"{source}@example.com"
    person = {"name": name, "firstname": "Mavis", "lastname": "Batey", "displayName": "Mavis Batey", "email": email}
    plan = iiq.create_plan(
        person,
        (Request("groups", groups[:1], "Add"), Request("permissionSetAssignments", pairs[:1], "Add")),
    )

    iiq.wire.forget_next = "Create Account"
    lost = iiq.provision(plan)
    assert (lost.status, lost.identity) == ("failed", None)
    (made,) = (each for each, row in truth_of(world.sandbox).users.items() if row["attributes"]["UserName"] == name)
    user = committed(iiq, plan)

    assert user == made
    expected.created(
        user,
        {
            "UserName": name,
            "DisplayName": "Mavis Batey",
            "Name": {"GivenName": "Mavis", "FamilyName": "Batey"},
            "Emails": [{"Value": email, "Primary": True}],
        },
    )
    expected.gave(user, groups[0], pairs[0])
    expected.holds()
    committed(iiq, Plan("Delete", user))


def test_a_change_that_takes_long_is_sent_again_and_found_done(world: World) -> None:
    """The service answers in time that it goes on; IdentityIQ tries again later and gets the result, once."""
    hasty = world.printed("hasty")
    _, pairs = sample(world)
    truth = truth_of(world.sandbox)
    user = next(each for each in sorted(truth.users) if not truth.holds["USER", each] & set(pairs))
    plan = Plan("Modify", user, (Request("permissionSetAssignments", pairs[0], "Add"),))
    expected = Expected.now(world.sandbox)
    world.sandbox.control("options", {"assignment_seconds": 3.0})
    try:
        first = hasty.provision(plan)
        assert first.status == "retry", first.errors
        assert "still-running" in first.errors[0]
        until = time.monotonic() + 30
        while hasty.provision(plan).status == "retry":
            assert time.monotonic() < until
    finally:
        world.sandbox.control("options", {"assignment_seconds": 0.05})
    committed(hasty, plan)
    expected.gave(user, pairs[0])
    expected.holds()


def test_what_cannot_be_given_fails_and_changes_nothing(world: World, iiq: IdentityIQ) -> None:
    """With the service's sentence in IdentityIQ's log."""
    truth = truth_of(world.sandbox)
    user = sorted(truth.users)[0]
    suspended = next(pair for pair in sorted(truth.pairs) if truth.states[pair.split(":")[0]] == "SUSPENDED")
    before = dump(world.sandbox)
    for request, says in (
        (Request("permissionSetAssignments", suspended, "Add"), "SUSPENDED"),
        (Request("permissionSetAssignments", "123456789012:ps-0000000000000000", "Add"), "422"),
        (Request("groups", "00000000-0000-0000-0000-000000000000", "Add"), "422"),
        (Request("userName", ""), "422"),
    ):
        result = iiq.provision(Plan("Modify", user, (request,)))
        assert result.status == "failed"
        assert says in result.errors[0]
    assert dump(world.sandbox) == before


def test_a_change_that_the_connector_emptied_fails(world: World, iiq: IdentityIQ) -> None:
    """A null in the plan is taken out of the body: an update that says nothing is refused, not passed over."""
    user = sorted(truth_of(world.sandbox).users)[0]

    result = iiq.provision(Plan("Modify", user, (Request("title", None),)))

    assert result.status == "failed"
    assert "HTTP Error Code: 400" in result.errors[0]


def test_a_change_that_the_connector_padded_fails(world: World, iiq: IdentityIQ) -> None:
    """Should a version send "" for everything the plan does not have, nothing is cleared: the required ones protect."""
    user = sorted(truth_of(world.sandbox).users)[0]
    (row,) = iiq.application.endpoints_for("Update Account")
    names = {name: "" for name in iiq.application.schemas["account"].attributes if f"$plan.{name}$" in row.body}
    before = dump(world.sandbox)

    result = iiq.provision(Plan("Modify", user, tuple(Request(n, v) for n, v in (names | {"title": "Boss"}).items())))

    assert result.status == "failed"
    assert "HTTP Error Code: 422" in result.errors[0]
    assert dump(world.sandbox) == before


DAY = 24 * 3600


def date(moment: float) -> str:
    """As IdentityIQ writes it, but for midnight."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def test_a_delta_aggregation_reads_what_changed(world: World, iiq: IdentityIQ) -> None:
    """By date, once there is a snapshot from a day before it: the new, the changed, and the names of what is gone.

    A date almost a day ahead stands for a first aggregation almost a day ago.
    """
    names = ("betty.webb", "jane.hughes")
    changed, gone = (
        committed(iiq, iiq.create_plan({**PERSON, "name": name, "email": f"{name}@example.com"})) for name in names
    )
    everybody = len(iiq.accounts())
    time.sleep(2.5)
    looked = time.time()
    made = committed(iiq, iiq.create_plan({**PERSON, "name": "rozanne", "email": "rozanne@example.com"}))
    committed(iiq, Plan("Modify", changed, (Request("title", "Codebreaker"),)))
    committed(iiq, Plan("Delete", gone))

    found = {each.identity: each for each in iiq.accounts(since=date(looked + DAY - 1))}

    assert iiq.wire.exchanges[-1].json["snapshot"]["since"] is not None
    assert len(found) < everybody / 2
    assert {each.identity for each in found.values() if each.deleted} >= {gone}
    for each in (changed, made):
        assert found[each] == iiq.get_object(each)
        committed(iiq, Plan("Delete", each))


@pytest.mark.parametrize("last", ["", "2020-01-01T24:30:00Z", "now"])
def test_a_delta_before_every_snapshot_is_the_whole_list(world: World, iiq: IdentityIQ, last: str) -> None:
    """On the first day, and for long ago: rather too much than too little. What is gone is not named in it: only a full
    aggregation notices that."""
    user = committed(iiq, iiq.create_plan({**PERSON, "name": "jane.hughes", "email": "jane@example.com"}))
    iiq.accounts()
    gone = committed(iiq, iiq.create_plan({**PERSON, "name": "pamela.rose", "email": "pamela@example.com"}))
    committed(iiq, Plan("Delete", gone))

    found = iiq.accounts(since=date(time.time()) if last == "now" else last)

    assert {each.identity for each in found} == set(truth_of(world.sandbox).users)
    assert user in {each.identity for each in found}
    assert not [each for each in found if each.deleted]
    committed(iiq, Plan("Delete", user))
    assert user not in {each.identity for each in iiq.accounts()}
