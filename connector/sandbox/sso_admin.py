"""The sso-admin service: which operation is answered by whom.

Instances and their Regions are answered here; permission sets, assignments and applications have rooms of their own.
Instances are made by the seeds and the control endpoint, never through the API.
"""

from typing import Any

from connector.sandbox import applications, assignments, permission_sets, policies, provisioning, tags
from connector.sandbox.call import Answer, Call, Operation, instance_named, may_see
from connector.sandbox.errors import not_found
from connector.sandbox.instances import Instance
from connector.sandbox.ordered import listed
from connector.sandbox.paging import page


def ListInstances(call: Call) -> Answer:
    """The instances that this Region serves (or all of them, by RegionScope); none is no error."""
    everywhere = call.get("RegionScope") == "ALL_REGIONS"
    rows = [
        described(instance)
        for instance in call.organisation.instances.values()
        if (everywhere or call.region in instance.regions) and may_see(call, instance)
    ]
    return page(call, "Instances", listed(rows), lambda each: each.row)


def DescribeInstance(call: Call) -> Answer:
    """One instance."""
    instance = instance_named(call, call["InstanceArn"])
    return {**described(instance), "PermissionSetsEnabled": instance.permission_sets_enabled}


def ListRegions(call: Call) -> Answer:
    """The Regions that serve an instance."""
    instance = instance_named(call, call["InstanceArn"])
    rows = [_region(instance, name) for name in instance.regions]
    return page(call, "Regions", listed(rows), lambda each: each.row)


def DescribeRegion(call: Call) -> Answer:
    """One of them."""
    instance = instance_named(call, call["InstanceArn"])
    if call["RegionName"] not in instance.regions:
        raise not_found(f"Region not found: {call['RegionName']}")
    return _region(instance, call["RegionName"])


def _region(instance: Instance, name: str) -> dict[str, Any]:
    status, added = instance.regions[name]
    return {"RegionName": name, "Status": status, "AddedDate": added, "IsPrimaryRegion": name == instance.region}


def described(instance: Instance) -> dict[str, Any]:
    """An instance as ListInstances shows it."""
    return {
        "InstanceArn": instance.arn,
        "IdentityStoreId": instance.store.id,
        "IdentityStoreArn": instance.store.arn,
        "OwnerAccountId": instance.owner_account,
        "Name": instance.name,
        "CreatedDate": instance.created_at,
        "Status": instance.status,
        "PrimaryRegion": instance.region,
        "Regions": [_region(instance, name) for name in instance.regions],
    }


OPERATIONS: dict[str, Operation] = {
    "ListInstances": ListInstances,
    "DescribeInstance": DescribeInstance,
    "ListRegions": ListRegions,
    "DescribeRegion": DescribeRegion,
    **permission_sets.OPERATIONS,
    **policies.OPERATIONS,
    **tags.OPERATIONS,
    **provisioning.OPERATIONS,
    **assignments.OPERATIONS,
    **applications.OPERATIONS,
}
