"""Changes that no emulated API makes: what happens in consoles and elsewhere while a connector runs.

control.py calls them by name, under the lock. Each takes plain values and raises ValueError, before it changes
anything, when one is missing or names nothing. Users, groups and permission sets can be named by id or by name.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from connector.sandbox import building
from connector.sandbox.access import PermissionSet
from connector.sandbox.identities import User
from connector.sandbox.instances import Instance
from connector.sandbox.organisation import AwsAccount, Organisation, Role

Found = TypeVar("Found")
SHOWN = 10
"""Known names in an error, at most."""
STATES = ("PENDING_ACTIVATION", "ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED")


def counts(organisation: Organisation) -> dict[str, int]:
    """How many there are of everything, over all instances."""
    instances = list(organisation.instances.values())
    return {
        "accounts": len(organisation.accounts),
        "instances": len(instances),
        "users": sum(len(row.store.users) for row in instances),
        "groups": sum(len(row.store.groups) for row in instances),
        "memberships": sum(len(row.store.memberships) for row in instances),
        "permission_sets": sum(len(row.permission_sets) for row in instances),
        "pairs": sum(len(row.pairs) for row in instances),
        "assignments": sum(len(row.assignments) for row in instances),
        "applications": sum(len(row.applications) for row in instances),
    }


class Asked(dict[str, Any]):
    """What a mutation is given; a value it lacks is said to be missing."""

    def __missing__(self, name: str) -> Any:
        raise ValueError(f"{name} is missing")


def _known(what: str, name: Any, by_name: Mapping[str, Found], by_id: Mapping[str, Found] | None = None) -> Found:
    """The one that is named, or a word on those that could be."""
    if not isinstance(name, str):
        raise ValueError(f"{what} is named by a text, not by {name!r}")
    found = (by_id or {}).get(name) or by_name.get(name)
    if found is None:
        some = ", ".join(sorted(by_name)[:SHOWN]) + (", …" if len(by_name) > SHOWN else "")
        raise ValueError(f"there is no {what} {name!r}; there are {some or 'none'}")
    return found


def _account(organisation: Organisation, asked: Asked) -> AwsAccount:
    return _known("AWS account", asked["account_id"], organisation.accounts_by_id)


def _instance(organisation: Organisation, asked: Asked) -> Instance:
    if "instance" not in asked:
        return organisation.instance
    return _known("instance", asked["instance"], organisation.instances)


def _user(instance: Instance, name: Any) -> User:
    lowered = name.lower() if isinstance(name, str) and name not in instance.store.users_by_id else name
    return _known("user", lowered, instance.store.users_by_name, instance.store.users_by_id)


def _permission_set(instance: Instance, name: Any) -> PermissionSet:
    return _known("permission set", name, instance.permission_sets_by_name, instance.permission_sets_by_arn)


def set_account_state(organisation: Organisation, asked: Asked, _: float) -> None:
    """`account_id`, `state`: suspend, close or reactivate an AWS account."""
    if asked["state"] not in STATES:
        raise ValueError(f"state is one of {', '.join(STATES)}")
    _account(organisation, asked).state = asked["state"]


def rename_account(organisation: Organisation, asked: Asked, _: float) -> None:
    """`account_id`, `name`."""
    _account(organisation, asked).name = asked["name"]


def add_account(organisation: Organisation, asked: Asked, _: float) -> None:
    """`account_id`, `name`: a new AWS account."""
    if asked["account_id"] in organisation.accounts_by_id:
        raise ValueError("this AWS account exists")
    building.add_account(organisation, asked["account_id"], asked["name"])


def set_delegated_administrator(organisation: Organisation, asked: Asked, now: float) -> None:
    """`account_id`, `delegated` (true or false)."""
    account = _account(organisation, asked)
    if asked["delegated"]:
        organisation.delegated_administrators[account.id] = now
    else:
        organisation.delegated_administrators.pop(account.id, None)


def put_role(organisation: Organisation, asked: Asked, _: float) -> None:
    """`arn`, `external_id` (or null): a role that can be assumed."""
    organisation.roles[asked["arn"]] = Role(asked["arn"], asked.get("external_id"))


def set_user_status(organisation: Organisation, asked: Asked, now: float) -> None:
    """`user`, `status` (ENABLED or DISABLED): as in the console."""
    if asked["status"] not in ("ENABLED", "DISABLED"):
        raise ValueError("status is ENABLED or DISABLED")
    user = _user(_instance(organisation, asked), asked["user"])
    user.enabled = asked["status"] == "ENABLED"
    user.touch(now, "console")


def set_external_id(organisation: Organisation, asked: Asked, now: float) -> None:
    """`user`, `issuer`, `id`: the user comes from an identity provider."""
    instance = _instance(organisation, asked)
    user = _user(instance, asked["user"])
    external_id = {"Issuer": asked["issuer"], "Id": asked["id"]}
    instance.store.forget_user(user)
    user.external_ids.append(external_id)
    instance.store.index_user(user)
    user.touch(now, "scim")


def delete_user(organisation: Organisation, asked: Asked, _: float) -> None:
    """`user`: delete a user; the assignments become orphans."""
    instance = _instance(organisation, asked)
    instance.store.remove_user(_user(instance, asked["user"]), bool(asked.get("keep_memberships")))


def delete_group(organisation: Organisation, asked: Asked, _: float) -> None:
    """`group` (id or name): delete a group; the assignments become orphans."""
    store = _instance(organisation, asked).store
    store.remove_group(_known("group", asked["group"], store.groups_by_name, store.groups_by_id))


def delete_permission_set(organisation: Organisation, asked: Asked, _: float) -> None:
    """`permission_set`: delete it with its pairs and assignments."""
    instance = _instance(organisation, asked)
    instance.remove_permission_set(_permission_set(instance, asked["permission_set"]))


def add_pair(organisation: Organisation, asked: Asked, _: float) -> None:
    """`permission_set`, `account_id`: provisioned without any assignment."""
    instance = _instance(organisation, asked)
    account = _account(organisation, asked)
    building.provision(organisation, instance, _permission_set(instance, asked["permission_set"]), account.id)


def add_assignment(organisation: Organisation, asked: Asked, _: float) -> None:
    """`permission_set`, `account_id`, `principal_type`, `principal_id` (need not exist)."""
    instance = _instance(organisation, asked)
    permission_set = _permission_set(instance, asked["permission_set"])
    principal = (asked["principal_type"], asked["principal_id"])
    building.assign(organisation, instance, permission_set, _account(organisation, asked).id, principal)


def remove_assignment(organisation: Organisation, asked: Asked, _: float) -> None:
    """`permission_set`, `account_id`, `principal_type`, `principal_id`: take an assignment away at once."""
    instance = _instance(organisation, asked)
    permission_set = _permission_set(instance, asked["permission_set"])
    principal = (asked["principal_type"], asked["principal_id"])
    assignment = instance.assignments.get((permission_set.arn, asked["account_id"], principal))
    if assignment is None:
        raise ValueError(f"{permission_set.name} in AWS account {asked['account_id']} is not assigned to {principal}")
    instance.remove_assignment(assignment)


def add_instance(organisation: Organisation, asked: Asked, _: float) -> None:
    """`region`, `name`, `kind` (organization or account), `owner`: a further instance."""
    if asked.get("kind", "organization") not in ("organization", "account"):
        raise ValueError("kind is organization or account")
    building.add_instance(
        organisation, asked["region"], asked["name"], asked.get("owner"), asked.get("kind", "organization")
    )


def remove_instance(organisation: Organisation, asked: Asked, _: float) -> None:
    """`instance`: delete an instance."""
    instance = organisation.instances.pop(_known("instance", asked["instance"], organisation.instances).arn)
    del organisation.stores[instance.store.id]


def add_region(organisation: Organisation, asked: Asked, now: float) -> None:
    """`region`: serve the instance's reads from an additional Region."""
    _instance(organisation, asked).regions[asked["region"]] = ("ACTIVE", now)


