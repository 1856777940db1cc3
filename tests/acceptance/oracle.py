"""What is true, computed from the sandbox's dump by a few lines that share nothing with the connector.

`Truth` says what governance must be shown: for every user the groups, the pairs and applications held directly and
through groups, and the readable lines; for every entitlement its name, its counts, what it grants and whether it can be
given. `picture` is the whole emulated organisation in a form that can be compared and changed by hand.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

from connector.sandbox.server import Sandbox

Row = dict[str, Any]


class Truth:
    """One instance of a dump, looked at from governance's side."""

    def __init__(self, dump: Row, names: bool = True) -> None:
        """`names`: whether Organizations tells the names and State of AWS accounts."""
        self.instance = dump["instances"][0]
        self.names = {row["id"]: row["name"] if names else "" for row in dump["accounts"]}
        self.states = {row["id"]: row["state"] if names else "" for row in dump["accounts"]}
        self.sets = {row["arn"].split("/")[-1]: row for row in self.instance["permission_sets"]}
        self.users = {row["id"]: row for row in self.instance["users"]}
        self.groups = {row["id"]: row for row in self.instance["groups"]}
        self.member_of: dict[str, set[str]] = defaultdict(set)
        for row in self.instance["memberships"]:
            self.member_of[row["user_id"]].add(row["group_id"])
        self.pairs = {pair_id(row) for row in self.instance["pairs"]}
        self.holds: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in self.instance["assignments"]:
            self.holds[row["principal_type"], row["principal_id"]].add(pair_id(row))
        self.applications = {row["arn"].split("/")[-1]: row for row in self.instance["applications"]}
        self.uses: dict[tuple[str, str], set[str]] = defaultdict(set)
        for identifier, application in self.applications.items():
            for row in application["assignments"]:
                self.uses[row["principal_type"], row["principal_id"]].add(identifier)

    # ---- accounts

    def account(self, user: str) -> Row:
        """The list attributes of an account, with every entitlement type enabled."""
        groups = self.member_of[user]
        return {
            "groups": sorted(groups),
            "permissionSetAssignments": sorted(self.holds["USER", user]),
            "inheritedPermissionSetAssignments": sorted({pair for g in groups for pair in self.holds["GROUP", g]}),
            "applicationAssignments": sorted(self.uses["USER", user]),
            "inheritedApplicationAssignments": sorted({app for g in groups for app in self.uses["GROUP", g]}),
            "inheritedAccess": self.readable(user, pairs=True, applications=True),
        }

    def readable(self, user: str, *, pairs: bool, applications: bool) -> list[str]:
        """`AdministratorAccess on Data (123456789012) via Admins`, and so on."""
        lines = set()
        for group in self.member_of[user]:
            via = f" via {self.groups[group]['name']}"
            lines |= {self.pair_name(pair) + via for pair in self.holds["GROUP", group] if pairs}
            lines |= {self.applications[each]["name"] + via for each in self.uses["GROUP", group] if applications}
        return sorted(lines)

    def pair_name(self, pair: str) -> str:
        """A pair as people read it."""
        account, permission_set = pair.split(":")
        place = f"{self.names[account]} ({account})" if self.names[account] else account
        return f"{self.sets[permission_set]['name']} on {place}"

    def scalars(self, user: str) -> Row:
        """The single values of an account that seeds set; what is absent is None."""
        row = self.users[user]
        has, extension = row["attributes"], row["extension"]
        email = (has.get("Emails") or [{}])[0]
        return {
            "userId": user,
            "userName": has["UserName"],
            "displayName": has["DisplayName"],
            "givenName": has["Name"]["GivenName"],
            "familyName": has["Name"]["FamilyName"],
            "email": email.get("Value"),
            "emailType": email.get("Type"),
            "title": has.get("Title"),
            "employeeNumber": extension.get("employeeNumber"),
            "department": extension.get("department"),
            "manager": extension.get("manager", {}).get("value"),
            "userStatus": "ENABLED" if row["enabled"] else "DISABLED",
            "externalId": row["external_ids"][0]["Id"] if row["external_ids"] else None,
            "externalIdIssuer": row["external_ids"][0]["Issuer"] if row["external_ids"] else None,
        }

    # ---- entitlements

    def group(self, identifier: str) -> Row:
        """A group as a reviewer sees it."""
        row = self.groups[identifier]
        pairs = self.holds["GROUP", identifier]
        return {
            "id": identifier,
            "type": "group",
            "displayName": row["name"],
            "description": row["description"] or "",
            "requestable": True,
            "notRequestableReason": "",
            "userCount": sum(identifier in groups for groups in self.member_of.values()),
            "groupCount": 0,
            "grants": sorted(map(self.pair_name, pairs)),
            "permissionSetAssignments": sorted(pairs),
            "external": bool(row["external_ids"]),
        }

    def all_pairs(self) -> set[str]:
        """Every permission set in every AWS account."""
        return {f"{account}:{permission_set}" for account in self.names for permission_set in self.sets}

    def pair(self, pair: str) -> Row:
        """A pair as a reviewer sees it. Its `notRequestableReason` is prose and left out."""
        account, identifier = pair.split(":")
        permission_set = self.sets[identifier]
        boundary = permission_set["boundary"]
        assert not boundary, "the oracle knows no boundaries"
        return {
            "id": pair,
            "type": "permissionSetAssignment",
            "displayName": self.pair_name(pair),
            "description": permission_set["description"] or "",
            "requestable": self.states[account] in ("ACTIVE", ""),
            "userCount": sum(pair in self.holds["USER", user] for user in self.users),
            "groupCount": sum(pair in self.holds["GROUP", group] for group in self.groups),
            "awsAccountId": account,
            "awsAccountName": self.names[account],
            "awsAccountState": self.states[account],
            "permissionSetId": identifier,
            "permissionSetName": permission_set["name"],
            "sessionDuration": permission_set["session_duration"],
            "managedPolicies": sorted(permission_set["managed_policies"]),
            "customerManagedPolicies": sorted(r["path"] + r["name"] for r in permission_set["customer_policies"]),
            "hasInlinePolicy": bool(permission_set["inline_policy"]),
            "permissionsBoundary": "",
        }

    def application(self, identifier: str) -> Row:
        """An application as a reviewer sees it; without its reason and its description, which the dump has not."""
        row = self.applications[identifier]
        held_by = [each["principal_type"] for each in row["assignments"]]
        return {
            "id": identifier,
            "type": "applicationAssignment",
            "displayName": row["name"],
            "requestable": row["assignment_required"],
            "userCount": held_by.count("USER"),
            "groupCount": held_by.count("GROUP"),
            "applicationArn": row["arn"],
            "awsAccountId": row["arn"].split(":")[4],
            "enabled": True,
            "assignmentRequired": row["assignment_required"],
        }

    def orphans(self) -> set[str]:
        """Principals that hold something and do not exist."""
        return {who for (_, who), held in self.holds.items() if held and who not in self.users | self.groups}


