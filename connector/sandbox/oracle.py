"""The whole organisation as plain JSON, for oracles: what is true, whatever the API says.

Read at the control endpoint and by tests that compute for themselves what the connector should have found. Inherited
access is not computed here: that is the oracle's own business.
"""

from typing import Any

from connector.sandbox.identities import Group, IdentityStore, User
from connector.sandbox.instances import Instance
from connector.sandbox.organisation import Organisation


def dump(organisation: Organisation) -> dict[str, Any]:
    """Everything; hold the organisation's lock."""
    return {
        "id": organisation.id,
        "management_account": organisation.management_account,
        "delegated_administrators": list(organisation.delegated_administrators),
        "accounts": [
            {"id": row.id, "name": row.name, "email": row.email, "state": row.state, "path": row.path}
            for row in organisation.accounts
        ],
        "instances": [_instance(instance) for instance in organisation.instances.values()],
    }


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "arn": instance.arn,
        "name": instance.name,
        "kind": instance.kind,
        "region": instance.region,
        "regions": list(instance.regions),
        "owner_account": instance.owner_account,
        "permission_sets_enabled": instance.permission_sets_enabled,
        **_store(instance.store),
        "permission_sets": [
            {
                "arn": row.arn,
                "name": row.name,
                "description": row.description,
                "session_duration": row.session_duration,
                "managed_policies": list(row.managed_policies),
                "customer_policies": [{"name": name, "path": path} for name, path in row.customer_policies],
                "inline_policy": row.inline_policy,
                "boundary": row.boundary,
            }
            for row in instance.permission_sets
        ],
        "pairs": [
            {"permission_set_arn": row.permission_set_arn, "account_id": row.account_id}
            for row in instance.pairs.values()
        ],
        "assignments": [
            {
                "permission_set_arn": row.permission_set_arn,
                "account_id": row.account_id,
                "principal_type": row.principal[0],
                "principal_id": row.principal[1],
            }
            for row in instance.assignments.values()
        ],
        "requests_in_flight": len(instance.in_flight),
        "applications": [
            {
                "arn": row.arn,
                "name": row.name,
                "assignment_required": row.assignment_required,
                "assignments": [
                    {"principal_type": found.principal[0], "principal_id": found.principal[1]}
                    for found in row.assignments
                ],
            }
            for row in instance.applications
        ],
    }


def _store(store: IdentityStore) -> dict[str, Any]:
    return {
        "identity_store_id": store.id,
        "users": [user(row) for row in store.users],
        "groups": [_group(row) for row in store.groups],
        "memberships": [
            {"id": row.id, "group_id": row.group_id, "user_id": row.user_id} for row in store.memberships.values()
        ],
    }


def user(row: User) -> dict[str, Any]:
    """One user, attributes in AWS's spelling."""
    return {
        "id": row.id,
        "user_name": row.name,
        "enabled": row.enabled,
        "revision": str(row.trace.revision),
        "attributes": row.attributes,
        "extension": row.extension,
        "external_ids": row.external_ids,
        "created_at": row.trace.created_at,
        "updated_at": row.trace.updated_at,
    }


def _group(row: Group) -> dict[str, Any]:
    return {"id": row.id, "name": row.name, "description": row.description, "external_ids": row.external_ids}