def set_permission_sets_enabled(organisation: Organisation, asked: Asked, _: float) -> None:
    """`enabled`: an organisation instance with or without multi-account permissions."""
    _instance(organisation, asked).permission_sets_enabled = bool(asked["enabled"])


def add_application(organisation: Organisation, asked: Asked, _: float) -> None:
    """`name`, `assignment_required`."""
    instance = _instance(organisation, asked)
    required = bool(asked.get("assignment_required", True))
    building.add_application(organisation, instance, asked["name"], asked.get("description", ""), required)


MUTATIONS: dict[str, Callable[[Organisation, Asked, float], None]] = {
    mutation.__name__: mutation
    for mutation in (
        set_account_state,
        rename_account,
        add_account,
        set_delegated_administrator,
        put_role,
        set_user_status,
        set_external_id,
        delete_user,
        delete_group,
        delete_permission_set,
        add_pair,
        add_assignment,
        remove_assignment,
        add_instance,
        remove_instance,
        add_region,
        set_permission_sets_enabled,
        add_application,
    )
}


def perform(organisation: Organisation, action: str, asked: dict[str, Any], now: float) -> dict[str, Any]:
    """Make a change; the answer counts what there is afterwards."""
    if action not in MUTATIONS:
        raise ValueError(f"unknown action {action!r}; there are {', '.join(MUTATIONS)}")
    mutation = MUTATIONS[action]
    try:
        mutation(organisation, Asked(asked), now)
    except ValueError as error:
        raise ValueError(f"{error}. {action} takes {mutation.__doc__}") from error
    return counts(organisation)