def pair_id(row: Row) -> str:
    """The entitlement id of a row that names a pair."""
    return f"{row['account_id']}:{row['permission_set_arn'].split('/')[-1]}"


def dump(sandbox: Sandbox) -> Row:
    """Everything the sandbox holds, as a copy of its own: byte for byte the same when nothing has changed."""
    return copy.deepcopy(sandbox.control("organisation"))


def picture(sandbox: Sandbox) -> Row:
    """The first instance and the AWS accounts as sets and maps, without what AWS numbers and dates by itself."""
    everything = dump(sandbox)
    instance = everything["instances"][0]
    return {
        "accounts": {row["id"]: row["state"] for row in everything["accounts"]},
        "users": {
            row["id"]: {
                "enabled": row["enabled"],
                "attributes": row["attributes"],
                "extension": row["extension"],
                "external_ids": row["external_ids"],
            }
            for row in instance["users"]
        },
        "groups": {row["id"]: row for row in instance["groups"]},
        "memberships": {(row["group_id"], row["user_id"]) for row in instance["memberships"]},
        "permission_sets": {row["arn"]: row for row in instance["permission_sets"]},
        "pairs": {pair_id(row) for row in instance["pairs"]},
        "assignments": {(pair_id(row), row["principal_type"], row["principal_id"]) for row in instance["assignments"]},
        "applications": {
            row["arn"]: {(each["principal_type"], each["principal_id"]) for each in row["assignments"]}
            for row in instance["applications"]
        },
        "in_flight": instance["requests_in_flight"],
        "other_instances": everything["instances"][1:],
    }
