"""What IdentityIQ ought to see and what AWS ought to be, from the sandbox's dump and the acceptance oracle.

Nothing of the service is asked: expectations come from the emulated organisation itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import Truth, dump, picture
from tests.identityiq.simulator import ResourceObject

TYPES = ("group", "permissionSetAssignment", "applicationAssignment")
DEFAULT = TYPES[:2]
PASSED_ON = ("grants", "permissionSetAssignments")
UNDATED = {"createdAt", "updatedAt", "userArn"}
"""Attributes of an account that the oracle does not know."""


def expected_account(truth: Truth, user: str, types: Collection[str]) -> dict[str, Any]:
    """Attributes of an account in a source with those entitlement types, inherited access included."""
    held = truth.account(user)
    names = {
        "group": ("groups",),
        "permissionSetAssignment": ("permissionSetAssignments", "inheritedPermissionSetAssignments"),
        "applicationAssignment": ("applicationAssignments", "inheritedApplicationAssignments"),
    }
    lists = {name: held[name] for type_ in types for name in names[type_]}
    lists["inheritedAccess"] = truth.readable(
        user, pairs="permissionSetAssignment" in types, applications="applicationAssignment" in types
    )
    scalars = {name: value for name, value in truth.scalars(user).items() if value is not None}
    return scalars | lists


def compare_accounts(found: list[ResourceObject], truth: Truth, types: Collection[str] = DEFAULT) -> None:
    """Every account is there, once, with exactly its access and its state."""
    assert sorted(each.identity for each in found) == sorted(truth.users)
    for each in found:
        row = truth.users[each.identity]
        shown = {name: value for name, value in each.attributes.items() if name not in UNDATED}
        assert shown == expected_account(truth, each.identity, types), each.identity
        assert each.disabled is not row["enabled"]
        assert each.display == row["attributes"]["UserName"]
        assert not each.deleted


def compare_entitlements(
    found: dict[str, list[ResourceObject]], truth: Truth, types: Collection[str] = DEFAULT
) -> None:
    """Every entitlement of every type is there, once, with what it grants and whether it can be given."""
    offered = {
        "group": (set(truth.groups), truth.group),
        "permissionSetAssignment": (truth.pairs, truth.pair),
        "applicationAssignment": (set(truth.applications), truth.application),
    }
    assert set(found) == set(types)
    for type_, objects in found.items():
        wanted, expected = offered[type_]
        assert sorted(each.identity for each in objects) == sorted(wanted)
        for each in objects:
            right = expected(each.identity)
            assert {name: each.attributes.get(name) for name in right} == right
            assert each.attributes.keys() - right.keys() <= {"notRequestableReason", "description"}
            assert each.display == right["displayName"]


@dataclass
class Expected:
    """A picture of the organisation, changed by hand, with which all of AWS is compared after each step."""

    sandbox: Sandbox
    world: dict[str, Any]

    @classmethod
    def now(cls, sandbox: Sandbox) -> Expected:
        """As it is."""
        return cls(sandbox, picture(sandbox))

    def holds(self) -> None:
        """All of AWS is as expected, and nothing is under way."""
        now = picture(self.sandbox)
        assert {part: now[part] for part in now if now[part] != self.world[part]} == {
            part: self.world[part] for part in now if now[part] != self.world[part]
        }

    def created(self, user: str, attributes: dict[str, Any], extension: dict[str, Any] | None = None) -> None:
        """A new user in AWS's own form."""
        self.world["users"][user] = {
            "enabled": True,
            "attributes": attributes,
            "extension": extension or {},
            "external_ids": [],
        }

    def gave(self, user: str, *values: str) -> None:
        """Groups or pairs given."""
        for value in values:
            if ":" in value:
                self.world["assignments"].add((value, "USER", user))
                self.world["pairs"].add(value)  # AWS provisions what it assigns
            else:
                self.world["memberships"].add((value, user))

    def took(self, user: str, *values: str) -> None:
        """Groups or pairs taken."""
        for value in values:
            if ":" in value:
                self.world["assignments"].remove((value, "USER", user))
                if not any(row[0] == value for row in self.world["assignments"]):
                    self.world["pairs"].remove(value)  # the emulated AWS takes away what nobody holds any more
            else:
                self.world["memberships"].remove((value, user))

    def deleted(self, user: str) -> None:
        """The user and everything it held."""
        self.took(user, *[value for value, who in self.world["memberships"] if who == user])
        self.took(user, *[value for value, _, who in self.world["assignments"] if who == user])
        for given in self.world["applications"].values():
            given.discard(("USER", user))
        del self.world["users"][user]


def truth_of(sandbox: Sandbox) -> Truth:
    """The oracle on what the sandbox holds now."""
    return Truth(dump(sandbox))
